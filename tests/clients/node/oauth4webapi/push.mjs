// An agent by oauth4webapi that pushes what it asks (RFC 9126): the browser carries a reference.

import * as oauth from 'oauth4webapi'

import { listen } from '../loopback.mjs'

const { ISSUER, CLIENT_ID, CLIENT_SECRET } = process.env
const CALENDAR = 'https://calendar.example'

// Plain http is for loopback alone: leave this out elsewhere.
const options = { [oauth.allowInsecureRequests]: true }

const issuer = new URL(ISSUER)
const found = await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...options })
const server = await oauth.processDiscoveryResponse(issuer, found)
const client = { client_id: CLIENT_ID }
const agent = [server, client, oauth.ClientSecretBasic(CLIENT_SECRET)]

const person = await listen('/callback')
const verifier = oauth.generateRandomCodeVerifier()
const state = oauth.generateRandomState()
const asked = {
  response_type: 'code',
  client_id: CLIENT_ID,
  redirect_uri: person.redirectUri,
  scope: 'calendar:read tasks',
  resource: CALENDAR,
  code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
  code_challenge_method: 'S256',
  state,
}
const { request_uri } = await push(asked)
const url = new URL(server.authorization_endpoint)
url.search = new URLSearchParams({ client_id: CLIENT_ID, request_uri })
const back = await person.visit(url)
person.close()
const code = oauth.validateAuthResponse(server, client, back, state)
const response = await oauth.authorizationCodeGrantRequest(
  ...agent,
  code,
  person.redirectUri,
  verifier,
  options,
)
const granted = await oauth.processAuthorizationCodeResponse(server, client, response)
const refused = await push({ ...asked, scope: 'calendar:delete' }).catch(({ error, status }) => ({
  error,
  status,
}))
const revoked = await oauth.revocationRequest(...agent, granted.refresh_token, options)
await oauth.processRevocationResponse(revoked)

console.log(JSON.stringify({ url: url.href, granted, refused }))

async function push(parameters) {
  const pushed = await oauth.pushedAuthorizationRequest(
    ...agent,
    new URLSearchParams(parameters),
    options,
  )
  return oauth.processPushedAuthorizationResponse(server, client, pushed)
}

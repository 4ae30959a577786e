// An agent by oauth4webapi, which leaves each step in sight: send, then process the answer.

import * as oauth from 'oauth4webapi'

import { listen } from '../loopback.mjs'

const { ISSUER, CLIENT_ID, CLIENT_AUTH, CLIENT_KEY, CLIENT_SECRET, BOOKER_SECRET } = process.env
const CALENDAR = 'https://calendar.example'
const FLIGHTS = 'https://flights.example'
const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token'

// Plain http is for loopback alone: leave this out elsewhere.
const options = { [oauth.allowInsecureRequests]: true }

// How the agent is registered says how it authenticates: with its key, or with a secret.
const authentications = {
  private_key_jwt: async () => oauth.PrivateKeyJwt(await privateKey(JSON.parse(CLIENT_KEY))),
  client_secret_basic: async () => oauth.ClientSecretBasic(CLIENT_SECRET),
  client_secret_post: async () => oauth.ClientSecretPost(CLIENT_SECRET),
}

const issuer = new URL(ISSUER)
const found = await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...options })
const server = await oauth.processDiscoveryResponse(issuer, found)
const agent = [server, { client_id: CLIENT_ID }, await authentications[CLIENT_AUTH]()]
const booker = [server, { client_id: 'booker' }, oauth.ClientSecretBasic(BOOKER_SECRET)]

const granted = await askThePerson()
const refreshed = await refresh(granted.refresh_token)
const renewed = await exchange(agent, refreshed.access_token)
const narrowed = await exchange(agent, renewed.access_token, {
  resource: CALENDAR,
  scope: 'calendar:read',
})

const offered = await exchange(agent, renewed.access_token, {
  audience: 'booker',
  scope: 'flights:search',
})
const taken = await exchange(booker, offered.access_token, { resource: FLIGHTS })
const active = await introspect(booker, taken.access_token)

// Everything hangs on what the person granted, and ends with it.
await revoke(refreshed.refresh_token)
const afterwards = await introspect(booker, taken.access_token)
const refused = await exchange(agent, renewed.access_token).catch(refusal)

const own = await actForItself()
await revoke(own.access_token)

console.log(
  JSON.stringify({
    metadata: server,
    ...{ granted, refreshed, renewed, narrowed, offered, taken },
    ...{ active, afterwards, refused, own },
  }),
)

async function askThePerson() {
  const person = await listen('/callback')
  const verifier = oauth.generateRandomCodeVerifier()
  const state = oauth.generateRandomState()
  const url = new URL(server.authorization_endpoint)
  url.search = new URLSearchParams({
    response_type: 'code',
    client_id: CLIENT_ID,
    redirect_uri: person.redirectUri,
    scope: 'calendar:read flights:search tasks',
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state,
  })
  for (const resource of [CALENDAR, FLIGHTS]) url.searchParams.append('resource', resource)
  const back = await person.visit(url)
  person.close()
  // `iss` in the answer (RFC 9207) is checked in here, and must be there as the metadata says.
  const [, client] = agent
  const code = oauth.validateAuthResponse(server, client, back, state)
  const response = await oauth.authorizationCodeGrantRequest(
    ...agent,
    code,
    person.redirectUri,
    verifier,
    options,
  )
  return oauth.processAuthorizationCodeResponse(server, client, response)
}

async function refresh(token) {
  const response = await oauth.refreshTokenGrantRequest(...agent, token, options)
  return oauth.processRefreshTokenResponse(server, agent[1], response)
}

async function exchange(actor, subjectToken, wanted = {}) {
  const parameters = {
    subject_token: subjectToken,
    subject_token_type: ACCESS_TOKEN,
    ...wanted,
  }
  const response = await oauth.genericTokenEndpointRequest(
    ...actor,
    TOKEN_EXCHANGE,
    parameters,
    options,
  )
  return oauth.processGenericTokenEndpointResponse(server, actor[1], response)
}

async function actForItself() {
  const parameters = { scope: 'calendar:read', resource: CALENDAR }
  const response = await oauth.clientCredentialsGrantRequest(...agent, parameters, options)
  return oauth.processClientCredentialsResponse(server, agent[1], response)
}

async function introspect(asker, token) {
  const response = await oauth.introspectionRequest(...asker, token, options)
  return oauth.processIntrospectionResponse(server, asker[1], response)
}

async function revoke(token) {
  const response = await oauth.revocationRequest(...agent, token, options)
  await oauth.processRevocationResponse(response)
}

function refusal({ error, error_description }) {
  return { error, error_description }
}

async function privateKey(jwk) {
  const algorithm = { name: 'ECDSA', namedCurve: jwk.crv }
  const key = await crypto.subtle.importKey('jwk', jwk, algorithm, false, ['sign'])
  return { key, kid: jwk.kid }
}

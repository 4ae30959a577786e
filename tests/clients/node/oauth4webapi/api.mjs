// An API (a resource server) by oauth4webapi: it asks the server about a token that it was sent.
// Where others have to believe the answer too, it asks for a signed one (RFC 9701). Or it verifies
// the token itself (RFC 9068), which can't tell that it was ended a moment ago.

import * as oauth from 'oauth4webapi'

const { ISSUER, CLIENT_ID, CLIENT_SECRET, TOKEN } = process.env
const IDENTIFIER = 'https://calendar.example'

// Plain http is for loopback alone: leave this out elsewhere.
const options = { [oauth.allowInsecureRequests]: true }

const issuer = new URL(ISSUER)
const found = await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...options })
const server = await oauth.processDiscoveryResponse(issuer, found)
const client = { client_id: CLIENT_ID }
const authentication = oauth.ClientSecretBasic(CLIENT_SECRET)

const introspected = await oauth.processIntrospectionResponse(server, client, await ask())

const jwt = await ask({ requestJwtResponse: true })
const signed = await oauth.processIntrospectionResponse(server, client, jwt)
await oauth.validateApplicationLevelSignature(server, jwt, options)

const request = new Request(IDENTIFIER, { headers: { authorization: `Bearer ${TOKEN}` } })
const verified = await oauth.validateJwtAccessToken(server, request, IDENTIFIER, {
  signingAlgorithms: ['ES256'],
  ...options,
})

console.log(JSON.stringify({ introspected, signed, verified }))

function ask(more = {}) {
  return oauth.introspectionRequest(server, client, authentication, TOKEN, { ...options, ...more })
}

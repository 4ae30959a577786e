// An agent by openid-client: a person deputizes it, it does its part of the work, it hands the
// rest to another agent, and gives everything up in the end.

import * as client from 'openid-client'

import { listen } from '../loopback.mjs'

const { ISSUER, CLIENT_ID, CLIENT_AUTH, CLIENT_KEY, CLIENT_SECRET, BOOKER_SECRET } = process.env
const CALENDAR = 'https://calendar.example'
const FLIGHTS = 'https://flights.example'
const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token'

// How the agent is registered says how it authenticates: with its key, or with a secret.
const authentications = {
  private_key_jwt: async () => client.PrivateKeyJwt(await privateKey(JSON.parse(CLIENT_KEY))),
  client_secret_basic: async () => client.ClientSecretBasic(CLIENT_SECRET),
  client_secret_post: async () => client.ClientSecretPost(CLIENT_SECRET),
}

const agent = await discover(CLIENT_ID, await authentications[CLIENT_AUTH]())
const booker = await discover('booker', client.ClientSecretBasic(BOOKER_SECRET))

const granted = await askThePerson()
const refreshed = await client.refreshTokenGrant(agent, granted.refresh_token)
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
const active = await client.tokenIntrospection(booker, taken.access_token)

// Everything hangs on what the person granted, and ends with it.
await client.tokenRevocation(agent, refreshed.refresh_token)
const afterwards = await client.tokenIntrospection(booker, taken.access_token)
const refused = await exchange(agent, renewed.access_token).catch(refusal)

const own = await client.clientCredentialsGrant(agent, {
  scope: 'calendar:read',
  resource: CALENDAR,
})
await client.tokenRevocation(agent, own.access_token)

console.log(
  JSON.stringify({
    metadata: agent.serverMetadata(),
    ...{ granted, refreshed, renewed, narrowed, offered, taken },
    ...{ active, afterwards, refused, own },
  }),
)

async function discover(clientId, authentication) {
  // `oauth2` is RFC 8414. Plain http is for loopback alone: leave `execute` out elsewhere.
  const options = { algorithm: 'oauth2', execute: [client.allowInsecureRequests] }
  return client.discovery(new URL(ISSUER), clientId, undefined, authentication, options)
}

async function askThePerson() {
  const person = await listen('/callback')
  const pkceCodeVerifier = client.randomPKCECodeVerifier()
  const expectedState = client.randomState()
  const parameters = new URLSearchParams({
    redirect_uri: person.redirectUri,
    scope: 'calendar:read flights:search tasks',
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    state: expectedState,
  })
  for (const resource of [CALENDAR, FLIGHTS]) parameters.append('resource', resource)
  const back = await person.visit(client.buildAuthorizationUrl(agent, parameters))
  person.close()
  // `iss` in the answer (RFC 9207) is checked in here, and must be there as the metadata says.
  return client.authorizationCodeGrant(agent, back, { pkceCodeVerifier, expectedState })
}

function exchange(actor, subjectToken, wanted = {}) {
  return client.genericGrantRequest(actor, TOKEN_EXCHANGE, {
    subject_token: subjectToken,
    subject_token_type: ACCESS_TOKEN,
    ...wanted,
  })
}

function refusal({ error, error_description }) {
  return { error, error_description }
}

async function privateKey(jwk) {
  const algorithm = { name: 'ECDSA', namedCurve: jwk.crv }
  const key = await crypto.subtle.importKey('jwk', jwk, algorithm, false, ['sign'])
  return { key, kid: jwk.kid }
}

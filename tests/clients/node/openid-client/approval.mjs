// An agent by openid-client that asks its person in the middle of a task (CIBA, by poll): it was
// let read a calendar, and comes to pay for something.

import * as client from 'openid-client'

import { listen } from '../loopback.mjs'

const { ISSUER, CLIENT_ID, CLIENT_SECRET } = process.env
const CALENDAR = 'https://calendar.example'
const PAY = 'https://pay.example'
const PAYMENT = JSON.stringify([
  { type: 'payment', amount: '420.00', currency: 'EUR', creditor: 'Airline X' },
])
const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token'

// `oauth2` is RFC 8414. Plain http is for loopback alone: leave `execute` out elsewhere.
const agent = await client.discovery(
  new URL(ISSUER),
  CLIENT_ID,
  { id_token_signed_response_alg: 'ES256' },
  client.ClientSecretBasic(CLIENT_SECRET),
  { algorithm: 'oauth2', execute: [client.allowInsecureRequests] },
)

const granted = await askThePerson()
const refused = await client
  .genericGrantRequest(agent, TOKEN_EXCHANGE, {
    subject_token: granted.access_token,
    subject_token_type: ACCESS_TOKEN,
    resource: PAY,
    scope: 'pay:transfer',
    authorization_details: PAYMENT,
  })
  .catch(({ error }) => error)

// The token that it holds says who is to be asked; the message is what they read.
const asked = await client.initiateBackchannelAuthentication(agent, {
  scope: 'openid pay:transfer',
  login_hint_token: granted.access_token,
  binding_message: 'TP1234, EUR 420',
  resource: PAY,
  authorization_details: PAYMENT,
})
console.error(`Please decide at ${agent.serverMetadata().approvals_page}`)
const approved = await client.pollBackchannelAuthenticationGrant(agent, asked)

// The ID token's signature, audience and times were verified on the way.
console.log(JSON.stringify({ granted, refused, asked, approved, claims: approved.claims() }))

async function askThePerson() {
  const person = await listen('/callback')
  const pkceCodeVerifier = client.randomPKCECodeVerifier()
  const expectedState = client.randomState()
  const parameters = new URLSearchParams({
    redirect_uri: person.redirectUri,
    scope: 'calendar:read',
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    state: expectedState,
  })
  for (const resource of [CALENDAR, PAY]) parameters.append('resource', resource)
  const back = await person.visit(client.buildAuthorizationUrl(agent, parameters))
  person.close()
  return client.authorizationCodeGrant(agent, back, { pkceCodeVerifier, expectedState })
}

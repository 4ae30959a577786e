// An agent by openid-client that pushes what it asks (RFC 9126): the browser carries a reference.

import * as client from 'openid-client'

import { listen } from '../loopback.mjs'

const { ISSUER, CLIENT_ID, CLIENT_SECRET } = process.env
const CALENDAR = 'https://calendar.example'

const agent = await client.discovery(
  new URL(ISSUER),
  CLIENT_ID,
  undefined,
  client.ClientSecretBasic(CLIENT_SECRET),
  // `oauth2` is RFC 8414. Plain http is for loopback alone: leave `execute` out elsewhere.
  { algorithm: 'oauth2', execute: [client.allowInsecureRequests] },
)
const person = await listen('/callback')
const pkceCodeVerifier = client.randomPKCECodeVerifier()
const expectedState = client.randomState()
const asked = {
  redirect_uri: person.redirectUri,
  scope: 'calendar:read tasks',
  resource: CALENDAR,
  code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
  code_challenge_method: 'S256',
  state: expectedState,
}
const url = await client.buildAuthorizationUrlWithPAR(agent, asked)
const back = await person.visit(url)
person.close()
const granted = await client.authorizationCodeGrant(agent, back, {
  pkceCodeVerifier,
  expectedState,
})
const refused = await client
  .buildAuthorizationUrlWithPAR(agent, { ...asked, scope: 'calendar:delete' })
  .catch(({ error, status }) => ({ error, status }))
await client.tokenRevocation(agent, granted.refresh_token)

console.log(JSON.stringify({ url: url.href, granted, refused }))

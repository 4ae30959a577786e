// An ordinary application by openid-client: a person signs in to it, it knows who they are, and
// they sign out again.

import * as client from 'openid-client'

import { listen } from '../loopback.mjs'

const { ISSUER, CLIENT_ID, CLIENT_SECRET, PORT } = process.env

const application = await client.discovery(
  new URL(ISSUER),
  CLIENT_ID,
  undefined,
  client.ClientSecretBasic(CLIENT_SECRET),
  // Plain http is for loopback alone. The other one verifies the ID token's signature even
  // though it came straight from the server.
  { execute: [client.allowInsecureRequests, client.enableNonRepudiationChecks] },
)
const person = await listen('/webapp', Number(PORT))

const granted = await signIn()
const claims = granted.claims()
const userinfo = await client.fetchUserInfo(application, granted.access_token, claims.sub)
const refreshed = await client.refreshTokenGrant(application, granted.refresh_token)
const introspected = await client.tokenIntrospection(application, refreshed.access_token)

await client.tokenRevocation(application, refreshed.refresh_token)
const refused = await client
  .refreshTokenGrant(application, refreshed.refresh_token)
  .catch(({ error }) => ({ error }))

const signedOut = await signOut()
const silent = await signIn({ prompt: 'none' }).catch(({ error }) => ({ error }))
person.close()

console.log(
  JSON.stringify({
    metadata: application.serverMetadata(),
    ...{ granted, claims, userinfo, refreshed, introspected, refused, signedOut, silent },
  }),
)

async function signIn(more = {}) {
  const pkceCodeVerifier = client.randomPKCECodeVerifier()
  const expectedState = client.randomState()
  const expectedNonce = client.randomNonce()
  const url = client.buildAuthorizationUrl(application, {
    redirect_uri: person.redirectUri,
    scope: 'openid profile',
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    state: expectedState,
    nonce: expectedNonce,
    ...more,
  })
  const checks = { pkceCodeVerifier, expectedState, expectedNonce, idTokenExpected: true }
  return client.authorizationCodeGrant(application, await person.visit(url), checks)
}

async function signOut() {
  const state = client.randomState()
  const url = client.buildEndSessionUrl(application, {
    id_token_hint: granted.id_token,
    post_logout_redirect_uri: new URL('/signed-out', person.redirectUri).href,
    state,
  })
  const back = await person.visit(url)
  return back.pathname === '/signed-out' && back.searchParams.get('state') === state
}

// An ordinary application by oauth4webapi: a person signs in to it, it knows who they are, and
// they sign out again.

import * as oauth from 'oauth4webapi'

import { listen } from '../loopback.mjs'

const { ISSUER, CLIENT_ID, CLIENT_SECRET, PORT } = process.env

// Plain http is for loopback alone: leave this out elsewhere.
const options = { [oauth.allowInsecureRequests]: true }

const issuer = new URL(ISSUER)
const found = await oauth.discoveryRequest(issuer, options)
const server = await oauth.processDiscoveryResponse(issuer, found)
const client = { client_id: CLIENT_ID }
const application = [server, client, oauth.ClientSecretBasic(CLIENT_SECRET)]
const person = await listen('/webapp', Number(PORT))

const granted = await signIn()
const claims = oauth.getValidatedIdTokenClaims(granted)
const told = await oauth.userInfoRequest(server, client, granted.access_token, options)
const userinfo = await oauth.processUserInfoResponse(server, client, claims.sub, told)
const refreshed = await refresh(granted.refresh_token)
const asked = await oauth.introspectionRequest(...application, refreshed.access_token, options)
const introspected = await oauth.processIntrospectionResponse(server, client, asked)

const revoked = await oauth.revocationRequest(...application, refreshed.refresh_token, options)
await oauth.processRevocationResponse(revoked)
const refused = await refresh(refreshed.refresh_token).catch(({ error }) => ({ error }))

const signedOut = await signOut()
const silent = await signIn({ prompt: 'none' }).catch(({ error }) => ({ error }))
person.close()

console.log(
  JSON.stringify({
    metadata: server,
    ...{ granted, claims, userinfo, refreshed, introspected, refused, signedOut, silent },
  }),
)

async function signIn(more = {}) {
  const verifier = oauth.generateRandomCodeVerifier()
  const state = oauth.generateRandomState()
  const expectedNonce = oauth.generateRandomNonce()
  const url = new URL(server.authorization_endpoint)
  url.search = new URLSearchParams({
    response_type: 'code',
    client_id: CLIENT_ID,
    redirect_uri: person.redirectUri,
    scope: 'openid profile',
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state,
    nonce: expectedNonce,
    ...more,
  })
  const code = oauth.validateAuthResponse(server, client, await person.visit(url), state)
  const response = await oauth.authorizationCodeGrantRequest(
    ...application,
    code,
    person.redirectUri,
    verifier,
    options,
  )
  const checks = { expectedNonce, requireIdToken: true }
  const tokens = await oauth.processAuthorizationCodeResponse(server, client, response, checks)
  // The ID token came straight from the server; its signature is verified all the same.
  await oauth.validateApplicationLevelSignature(server, response, options)
  return tokens
}

async function refresh(token) {
  const response = await oauth.refreshTokenGrantRequest(...application, token, options)
  return oauth.processRefreshTokenResponse(server, client, response)
}

async function signOut() {
  const state = oauth.generateRandomState()
  const url = new URL(server.end_session_endpoint)
  url.search = new URLSearchParams({
    id_token_hint: granted.id_token,
    post_logout_redirect_uri: new URL('/signed-out', person.redirectUri).href,
    state,
  })
  const back = await person.visit(url)
  return back.pathname === '/signed-out' && back.searchParams.get('state') === state
}

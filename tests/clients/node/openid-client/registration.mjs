// A client registers itself by openid-client (RFC 7591) and manages that (RFC 7592). Here a client
// that registers itself is an agent, which waits until an administrator adopts it: it can't have
// a token before.

import * as client from 'openid-client'

const { ISSUER } = process.env

const { publicKey, privateKey } = await crypto.subtle.generateKey(
  { name: 'ECDSA', namedCurve: 'P-256' },
  false,
  ['sign', 'verify'],
)
const jwk = { ...(await crypto.subtle.exportKey('jwk', publicKey)), alg: 'ES256', use: 'sig' }
const metadata = {
  client_name: 'Scout',
  agent_purpose: 'Looks around',
  redirect_uris: ['http://127.0.0.1/callback'],
  token_endpoint_auth_method: 'private_key_jwt',
  jwks: { keys: [jwk] },
  scope: 'calendar:read',
}

const registration = await client.dynamicClientRegistration(
  new URL(ISSUER),
  metadata,
  client.PrivateKeyJwt(privateKey),
  // Plain http is for loopback alone: leave `execute` out elsewhere.
  { algorithm: 'oauth2', execute: [client.allowInsecureRequests] },
)
const registered = registration.clientMetadata()

const refused = await client
  .clientCredentialsGrant(registration)
  .catch(({ cause, status }) => ({ status, challenge: cause[0].parameters }))

// The library has no functions for RFC 7592: the endpoint is a resource with a token of its own.
const read = await (await manage('GET')).json()
const changed = { ...metadata, client_id: registered.client_id, client_name: 'Scout the second' }
const updated = await (await manage('PUT', JSON.stringify(changed))).json()
const deleted = (await manage('DELETE')).status
const afterwards = await manage('GET').catch(({ status }) => status)

console.log(JSON.stringify({ jwk, registered, refused, read, updated, deleted, afterwards }))

function manage(method, body) {
  const { registration_client_uri, registration_access_token } = registered
  const headers = new Headers(body ? { 'content-type': 'application/json' } : {})
  return client.fetchProtectedResource(
    registration,
    registration_access_token,
    new URL(registration_client_uri),
    method,
    body,
    headers,
  )
}

// A client registers itself by oauth4webapi (RFC 7591) and manages that (RFC 7592). Here a client
// that registers itself is an agent, which waits until an administrator adopts it: it can't have
// a token before.

import * as oauth from 'oauth4webapi'

const { ISSUER } = process.env

// Plain http is for loopback alone: leave this out elsewhere.
const options = { [oauth.allowInsecureRequests]: true }

const issuer = new URL(ISSUER)
const found = await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...options })
const server = await oauth.processDiscoveryResponse(issuer, found)

const { publicKey, privateKey } = await oauth.generateKeyPair('ES256')
const jwk = { ...(await crypto.subtle.exportKey('jwk', publicKey)), alg: 'ES256', use: 'sig' }
const metadata = {
  client_name: 'Scout',
  agent_purpose: 'Looks around',
  redirect_uris: ['http://127.0.0.1/callback'],
  token_endpoint_auth_method: 'private_key_jwt',
  jwks: { keys: [jwk] },
  scope: 'calendar:read',
}

const answered = await oauth.dynamicClientRegistrationRequest(server, metadata, options)
const registered = await oauth.processDynamicClientRegistrationResponse(answered)

const scout = [server, registered, oauth.PrivateKeyJwt(privateKey)]
const asked = await oauth.clientCredentialsGrantRequest(...scout, {}, options)
const refused = await oauth
  .processClientCredentialsResponse(server, registered, asked)
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
  return oauth.protectedResourceRequest(
    registration_access_token,
    method,
    new URL(registration_client_uri),
    headers,
    body,
    options,
  )
}

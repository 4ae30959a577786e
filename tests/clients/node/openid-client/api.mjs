// An API (a resource server) by openid-client: it asks the server about a token that it was
// sent. Where others have to believe the answer too, it asks for a signed one (RFC 9701).

import * as client from 'openid-client'

const { ISSUER, CLIENT_ID, CLIENT_SECRET, TOKEN } = process.env

const introspected = await client.tokenIntrospection(await discover(), TOKEN)

const signing = await discover({ introspection_signed_response_alg: 'ES256' })
client.enableNonRepudiationChecks(signing)
const signed = await client.tokenIntrospection(signing, TOKEN)

console.log(JSON.stringify({ introspected, signed }))

async function discover(metadata) {
  const authentication = client.ClientSecretBasic(CLIENT_SECRET)
  // Plain http is for loopback alone: leave `execute` out elsewhere.
  const options = { algorithm: 'oauth2', execute: [client.allowInsecureRequests] }
  return client.discovery(new URL(ISSUER), CLIENT_ID, metadata, authentication, options)
}

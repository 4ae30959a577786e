"""An API (a resource server) by Authlib: it asks the server about a token that it was sent.

Where others have to believe the answer too, it asks for a signed one (RFC 9701). Or it verifies
the token itself (RFC 9068), which can't tell that it was ended a moment ago.
"""

import json
import os

import requests
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc9068 import JWTBearerTokenValidator
from joserfc import jwt
from joserfc.jwk import KeySet

ISSUER, TOKEN = os.environ["ISSUER"], os.environ["TOKEN"]
CLIENT_ID, CLIENT_SECRET = os.environ["CLIENT_ID"], os.environ["CLIENT_SECRET"]
IDENTIFIER = "https://calendar.example"
JWT_ANSWER = "application/token-introspection+jwt"

server = requests.get(f"{ISSUER}/.well-known/oauth-authorization-server", timeout=10).json()
keys = KeySet.import_key_set(requests.get(server["jwks_uri"], timeout=10).json())


class Validator(JWTBearerTokenValidator):
    """What a `ResourceProtector` of Authlib's takes."""

    def get_jwks(self) -> KeySet:
        return keys


api = OAuth2Session(CLIENT_ID, CLIENT_SECRET, **server)
endpoint = server["introspection_endpoint"]
introspected = api.introspect_token(endpoint, token=TOKEN).json()

answer = api.introspect_token(endpoint, token=TOKEN, headers={"Accept": JWT_ANSWER})
evidence = jwt.decode(answer.text, keys, algorithms=["ES256"])
if f"application/{evidence.header['typ']}" != answer.headers["Content-Type"]:
    raise ValueError("this is another kind of JWT")
required = {"essential": True}
registry = jwt.JWTClaimsRegistry(
    iss={**required, "value": ISSUER}, aud={**required, "value": CLIENT_ID}, iat=required
)
registry.validate(evidence.claims)
signed = evidence.claims["token_introspection"]

validator = Validator(issuer=ISSUER, resource_server=IDENTIFIER)
verified = validator.authenticate_token(TOKEN)
validator.validate_token(verified, ["calendar:read"], None)

print(json.dumps({"introspected": introspected, "signed": signed, "verified": dict(verified)}))

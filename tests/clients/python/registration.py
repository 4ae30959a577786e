"""A client registers itself (RFC 7591) and manages that (RFC 7592), by requests and Authlib's
client. Here a client that registers itself is an agent, which waits until an administrator
adopts it: it can't have a token before.
"""

import json
import os

import requests
from assertion import Assertion
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from joserfc.jwk import ECKey

ISSUER = os.environ["ISSUER"]

server = requests.get(f"{ISSUER}/.well-known/oauth-authorization-server", timeout=10).json()

key = ECKey.generate_key("P-256", {"alg": "ES256", "use": "sig"}, auto_kid=True)
jwk = key.as_dict(private=False)
metadata = {
    "client_name": "Scout",
    "agent_purpose": "Looks around",
    "redirect_uris": ["http://127.0.0.1/callback"],
    "token_endpoint_auth_method": "private_key_jwt",
    "jwks": {"keys": [jwk]},
    "scope": "calendar:read",
}

answer = requests.post(server["registration_endpoint"], json=metadata, timeout=10)
answer.raise_for_status()
registered = answer.json()

scout = OAuth2Session(
    registered["client_id"], key, token_endpoint_auth_method="private_key_jwt", **server
)
scout.register_client_auth_method(Assertion(token_endpoint=ISSUER))
try:
    refused = scout.fetch_token(grant_type="client_credentials")
except OAuthError as error:
    refused = {"error": error.error}

# The client configuration endpoint is a resource with a token of its own.
bearer = {"access_token": registered["registration_access_token"], "token_type": "Bearer"}
manager = OAuth2Session(token=bearer)
url = registered["registration_client_uri"]
read = manager.get(url).json()
changed = {**metadata, "client_id": registered["client_id"], "client_name": "Scout the second"}
updated = manager.put(url, json=changed).json()
deleted = manager.delete(url).status_code
afterwards = manager.get(url).status_code

seen = {"jwk": jwk, "registered": registered, "refused": refused}
seen |= {"read": read, "updated": updated, "deleted": deleted, "afterwards": afterwards}
print(json.dumps(seen))

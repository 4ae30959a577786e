"""Client authentication by a key (RFC 7523): Authlib's, with an assertion that lives a minute.

Authlib gives it an hour, and the server takes five minutes at most. `token_endpoint` is its
name for the audience, which is the issuer: `Assertion(token_endpoint=ISSUER)`.
"""

from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.rfc7523 import PrivateKeyJWT, private_key_jwt_sign

LIFETIME = 60  # seconds


class Assertion(PrivateKeyJWT):
    """Register it at a session whose `client_secret` is the ES256 key."""

    def sign(self, auth: ClientAuth, token_endpoint: str) -> str:
        assertion: str = private_key_jwt_sign(
            auth.client_secret,
            client_id=auth.client_id,
            token_endpoint=token_endpoint,
            header={"kid": auth.client_secret.kid},
            alg="ES256",
            expires_in=LIFETIME,
        )
        return assertion

"""What OpenID Connect adds: parameters of the authentication request, the ID token, and
the claims about a person that each scope gives.
"""

import re
from typing import Any

from authlib.oauth2.rfc6749 import InvalidRequestError, OAuth2Error
from authlib.oidc.core.grants import OpenIDToken
from authlib.oidc.core.util import create_half_hash
from joserfc import jwt

from .clock import now
from .codes import Family
from .id_token_hint import read_hint
from .keys import ALGORITHM, signing_key
from .people import Person
from .settings import current_settings

MAX_AGE = re.compile(r"[0-9]{1,9}")
PROMPTS = {"none", "login", "consent", "select_account"}


class AuthenticationRequest:
    """Checks the parameters of OpenID Connect Core, section 3.1.2.1, that are used here."""

    def __call__(self, grant: Any) -> None:
        """Look at them when the redirect URI is known, so that the client hears of it."""
        grant.register_hook("after_validate_authorization_request_payload", self.validate)

    def validate(self, grant: Any, _redirect_uri: str) -> None:
        """:raises OAuth2Error: for what can't be honoured, rather than ignore it."""
        data = grant.request.payload.data
        for name in ("request", "request_uri", "registration"):  # section 3.1.2.6 names the errors
            if name in data:
                raise OAuth2Error(f"{name} is not supported.", error=f"{name}_not_supported")
        if data.get("response_mode", "query") != "query":
            raise InvalidRequestError("The only response_mode is query.")
        validate_prompt(prompts(data))
        if not MAX_AGE.fullmatch(data.get("max_age", "0")):
            raise InvalidRequestError("max_age is a number of seconds.")
        if "id_token_hint" in data:
            read_hint(data["id_token_hint"])
        is_oidc = "openid" in data.get("scope", "").split()
        if is_oidc and "redirect_uri" not in data:
            raise InvalidRequestError("redirect_uri is required with the scope openid.")


class IdToken(OpenIDToken):
    """The ID token beside an access token whose scope has `openid` (section 2)."""

    def encode_id_token(self, token: dict[str, Any], request: Any) -> str:
        """Sign who the person is, for this client, and how they signed in."""
        code, key = request.authorization_code, signing_key()
        family: Family = (code or request.refresh_token).family
        half_hash: Any = create_half_hash(token["access_token"], ALGORITHM)
        claims = {
            "iss": current_settings().issuer,
            "sub": family.person_id,
            "aud": family.client_id,
            "iat": now(),
            "exp": now() + current_settings().id_token_lifetime,
            "auth_time": family.auth_time,
            "acr": family.acr,
            "amr": (family.amr or "").split(),
            "at_hash": half_hash.decode(),
        }
        if code and code.nonce:  # section 12.2: none on refresh
            claims["nonce"] = code.nonce
        return jwt.encode({"alg": ALGORITHM, "typ": "JWT", "kid": key.kid}, claims, key)


def prompts(data: dict[str, str]) -> set[str]:
    """The values of `prompt`."""
    return set(data.get("prompt", "").split())


def validate_prompt(values: set[str]) -> None:
    """:raises InvalidRequestError: for an unknown value, or `none` together with another."""
    if not values <= PROMPTS or ("none" in values and len(values) > 1):
        raise InvalidRequestError("prompt has a value that is unknown, or none with another.")


def userinfo(person: Person, scope: str) -> dict[str, Any]:
    """The claims about a person that a scope gives (section 5.4)."""
    claims: dict[str, dict[str, Any]] = {
        "openid": {"sub": person.id},
        "profile": {"name": person.name, "preferred_username": person.username},
        "email": {"email": person.email} if person.email else {},
        "groups": {"groups": person.groups},
    }
    return {key: value for name in scope.split() for key, value in claims.get(name, {}).items()}

"""An authentication request, signed by who asks (CIBA Core §7.1.1)."""

import secrets
from typing import Any

import httpx
from joserfc import jwt
from joserfc.jwk import ECKey

from support.agents_http import unix_time
from support.asking import Asking
from support.world import PAY


def request_object(
    asking: Asking, *, key: ECKey | None = None, header: dict[str, Any] | None = None, **claims: Any
) -> str:
    """Sign what `asking` usually asks; `claims` replace its own, None removes one."""
    key, now = key or asking.agent.key, unix_time()
    assert key
    usual = {
        "iss": asking.agent.client_id,
        "aud": asking.agent.metadata["issuer"],
        "iat": now,
        "nbf": now,
        "exp": now + 60,
        "jti": secrets.token_urlsafe(16),
        "scope": "openid pay:transfer",
        "login_hint_token": asking.hold,
        "binding_message": "TP1234, seat 14C",
        "resource": PAY,
    }
    signed = {name: value for name, value in (usual | claims).items() if value is not None}
    usual_header = {"alg": "ES256", "typ": "oauth-authz-req+jwt"}
    told = {n: v for n, v in (usual_header | (header or {})).items() if v is not None}
    return jwt.encode(told, signed, key, [told["alg"]])


def send(asking: Asking, request: str, **params: Any) -> httpx.Response:
    """Send what was signed, and nothing else but `params`."""
    return asking.agent.post("backchannel_authentication_endpoint", request=request, **params)

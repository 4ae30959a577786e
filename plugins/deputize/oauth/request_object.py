"""The parameters of a signed authentication request (CIBA Core 1.0 §7.1.1). Pure.

All are in the JWT. "Authentication request parameters MUST NOT be present outside of the JWT":
a plain one that says the same is let pass, as many clients send it, and any other is refused.
"""

import json
from collections.abc import Mapping
from typing import Any

from .errors import InvalidRequestError

Parameters = dict[str, list[str]]

#: What CIBA Core §7.1, RFC 8707 §2 and RFC 9396 §3 let a request hold.
_PARAMETERS = (
    "scope",
    "client_notification_token",
    "acr_values",
    "login_hint_token",
    "id_token_hint",
    "login_hint",
    "binding_message",
    "user_code",
    "requested_expiry",
    "resource",
    "authorization_details",
)


def signed_parameters(claims: Mapping[str, Any], plain: Mapping[str, list[str]]) -> Parameters:
    """Return the parameters that the JWT holds, in place of the `plain` ones around it.

    :raises InvalidRequestError: for one that is of another type, or differs outside
    """
    inside = {name: _values(name, claims[name]) for name in _PARAMETERS if name in claims}
    inside = {name: values for name, values in inside.items() if values}
    for name in _PARAMETERS:
        if name in plain and plain[name] != inside.get(name):
            raise InvalidRequestError("A parameter outside the signed request differs from it.")
    return inside


def _values(name: str, claim: Any) -> list[str]:
    is_list = name == "resource" and isinstance(claim, list)
    values = [_text(name, value) for value in (claim if is_list else [claim])]
    # As in a form, one without a value counts as left out (RFC 6749 §3.1).
    return [value for value in values if value]


def _text(name: str, value: Any) -> str:
    if name == "requested_expiry" and type(value) is int:
        value = str(value)
    if name == "authorization_details" and isinstance(value, list):
        value = _json(value)
    if not isinstance(value, str) or not _is_text(value):
        raise InvalidRequestError(f"In the signed request, {name} is of another type.")
    return value


def _json(value: list[Any]) -> str | None:
    try:
        return json.dumps(value)
    except RecursionError:
        return None


def _is_text(value: str) -> bool:
    try:
        return b"\x00" not in value.encode()
    except UnicodeEncodeError:
        return False

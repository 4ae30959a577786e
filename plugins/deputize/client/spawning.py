"""Starting a throw-away sub-agent: a key, a spawn token bound to it, a registration.

The spawn token is good for one registration with that key, within a minute, so whoever
overhears it can plant nothing.
"""

from dataclasses import replace

from .authentication import ByKey, jwks_of, new_key
from .connection import TOKEN_EXCHANGE, Connection
from .errors import ProtocolError
from .flow import Flow


def spawn(parent: Connection, hold: str, scope: str, purpose: str) -> Flow[Connection]:
    """Return the connection of a new agent whose ceiling is `scope`.

    It holds nothing until it is handed something, and dies with its parent's delegation.

    :param hold: the parent's token for the issuer, with `agents:spawn`
    :raises OAuthError: when the server refuses
    """
    key = new_key()
    issued = yield from parent.exchange(
        hold,
        resource=parent.metadata.get_endpoint("registration_endpoint"),
        scope=scope,
        agent_jkt=key.thumbprint(),
    )
    registered = yield from parent.register(
        issued["access_token"],
        {
            "client_type": "agent",
            "agent_purpose": purpose,
            "grant_types": [TOKEN_EXCHANGE],
            "token_endpoint_auth_method": "private_key_jwt",
            "jwks": jwks_of(key),
            "scope": scope,
        },
    )
    if not isinstance(registered.get("client_id"), str):
        raise ProtocolError("the registration has no client_id")
    return replace(parent, client_id=registered["client_id"], credential=ByKey(key))

"""What an agent asks the token endpoint, a function each; the answer is a `Lease`.

Every one raises `OAuthError` when the server refuses (RFC 6749 §5.2).
"""

from dataclasses import replace

from .authorization import AuthorizationRequest
from .connection import Connection
from .flow import Flow
from .lease import Lease, lease_in


def redeem(
    connection: Connection, code: str, asked: AuthorizationRequest, resource: str | None
) -> Flow[Lease]:
    """Redeem a code. :rfc:`6749#section-4.1.3`."""
    answer = yield from connection.post(
        "token_endpoint",
        grant_type="authorization_code",
        code=code,
        redirect_uri=asked.redirect_uri,
        code_verifier=asked.code_verifier,
        resource=resource,
    )
    return lease_in(answer, connection.now())


def exchange(connection: Connection, subject_token: str, **params: str | None) -> Flow[Lease]:
    """Exchange a token. :rfc:`8693#section-2.1`."""
    answer = yield from connection.exchange(subject_token, **params)
    return lease_in(answer, connection.now())


def renew(connection: Connection, lease: Lease) -> Flow[Lease]:
    """Ask for a new lease for the same place; the refresh token stays good, and with it."""
    renewed = yield from exchange(connection, lease.value)
    return replace(renewed, refresh_token=lease.refresh_token)


def refresh(connection: Connection, lease: Lease, resource: str | None = None) -> Flow[Lease]:
    """Use the refresh token up. :rfc:`6749#section-6`.

    :raises ValueError: when there is none
    """
    if lease.refresh_token is None:
        raise ValueError("only the token that a person's consent gave has a refresh token")
    answer = yield from connection.post(
        "token_endpoint",
        grant_type="refresh_token",
        refresh_token=lease.refresh_token,
        resource=resource,
    )
    return lease_in(answer, connection.now())

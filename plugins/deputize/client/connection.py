"""One client at one server: what it asks there, and how the answers are read.

Everything here is a `Flow`: somebody else sends it.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx

from .authentication import ByKey, Credential, SigningKey, signed_request
from .discovery import Metadata
from .errors import OAuthError, ProtocolError
from .flow import Ask, Flow, Param

#: Seconds. A refresh whose reply is lost must be repeated within ten, or it is taken for theft.
TIMEOUT = 5

ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105 - a type (RFC 8693 §3)
TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"  # noqa: S105 - a grant type

Answer = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Connection:
    """A client, what it authenticates with, and the server that it asks.

    :param now: tells unix seconds
    :param signs_requests: whether what is asked of a person is signed (CIBA Core §7.1.1)
    """

    metadata: Metadata
    client_id: str
    credential: Credential
    now: Callable[[], float] = time.time
    signs_requests: bool = False

    @property
    def key(self) -> SigningKey | None:
        return self.credential.key if isinstance(self.credential, ByKey) else None

    def post(
        self, endpoint: str, wait: int | None = None, /, **params: Param | None
    ) -> Flow[Answer]:
        """POST a form to an endpoint by its name in the metadata; None leaves a parameter out.

        :param wait: seconds for which the server may hold the answer (:rfc:`7240#section-4.3`)
        :raises OAuthError: when the server refuses
        """
        proof = self.credential.form(self.client_id, self.metadata.issuer, int(self.now()))
        form = {**proof, **{name: value for name, value in params.items() if value is not None}}
        url = self.metadata.get_endpoint(endpoint)
        headers = self.credential.headers(self.client_id)
        headers = headers if wait is None else {**headers, "Prefer": f"wait={wait}"}
        return read_answer((yield Ask("POST", url, form=form, headers=headers, patience=wait or 0)))

    def ask_person(self, **params: str | None) -> Flow[Answer]:
        """Ask at the backchannel authentication endpoint, signed where that was said.

        :raises OAuthError: when the server refuses
        """
        if self.key is not None and self.signs_requests:
            issuer, now = self.metadata.issuer, int(self.now())
            params = {"request": signed_request(self.key, self.client_id, issuer, now, params)}
        return self.post("backchannel_authentication_endpoint", **params)

    def exchange(self, subject_token: str, **params: str | None) -> Flow[Answer]:
        """Ask for a token exchange. :rfc:`8693#section-2.1`.

        :raises OAuthError: when the server refuses
        """
        return self.post(
            "token_endpoint",
            grant_type=TOKEN_EXCHANGE,
            subject_token=subject_token,
            subject_token_type=ACCESS_TOKEN,
            **params,
        )

    def register(self, initial_access_token: str, client: dict[str, Any]) -> Flow[Answer]:
        """Register a client. :rfc:`7591#section-3`.

        :raises OAuthError: when the server refuses
        """
        url = self.metadata.get_endpoint("registration_endpoint")
        headers = {"Authorization": f"Bearer {initial_access_token}"}
        return read_answer((yield Ask("POST", url, json=client, headers=headers)))


def read_answer(response: httpx.Response) -> Answer:
    """Return the JSON object of a good answer; empty for one without a body (RFC 7009 §2.2).

    :raises OAuthError: for a refusal (RFC 6749 §5.2)
    :raises ProtocolError: for what is neither
    """
    if response.is_success and not response.content:
        return {}
    body = _object(response)
    if response.is_success and body is not None:
        return body
    if body and isinstance(body.get("error"), str):
        description = str(body.get("error_description") or "")
        raise OAuthError(body["error"], description, response.status_code, body)
    raise ProtocolError(f"HTTP {response.status_code} that is no OAuth answer")


def _object(response: httpx.Response) -> Answer | None:
    try:
        body = response.json()
    except ValueError:
        return None
    return body if isinstance(body, dict) else None

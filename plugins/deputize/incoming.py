"""A request as the seam sees it: whose is it? Nothing of it is believed yet.

Whose a request is must be decided before any client authentication, and decides nothing
else. Each thing is read once, from the request itself rather than through its proxy.
"""

import json
from functools import cached_property
from typing import Any

from flask import Request
from werkzeug.datastructures import Headers

from .agents.authenticate import ASSERTION_TYPE, basic_credentials, unverified_claims
from .delegation.context import Reading
from .delegation.server import AgentRequest

FORM = "application/x-www-form-urlencoded"


class Incoming:
    """One POST to an OAuth endpoint."""

    def __init__(self, request: Request, max_bytes: int) -> None:
        self.request = request
        self._max_bytes = max_bytes
        self._authorization = request.headers.get("Authorization", "")

    def is_too_large(self, keep: bool) -> bool:
        """Tell whether the body is beyond the bound, having read it if that must be known.

        :param keep: the bytes, because a host's own hooks may read them after us
        """
        length = self.request.content_length
        if length is not None and length > self._max_bytes:
            return True
        if length is None:
            # A chunked body is read one byte beyond the bound: werkzeug cuts it without a word.
            self.request.max_content_length = self._max_bytes + 1
            keep = True
        return keep and len(self.request.get_data(cache=True)) > self._max_bytes

    def json(self) -> Any:
        """Return the JSON body; None for what is none, or beyond the bound."""
        if self.request.mimetype != "application/json" or self.is_too_large(keep=True):
            return None
        try:
            return json.loads(self.request.get_data(cache=True))
        except (ValueError, RecursionError):
            return None

    def for_agents(self, reading: Reading) -> AgentRequest:
        """Return the request as the plugin's own server takes it."""
        request = self.request
        return AgentRequest(
            reading,
            {"Authorization": self._authorization, **_asked_in(request.headers)},
            dict(request.form.lists()),
            bool(request.query_string),
            request.mimetype == FORM,
        )

    @cached_property
    def basic_user(self) -> list[str]:
        """The user of its Basic credentials; none where it has none that can be read."""
        try:
            found = basic_credentials(self._authorization)
        except ValueError:
            return []
        return [found[0]] if found else []

    def named_clients(self) -> set[str]:
        """Return every client id that it mentions."""
        form = self.request.form
        named = {*self.basic_user, *form.getlist("client_id")}
        if form.get("client_assertion_type") == ASSERTION_TYPE:
            named.add(str(unverified_claims(form.get("client_assertion", "")).get("sub")))
        return named


def _asked_in(headers: Headers) -> dict[str, str]:
    return {name: headers.get(name, "") for name in ("Accept", "Prefer")}

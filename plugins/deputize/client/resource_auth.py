"""Lets an httpx client into one API: a hold's token on each request, and what an API may want
beside it.
"""

import asyncio
from collections.abc import AsyncGenerator, Generator
from typing import TYPE_CHECKING

import httpx

from .leases import Want
from .presenting import may_repeat, present
from .step_up import StepUp, Wanted
from .token import Token

if TYPE_CHECKING:
    from .hold import Hold


class ResourceAuth(httpx.Auth):
    """A hold's token for one API on each request; and, once each, a new one if it is refused,
    and one that the person approved if the API wants that.
    """

    def __init__(self, hold: "Hold", want: Want, step_up: StepUp) -> None:
        self._hold = hold
        self._want = want
        self._step_up = step_up

    def sync_auth_flow(
        self, request: httpx.Request
    ) -> Generator[httpx.Request, httpx.Response, None]:
        token = self._token()
        answer = yield present(request, token)
        if may_repeat(request, answer):
            self._hold.drop(token)
            answer = yield present(request, self._token())
        wanted = self._step_up.find_wanted(request, answer)
        if wanted is not None:
            yield present(request, self._approved(wanted))

    async def async_auth_flow(
        self, request: httpx.Request
    ) -> AsyncGenerator[httpx.Request, httpx.Response]:
        # The hold may have to wait for the server: not in the event loop's own thread.
        token = await asyncio.to_thread(self._token)
        answer = yield present(request, token)
        if may_repeat(request, answer):
            self._hold.drop(token)
            answer = yield present(request, await asyncio.to_thread(self._token))
        wanted = self._step_up.find_wanted(request, answer)
        if wanted is not None:
            yield present(request, await asyncio.to_thread(self._approved, wanted))

    def _token(self) -> Token:
        return self._hold._get(self._want)

    def _approved(self, wanted: Wanted) -> Token:
        question = self._hold.put_question(
            wanted.scope,
            self._want.resource,
            message=self._step_up.message,
            authorization_details=self._step_up.details,
            acr_values=wanted.acr_values,
        )
        return question.wait()

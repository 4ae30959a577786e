"""Any decision point that speaks AuthZEN (Authorization API 1.0), asked over HTTP.

A deadline, so many at once, and a stated answer when there is none. What it answers is kept
for as long as its `Cache-Control: max-age` says and no longer; it is asked when no transaction
is open.
"""

import json
import logging
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..core.guarded_http import FetchError, Response, ask
from ..settings import Policy
from .point import Outcome, Verdict
from .question import Question

#: Answers that one process keeps; the oldest go first.
MOST_KEPT = 10_000

#: Policies that an answer may name, and characters of each.
_MOST_NAMED, _LONGEST_NAME = 10, 64

_MAX_AGE = re.compile(r"(?:^|[,\s])max-age=([0-9]{1,9})(?:$|[,;\s])")
_NAME = re.compile(rf"[A-Za-z0-9._:/-]{{1,{_LONGEST_NAME}}}")


class NoAnswer(Exception):  # noqa: N818 - what then is answered, the settings say
    """The decision point said nothing that could be understood in time."""


class AuthZen:
    """Asks the access evaluation endpoint that the settings name."""

    def __init__(self, settings: Policy) -> None:
        self._settings = settings
        self._room = threading.BoundedSemaphore(settings.at_once)
        self._kept: dict[Question, tuple[int, Verdict]] = {}
        self._lock = threading.Lock()

    @property
    def where(self) -> str:
        # A query may hold a secret.
        return f"AuthZEN, {(self._settings.url or '').partition('?')[0]}"

    def find(self, question: Question) -> Verdict | None:
        """Return what was answered before and may still be believed."""
        kept = self._kept.get(question.timeless)
        return kept[1] if kept and question.now < kept[0] else None

    def ask(self, question: Question) -> Verdict:
        """Return the answer, or what the settings say where there is none."""
        try:
            response = self._ask(question)
            verdict = _verdict(response)
        except (FetchError, NoAnswer) as failure:
            return self._without_answer(failure)
        self._keep(question, _max_age(response), verdict)
        return verdict

    def _ask(self, question: Question) -> Response:
        """:raises FetchError:
        :raises NoAnswer: where too many are asking already
        """
        settings, deadline = self._settings, time.monotonic() + self._settings.timeout
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if settings.token is not None:
            headers["Authorization"] = f"Bearer {settings.token.get_secret_value()}"
        body = json.dumps(evaluation_of(question)).encode()
        with self._a_place():
            left = deadline - time.monotonic()
            return ask(
                settings.url or "",
                body,
                headers,
                timeout=left,
                private_hosts=settings.private_hosts,
            )

    @contextmanager
    def _a_place(self) -> Iterator[None]:
        # Waiting for a place is part of the same time.
        if not self._room.acquire(timeout=self._settings.timeout):
            raise NoAnswer("too many questions at once")
        try:
            yield
        finally:
            self._room.release()

    def _without_answer(self, failure: Exception) -> Verdict:
        logging.getLogger(__name__).warning("policy: no answer: %s", failure)
        if self._settings.on_failure == "allow":
            return Verdict(Outcome.ALLOW, ("policy.on_failure",))
        return Verdict(Outcome.UNAVAILABLE, (str(failure),))

    def _keep(self, question: Question, seconds: int, verdict: Verdict) -> None:
        if not seconds:
            return
        with self._lock:
            while len(self._kept) >= MOST_KEPT:
                del self._kept[next(iter(self._kept))]
            self._kept[question.timeless] = (question.now + seconds, verdict)


def evaluation_of(question: Question) -> dict[str, Any]:
    """Return an access evaluation request. Authorization API 1.0 §6.1."""
    details = question.authorization_details
    return {
        "subject": {
            "type": "agent",
            "id": question.agent.client_id,
            "properties": question.agent_members(),
        },
        "action": {"name": question.action},
        "resource": {
            "type": "resource",
            "id": question.resource,
            "properties": {"kind": question.kind},
        },
        "context": question.context() | ({"authorization_details": details} if details else {}),
    }


def _verdict(response: Response) -> Verdict:
    """Read an access evaluation response. Authorization API 1.0 §6.2.

    The reason for a no is in its `context`, as the two sides agree: ours reads `outcome` and
    `policies`.

    :raises NoAnswer: for anything else
    """
    if response.status != 200:
        raise NoAnswer(f"HTTP {response.status}")
    try:
        said = json.loads(response.body)
    except (ValueError, RecursionError):
        raise NoAnswer("not JSON") from None
    if not isinstance(said, dict) or not isinstance(said.get("decision"), bool):
        raise NoAnswer("no decision in it")
    context = said.get("context")
    context = context if isinstance(context, dict) else {}
    if said["decision"]:
        return Verdict(Outcome.ALLOW, _names(context))
    is_step_up = context.get("outcome") == "step_up"
    return Verdict(Outcome.STEP_UP if is_step_up else Outcome.DENY, _names(context))


def _names(context: dict[str, Any]) -> tuple[str, ...]:
    """Return the ids of policies that it names; what is no id stays out of the audit trail."""
    said = context.get("policies")
    named = said if isinstance(said, list) else []
    names = [one for one in named if isinstance(one, str) and _NAME.fullmatch(one)]
    return tuple(names[:_MOST_NAMED]) or ("the decision point",)


def _max_age(response: Response) -> int:
    """Return the seconds for which an answer may be kept. :rfc:`9111#section-5.2.2`."""
    said = response.headers.get("cache-control", "").lower()
    if "no-store" in said or "no-cache" in said:
        return 0
    found = _MAX_AGE.search(said)
    return int(found[1]) if found else 0

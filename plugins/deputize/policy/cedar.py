"""Cedar in process: policies are read once, at start, and answer in place.

They are told what they read, and the same question, its time included where that is read, has the
same answer: some answers are kept, and none is older than what it was given for.

What no policy permits is denied, and any `forbid` wins over every `permit`: Cedar's own rule.
Where all that forbid say `@outcome("step_up")`, the person is asked.
"""

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from cedarpy import is_authorized

from .cedar_files import load_policies
from .cedar_reads import Reads, pick
from .point import Outcome, Verdict
from .question import Question

#: Answers that are kept.
KEPT = 4096

#: All that can be told.
EVERYTHING = Reads(None, None, None)

_NAMED = re.compile(r"policy\d+")


class Cedar:
    """Answers by the policies of a directory.

    :raises ConfigurationError: where one does not parse or type-check
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._policies = load_policies(directory)
        self._answer = lru_cache(maxsize=KEPT)(self._ask_cedar)

    @property
    def where(self) -> str:
        return f"Cedar, {len(self._policies.by_id)} policies of {self._directory}"

    def find(self, question: Question) -> Verdict:
        """Return the answer: it is always at hand."""
        reads = self._policies.reads
        request, entities = request_of(question, reads), entities_of(question, reads)
        return self._answer(json.dumps(request), json.dumps(entities))

    def ask(self, question: Question) -> Verdict:
        return self.find(question)

    def _ask_cedar(self, request: str, entities: str) -> Verdict:
        result = is_authorized(json.loads(request), self._policies.parsed, entities)
        by_id, diagnostics = self._policies.by_id, result.diagnostics
        if diagnostics.errors:
            # Cedar leaves out a policy that fails: a forbid among them would be as good as none.
            failed = _NAMED.findall(" ".join(diagnostics.errors))
            names = [by_id[policy].name for policy in failed if policy in by_id]
            return Verdict(Outcome.DENY, tuple(f"{name} (failed)" for name in names or ["Cedar"]))
        determining = sorted(diagnostics.reasons, key=list(by_id).index)
        policies = [by_id[policy] for policy in determining]
        names_of = tuple(policy.name for policy in policies)
        if result.allowed:
            return Verdict(Outcome.ALLOW, names_of)
        can_ask = policies and all(one.outcome is Outcome.STEP_UP for one in policies)
        return Verdict(Outcome.STEP_UP if can_ask else Outcome.DENY, names_of)


def request_of(question: Question, reads: Reads = EVERYTHING) -> dict[str, Any]:
    """Return the question as Cedar takes it, as far as it is read."""
    return {
        "principal": {"type": "Agent", "id": question.agent.client_id},
        "action": {"type": "Action", "id": question.action},
        "resource": {"type": "Resource", "id": question.resource},
        "context": pick(question.context(), reads.context),
    }


def entities_of(question: Question, reads: Reads = EVERYTHING) -> list[dict[str, Any]]:
    """Return who and what the question is about, as far as it is read."""
    agent, resource = question.agent_members(), {"kind": question.kind}
    return [
        _entity("Agent", question.agent.client_id, pick(agent, reads.principal)),
        _entity("Resource", question.resource, pick(resource, reads.resource)),
    ]


def _entity(kind: str, name: str, attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {"uid": {"type": kind, "id": name}, "attrs": attributes, "parents": []}

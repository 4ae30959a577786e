"""Cedar in process: policies are read once, at start, and answer in place.

What no policy permits is denied, and any `forbid` wins over every `permit`: Cedar's own rule.
Where all that forbid say `@outcome("step_up")`, the person is asked.
"""

import re
from pathlib import Path
from typing import Any

from cedarpy import is_authorized

from .cedar_files import load_policies
from .point import Outcome, Verdict
from .question import Question

_NAMED = re.compile(r"policy\d+")


class Cedar:
    """Answers by the policies of a directory.

    :raises ConfigurationError: where one does not parse or type-check
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._policies = load_policies(directory)

    @property
    def where(self) -> str:
        return f"Cedar, {len(self._policies.by_id)} policies of {self._directory}"

    def find(self, question: Question) -> Verdict:
        """Return the answer: it is always at hand."""
        result = is_authorized(request_of(question), self._policies.parsed, entities_of(question))
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

    def ask(self, question: Question) -> Verdict:
        return self.find(question)


def request_of(question: Question) -> dict[str, Any]:
    """Return the question as Cedar takes it."""
    return {
        "principal": _agent(question),
        "action": {"type": "Action", "id": question.action},
        "resource": _resource(question),
        "context": question.context(),
    }


def entities_of(question: Question) -> list[dict[str, Any]]:
    """Return who and what the question is about."""
    return [
        {"uid": _agent(question), "attrs": question.agent_members(), "parents": []},
        {"uid": _resource(question), "attrs": {"kind": question.kind}, "parents": []},
    ]


def _agent(question: Question) -> dict[str, str]:
    return {"type": "Agent", "id": question.agent.client_id}


def _resource(question: Question) -> dict[str, str]:
    return {"type": "Resource", "id": question.resource}

"""What every step of the story is made of: an agent does something, an API says what it made
of it, the audit trail says by which rule.
"""

from typing import Any

from .cast import Cast
from .telling import BAD, GOOD, Held, NotAsToldError, Telling
from .trail import Trail


class Stage:
    """Everyone who takes part, and the tokens by their names in the story."""

    def __init__(self, cast: Cast, telling: Telling, trail: Trail) -> None:
        self.cast = cast
        self.telling = telling
        self.trail = trail
        self.held: dict[str, Held] = {}

    def done(
        self, agent: str, do: str, timeout: float | None = 30, **request: Any
    ) -> dict[str, Any]:
        """Let an agent do something that must work."""
        answer = self.cast.agents[agent].ask(do, timeout, **request)
        wrong = answer.get("refused") or answer.get("failed")
        if wrong:
            raise NotAsToldError(f"{agent}: {do}: {wrong}")
        return answer

    def token(
        self, name: str, agent: str, do: str, timeout: float | None = 30, **request: Any
    ) -> Held:
        """Let an agent get a token, and keep it under its name in the story."""
        answer = self.done(agent, do, timeout, **request)
        self.held[name] = Held(name, answer["token"], answer["claims"])
        return self.held[name]

    def refused(self, agent: str, name: str, rule: str, do: str, **request: Any) -> None:
        """Let an agent try what must be refused, by the rule that the audit trail names."""
        answer = self.cast.agents[agent].ask(do, **request)
        rules = self.trail.new_rules(self.cast.client_ids.get(agent, agent))
        said = answer.get("refused") or answer.get("failed") or "it was not refused"
        if "refused" not in answer or rules != [rule]:
            raise NotAsToldError(f"{agent} tried to {do} {name}: {said}; audit trail: {rules}")
        self.telling.outcome(BAD, f"{agent} tries to {do} {name}")
        self.telling.line(f"  the server: {said}")
        self.telling.line(f"  audit trail: {rule}")

    def refused_for_good(self, agent: str, name: str, rule: str, do: str, **request: Any) -> None:
        """Do the same once it is over: the token is good for nothing any more."""
        self.refused(agent, name, rule, do, **request)
        self.held[name].is_refused = True

    def taken_in_vain(self, agent: str, name: str, rule: str) -> None:
        """Do it with a hand-over, by the agent that it is for."""
        token = self.held[name].value
        self.refused_for_good(agent, name, rule, "take", token=token, keep="again")

    def call(
        self,
        agent: str,
        api: str,
        path: str,
        name: str,
        status: int,
        body: dict[str, Any] | None = None,
    ) -> None:
        """Let an agent call an API, and let the API say what it made of it.

        :param body: what is posted; without it the API is only read
        """
        where = self.cast.apis[api]
        asked: dict[str, Any] = {
            "url": f"{where.url}{path}",
            "method": "POST" if body else "GET",
            "body": body,
        }
        answer = self.done(agent, "call", token=self.held[name].value, **asked)
        line = where.process.hear()["line"]
        mark = GOOD if answer["status"] == 200 else BAD
        self.telling.outcome(mark, f"{agent} shows {name} → {answer['status']}")
        self.telling.line(f"  {api}.example: {line}")
        if answer["status"] != status:
            raise NotAsToldError(f"{agent} calls {api} with {name}: {answer}, not {status}")

    def in_vain(self, agent: str, url: str, card: str) -> None:
        """Let an agent press the person's own button, which must change nothing."""
        status = self.done(agent, "press_yes", of="hold", url=url)["status"]
        if self.trail.is_decided(card):
            raise NotAsToldError(f"{agent} has decided for itself: {status}")
        self.telling.outcome(BAD, f"{agent} presses yes for itself → {status}, nothing is decided")

    def expect_scope(self, hold: Held, scope: str) -> None:
        """End the story where Ana granted less than it needs, as she may."""
        missing = set(scope.split()) - set(hold.claims["scope"].split())
        if missing:
            raise NotAsToldError(
                f"the story needs what was not granted: {' '.join(sorted(missing))}"
            )

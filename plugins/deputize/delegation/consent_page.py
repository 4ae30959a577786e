"""What the consent page shows, and the digest of it that its form carries."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from flask import Response, request, url_for
from markupsafe import Markup, escape

from ..agents.adopt import WITHHELD, is_unconfirmed
from ..agents.models import SPAWNED, Agent, find_agents
from ..agents.register import SELF
from ..core.db import Transaction
from ..core.values import Words, canonical_json
from ..host import Person
from ..web.pages import (
    AgentFace,
    ConsentPage,
    PassOnChoice,
    ScopeChoice,
    UntilChoice,
)
from ..web.shell import render
from ..web.words import at_most, day, destination_of, time_tag, utc
from .authorize import (
    AuthorizationRequest,
)
from .context import Context
from .details import scopes_of, write_details
from .wording import say_scope, where_of

_DURATIONS = (15 * 60, 3600, 8 * 3600, 86400, 7 * 86400, 30 * 86400)


def durations_within(longest: int) -> list[int]:
    """Return for how many seconds a person can let an agent act, as they are offered it."""
    return [seconds for seconds in _DURATIONS if seconds <= longest] or [longest]


@dataclass(frozen=True, slots=True)
class Form:
    """What the person pressed."""

    decision: str
    scope: Words
    pass_on: Words
    until: int
    shown: str


def read_form() -> Form | None:
    """Return the posted decision; None where the request is not one."""
    if request.method != "POST" or "decision" not in request.form:
        return None
    until = request.form.get("until", "")
    return Form(
        decision=request.form["decision"],
        scope=frozenset(request.form.getlist("scope")),
        pass_on=frozenset(request.form.getlist("pass_on")),
        until=int(until) if until.isascii() and until.isdigit() and len(until) < 12 else 0,
        shown=request.form.get("shown", ""),
    )


class ConsentView:
    """What the page shows, and the digest of it."""

    def __init__(
        self, context: Context, tx: Transaction, asked: AuthorizationRequest, url: str
    ) -> None:
        self.context = context
        self.url = url
        self.asked = asked
        self.now = tx.now
        self.catalogue = context.moment(tx).catalogue
        self.unconfirmed = is_unconfirmed(asked.agent)
        self.scope = asked.scope - (WITHHELD if self.unconfirmed else frozenset())
        types = self.catalogue.types
        undetailed = self.catalogue.bound - scopes_of(asked.details, types)
        self.each_time = self.catalogue.sensitive | undetailed
        self.tickable = self.scope - self.each_time
        self.pass_on = frozenset() if self.unconfirmed else asked.agent.delegates_to
        named = find_agents(tx, self.pass_on - {SPAWNED})
        self.named = {name: known for name, known in named.items() if known.is_live(tx.now)}
        self.longest = min(
            context.settings.delegation.max_duration, asked.agent.expires_at - tx.now
        )

    def page(self, someone: Person, problem: str = "", kept: Form | None = None) -> Response:
        """Return the page; where it is shown again, with `problem` and the choices kept."""
        agent, now = self.asked.agent, self._clock()
        registered = utc(agent.created_at)
        page = ConsentPage(
            person=someone.name,
            agents_url=url_for("deputize_agents.agents"),
            agent=AgentFace(agent.client_id, agent.name),
            owner=self._name_of(agent.owner),
            sponsor=self._name_of(agent.sponsor),
            registered=time_tag(day(registered, now), registered, now),
            purpose=agent.purpose,
            warnings=_warnings(agent),
            problem=problem,
            scopes=tuple(self._choice(n, kept) for n in sorted(self.scope, key=self._rank)),
            pass_on=tuple(self._passing(name, kept) for name in self._offered()),
            until=self._durations(now, kept),
            returns_to=destination_of(self.asked.redirect_uri),
            action=self.url,
            hidden={"shown": self.digest(someone)},
        )
        status = 400 if problem else 200
        return render("consent.html", page, status=status, redirect_uri=self.asked.redirect_uri)

    def digest(self, someone: Person) -> str:
        """Return the digest of everything that a decision on this page is about."""
        agent = self.asked.agent
        shown = {
            "person": someone.key,
            "agent": [agent.client_id, agent.revision],
            "scope": [self._about(name) for name in sorted(self.scope)],
            "details": write_details(self.asked.details),
            "resources": sorted(self.asked.resources),
            "pass_on": [[name, self.named[name].revision] for name in sorted(self.named)],
            "redirect_uri": self.asked.redirect_uri,
            "code_challenge": self.asked.code_challenge,
        }
        return hashlib.sha256(canonical_json(shown)).hexdigest()

    def _about(self, name: str) -> list[object]:
        known = self.catalogue.scopes.get(name)
        where, each_time = known.resource if known else "", name in self.each_time
        return [name, self._what(name), where, each_time]

    def _clock(self) -> datetime:
        return utc(self.now)

    def _name_of(self, key: str | None) -> str:
        found = self.context.host.find_person(key) if key else None
        return found.name if found else ""

    def _rank(self, name: str) -> tuple[bool, bool, str]:
        # What is done elsewhere first, what is asked for each time last.
        return name in self.each_time, name not in self.catalogue.scopes, name

    def _choice(self, name: str, kept: Form | None) -> ScopeChoice:
        where = where_of(name, self.catalogue)
        ticked = kept is None or name in kept.scope
        return ScopeChoice(name, self._what(name), where, name in self.each_time, ticked)

    def _what(self, name: str) -> Markup:
        """Return what a scope lets it do: what its details mean, where it has any."""
        said = say_scope(name, self.asked.details, self.catalogue.types)
        return said if said and name in self.tickable else escape(self.catalogue.describe(name))

    def _offered(self) -> list[str]:
        return [*sorted(self.named), *({SPAWNED} & self.pass_on)]

    def _passing(self, name: str, kept: Form | None) -> PassOnChoice:
        ticked = kept is None or name in kept.pass_on
        if name == SPAWNED:
            return PassOnChoice(SPAWNED, "Helpers that it starts", ticked=ticked)
        owner = self._name_of(self.named[name].owner)
        note = f"run by {owner}" if owner else ""
        return PassOnChoice(name, self.named[name].name, note, ticked)

    def _durations(self, now: datetime, kept: Form | None) -> tuple[UntilChoice, ...]:
        offered = durations_within(self.longest)
        usual = self.context.settings.delegation.default_duration
        default = kept.until if kept else usual
        chosen = max((s for s in offered if s <= default), default=offered[0])
        return tuple(UntilChoice(s, at_most(s, now), s == chosen) for s in offered)


def _warnings(agent: Agent) -> tuple[str, ...]:
    if is_unconfirmed(agent):
        return (
            "This agent registered itself, and nobody here has looked at it.",
            "If you let it act, you answer for it. It acts for you alone.",
        )
    if agent.origin == SELF:
        return ("This agent registered itself. An administrator let it in; look twice.",)
    return ()

"""The consent page: may this agent act for me? The person may grant less.

Its form posts back to the authorization request itself, which is read and checked anew,
with a digest of what was shown: a decision about anything else is not one.
"""

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from urllib.parse import urlencode

from flask import Response, request, url_for
from sqlalchemy import select, update

from ..agents.models import SPAWNED, Agent, find_agents
from ..audit.record import Event, record
from ..core.db import Kind, Lock, Transaction, insert_unless_present
from ..core.secrets import new_id
from ..core.values import Words, canonical_json, line
from ..host import Authentication, Person
from ..oauth.errors import OAuth2Error
from ..web.pages import (
    AgentFace,
    ConsentPage,
    MessagePage,
    PassOnChoice,
    ScopeChoice,
    State,
    UntilChoice,
)
from ..web.shell import is_own_form, render, see_other
from ..web.words import at_most, day, destination_of, host_of, time_tag
from .authorize import (
    AuthorizationRequest,
    CannotRedirect,
    RedirectedError,
    error_location,
    read_authorization_request,
    response_location,
)
from .code import Consent, store_code
from .context import Context
from .models import ACTIVE, LEFT, person

_DURATIONS = (15 * 60, 3600, 8 * 3600, 86400, 7 * 86400, 30 * 86400)


@dataclass(frozen=True, slots=True)
class Form:
    """What the person pressed."""

    decision: str
    scope: Words
    pass_on: Words
    until: int
    shown: str


def authorize(context: Context, parameters: Mapping[str, list[str]], form: Form | None) -> Response:
    """Answer an agent's authorization request, or the decision that its page posted.

    :param form: None for the request itself
    """
    url = f"{request.root_path}{request.path}?{urlencode(parameters, doseq=True)}"
    try:
        with context.db.read() as tx:
            asked = read_authorization_request(context, tx, parameters)
            view = _ConsentView(context, tx, asked, url)
    except CannotRedirect as refusal:
        return _refused(refusal.text)
    except RedirectedError as error:
        return see_other(error.location)
    someone = context.host.current_person()
    if someone is None:
        return _sign_in_first(context, asked, url)
    if "none" in asked.prompt:
        # Consent is never skipped, so without a page there is no answer but this one.
        return _to_client(context, asked, OAuth2Error(error="consent_required"))
    if form is None:
        return view.page(someone)
    return _decide(context, asked, view, someone, form)


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


def _sign_in_first(context: Context, asked: AuthorizationRequest, url: str) -> Response:
    if "none" in asked.prompt:
        return _to_client(context, asked, OAuth2Error(error="login_required"))
    return see_other(context.host.sign_in_url(url))


def _to_client(context: Context, asked: AuthorizationRequest, error: OAuth2Error) -> Response:
    return see_other(error_location(context.issuer, asked.redirect_uri, asked.state, error))


def _refused(text: str) -> Response:
    page = MessagePage(
        title="This request can't be used",
        state=State.REFUSED,
        sentences=(text, "Nothing was granted.", "Go back to the agent and start again there."),
    )
    return render("message.html", page, status=400)


def _decide(
    context: Context,
    asked: AuthorizationRequest,
    view: "_ConsentView",
    someone: Person,
    form: Form,
) -> Response:
    if not is_own_form():
        # Nothing of such a form is kept: somebody else's page may have filled it in.
        return view.page(someone, "Your session changed while you were reading. Please look again.")
    if form.decision != "allow":
        return _to_client(context, asked, OAuth2Error(error="access_denied"))
    if not hmac.compare_digest(form.shown.encode(), view.digest(someone).encode()):
        return view.page(someone, "This changed while you were reading. Please look again.", form)
    scope = form.scope & view.tickable
    if not scope:
        return view.page(someone, "Tick at least one line, or press Not now.", form)
    if not 0 < form.until <= view.longest:
        return view.page(someone, "Choose until when.", form)
    consent = _consent(context, asked, view, someone, form)
    code = _store(context, someone, consent)
    location = response_location(context.issuer, asked.redirect_uri, asked.state, {"code": code})
    return see_other(location)


def _consent(
    context: Context,
    asked: AuthorizationRequest,
    view: "_ConsentView",
    someone: Person,
    form: Form,
) -> Consent:
    authentication = context.host.authentication() or Authentication()
    return Consent(
        client_id=asked.agent.client_id,
        person_id=someone.key,
        redirect_uri=asked.named_redirect_uri,
        code_challenge=asked.code_challenge,
        scope=form.scope & view.tickable,
        resources=asked.resources,
        pass_on=form.pass_on & asked.agent.delegates_to,
        purpose=asked.agent.purpose,
        granted_until=view.now + form.until,
        auth_time=authentication.auth_time,
        acr=authentication.acr,
        amr=authentication.amr,
    )


def _store(context: Context, someone: Person, consent: Consent) -> str:
    """Store the consent under a code, and the person at the first one."""
    with context.db.read() as tx:
        known = _find_person_id(tx, someone.key)
    locks = [Lock(Kind.AGENT, consent.client_id)]
    locks += [Lock(Kind.PERSON, known)] if known else []
    with context.db.write(locks) as tx:
        person_id = _ensure_person(tx, someone.key)
        own = replace(consent, person_id=person_id)
        code = store_code(tx, own, context.settings.tokens.code_lifetime)
        facts = {
            "scope": line(own.scope),
            "resources": sorted(own.resources),
            "pass_on": sorted(own.pass_on),
            "until": own.granted_until,
        }
        record(tx, Event("consent.granted", person_id, own.client_id, facts=facts))
    return code


def _find_person_id(tx: Transaction, host_key: str) -> str | None:
    found = tx.execute(select(person.c.id).where(person.c.host_key == host_key)).scalar()
    return str(found) if found else None


def _ensure_person(tx: Transaction, host_key: str) -> str:
    row = {"id": new_id(), "host_key": host_key, "status": ACTIVE, "salt": secrets.token_bytes(16)}
    insert_unless_present(tx, person, row)
    # Somebody who left and whom the host signs in again starts anew: what ended stays ended.
    gone = (person.c.host_key == host_key) & (person.c.status == LEFT)
    tx.execute(update(person).where(gone).values(status=ACTIVE, left_at=None))
    return str(_find_person_id(tx, host_key))


class _ConsentView:
    """What the page shows, and the digest of it."""

    def __init__(
        self, context: Context, tx: Transaction, asked: AuthorizationRequest, url: str
    ) -> None:
        self.context = context
        self.url = url
        self.asked = asked
        self.now = tx.now
        self.catalogue = context.moment(tx).catalogue
        self.tickable = asked.scope - self.catalogue.sensitive
        named = find_agents(tx, asked.agent.delegates_to - {SPAWNED})
        self.named = {name: known for name, known in named.items() if known.is_live(tx.now)}
        self.longest = min(
            context.settings.delegation.max_duration, asked.agent.expires_at - tx.now
        )

    def page(self, someone: Person, problem: str = "", kept: Form | None = None) -> Response:
        """Return the page; where it is shown again, with `problem` and the choices kept."""
        agent, now = self.asked.agent, self._clock()
        registered = datetime.fromtimestamp(agent.created_at, UTC)
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
            scopes=tuple(self._choice(n, kept) for n in sorted(self.asked.scope, key=self._rank)),
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
            "scope": [[name, self.catalogue.describe(name)] for name in sorted(self.asked.scope)],
            "resources": sorted(self.asked.resources),
            "pass_on": [[name, self.named[name].revision] for name in sorted(self.named)],
            "redirect_uri": self.asked.redirect_uri,
            "code_challenge": self.asked.code_challenge,
        }
        return hashlib.sha256(canonical_json(shown)).hexdigest()

    def _clock(self) -> datetime:
        return datetime.fromtimestamp(self.now, UTC)

    def _name_of(self, key: str | None) -> str:
        found = self.context.host.find_person(key) if key else None
        return found.name if found else ""

    def _rank(self, name: str) -> tuple[bool, bool, str]:
        # What is done elsewhere first, what is asked for each time last.
        return name in self.catalogue.sensitive, name not in self.catalogue.scopes, name

    def _choice(self, name: str, kept: Form | None) -> ScopeChoice:
        known = self.catalogue.scopes.get(name)
        where = host_of(known.resource) if known else ""
        sensitive = name in self.catalogue.sensitive
        ticked = kept is None or name in kept.scope
        return ScopeChoice(name, self.catalogue.describe(name), where, sensitive, ticked)

    def _offered(self) -> list[str]:
        return [*sorted(self.named), *({SPAWNED} & self.asked.agent.delegates_to)]

    def _passing(self, name: str, kept: Form | None) -> PassOnChoice:
        ticked = kept is None or name in kept.pass_on
        if name == SPAWNED:
            return PassOnChoice(SPAWNED, "Helpers that it starts", ticked=ticked)
        owner = self._name_of(self.named[name].owner)
        note = f"run by {owner}" if owner else ""
        return PassOnChoice(name, self.named[name].name, note, ticked)

    def _durations(self, now: datetime, kept: Form | None) -> tuple[UntilChoice, ...]:
        offered = [s for s in _DURATIONS if s <= self.longest] or [self.longest]
        usual = self.context.settings.delegation.default_duration
        default = kept.until if kept else usual
        chosen = max((s for s in offered if s <= default), default=offered[0])
        return tuple(UntilChoice(s, at_most(s, now), s == chosen) for s in offered)


def _warnings(agent: Agent) -> tuple[str, ...]:
    if agent.origin == "self":
        return ("This agent registered itself. An administrator let it in; look twice.",)
    return ()

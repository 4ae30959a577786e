"""The consent page: may this agent act for me? The person may grant less.

Its form posts back to the authorization request itself, which is read and checked anew,
with a digest of what was shown: a decision about anything else is not one.
"""

import hmac
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlencode

from flask import Response, request

from ..agents.adopt import adopt, may_act_for
from ..agents.lifecycle import Status
from ..audit.record import Event, record
from ..core.db import Kind, Lock
from ..core.values import line
from ..host import Authentication, Person
from ..oauth.errors import OAuth2Error
from ..web.pages import (
    MessagePage,
    State,
)
from ..web.shell import is_own_form, render, see_other
from .authorize import (
    AuthorizationRequest,
    CannotRedirect,
    RedirectedError,
    error_location,
    response_location,
)
from .code import Consent, store_code
from .consent_page import ConsentView, Form
from .context import Context
from .details import of_scope, write_details
from .issue import Overtaken
from .persons import ensure_person, find_person_id
from .push_request import give_up_pushed, read_request, take_pushed, use_pushed
from .sign_in import MARK, find_mark, must_sign_in, with_mark


def authorize(context: Context, parameters: Mapping[str, list[str]], form: Form | None) -> Response:
    """Answer an agent's authorization request, or the decision that its page posted.

    :param form: None for the request itself
    """
    url = _here({name: given for name, given in parameters.items() if name != MARK})
    someone = context.host.current_person()
    try:
        with context.db.read() as tx:
            sent_at = find_mark(parameters, url, tx.now)
            asked = read_request(context, tx, parameters, someone.key if someone else None, sent_at)
            view = ConsentView(context, tx, asked, _here(parameters))
    except CannotRedirect as refusal:
        return _refused(refusal.text)
    except RedirectedError as error:
        return see_other(error.location)
    if someone is None or must_sign_in(context, asked, view.now, sent_at):
        return _sign_in_first(context, asked, url, view.now, sent_at if someone else None)
    if not may_act_for(asked.agent, someone.key):
        return _refused("This agent acts for somebody else, and for nobody but them.")
    if not take_pushed(context.db, asked, someone.key):
        return _refused("Somebody else opened this link before, or it was used.")
    if "none" in asked.prompt:
        # Consent is never skipped, so without a page there is no answer but this one.
        return _to_client(context, asked, OAuth2Error(error="consent_required"))
    if form is None:
        return view.page(someone)
    return _decide(context, asked, view, someone, form)


def _here(parameters: Mapping[str, list[str]]) -> str:
    return f"{request.root_path}{request.path}?{urlencode(parameters, doseq=True)}"


def _sign_in_first(
    context: Context, asked: AuthorizationRequest, url: str, now: int, sent_at: int | None
) -> Response:
    """Send the person to the host's sign-in page; once, where they are signed in already."""
    if "none" in asked.prompt:
        return _to_client(context, asked, OAuth2Error(error="login_required"))
    if sent_at is not None:
        return _to_client(context, asked, OAuth2Error(error="unmet_authentication_requirements"))
    return see_other(context.host.sign_in_url(with_mark(url, now)))


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
    view: ConsentView,
    someone: Person,
    form: Form,
) -> Response:
    if not is_own_form():
        # Nothing of such a form is kept: somebody else's page may have filled it in.
        return view.page(someone, "Your session changed while you were reading. Please look again.")
    if form.decision != "allow":
        # A no uses a pushed request up as a yes does. After a yes, the client is told no no.
        if not give_up_pushed(context.db, asked):
            return view.page(someone, "You answered this in another window.", form)
        return _to_client(context, asked, OAuth2Error(error="access_denied"))
    if not hmac.compare_digest(form.shown.encode(), view.digest(someone).encode()):
        return view.page(someone, "This changed while you were reading. Please look again.", form)
    scope = form.scope & view.tickable
    if not scope:
        return view.page(someone, "Tick at least one line, or press Not now.", form)
    if not 0 < form.until <= view.longest:
        return view.page(someone, "Choose until when.", form)
    consent = _consent(context, asked, view, someone, form)
    try:
        code = _store(context, someone, consent, asked)
    except Overtaken:
        return view.page(someone, "This changed while you were reading. Please look again.", form)
    location = response_location(context.issuer, asked.redirect_uri, asked.state, {"code": code})
    return see_other(location)


def _consent(
    context: Context,
    asked: AuthorizationRequest,
    view: ConsentView,
    someone: Person,
    form: Form,
) -> Consent:
    authentication = context.host.authentication() or Authentication()
    scope = form.scope & view.tickable
    return Consent(
        client_id=asked.agent.client_id,
        person_id=someone.key,
        redirect_uri=asked.named_redirect_uri,
        code_challenge=asked.code_challenge,
        scope=scope,
        details=write_details(of_scope(asked.details, scope, view.catalogue.types)),
        resources=asked.resources,
        pass_on=form.pass_on & view.pass_on,
        purpose=asked.agent.purpose,
        granted_until=view.now + form.until,
        auth_time=authentication.auth_time,
        acr=authentication.acr,
        amr=authentication.amr,
    )


def _store(context: Context, someone: Person, consent: Consent, asked: AuthorizationRequest) -> str:
    """Store the consent under a code, and the person at the first one.

    :raises Overtaken: where the agent waits to be adopted, and somebody else was first, or
        a pushed request was decided in another window
    """
    agent = asked.agent
    waits = agent.status == Status.PENDING
    with context.db.read() as tx:
        known = find_person_id(tx, someone.key)
    locks = [Lock(Kind.AGENT, consent.client_id, exclusive=waits)]
    locks += [Lock(Kind.PERSON, known)] if known else []
    with context.db.write(locks) as tx:
        person_id = ensure_person(tx, someone.key)
        own = replace(consent, person_id=person_id)
        if waits and not adopt(tx, agent, someone.key, own.scope, own.resources):
            raise Overtaken
        if not use_pushed(tx, asked):
            raise Overtaken
        code = store_code(tx, own, context.settings.tokens.code_lifetime)
        facts = {
            "scope": line(own.scope),
            "resources": sorted(own.resources),
            "pass_on": sorted(own.pass_on),
            "until": own.granted_until,
        }
        agreed = Event(
            "consent.granted", person_id, own.client_id, chain=(own.client_id,), facts=facts
        )
        record(tx, agreed)
    return code

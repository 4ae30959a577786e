"""The authorization endpoint (:rfc:`6749#section-3.1`): is the request sound, is the person
signed in, and freshly enough, do they consent; then the code.
"""

from typing import Any
from urllib.parse import urlencode

from authlib.oauth2.rfc6749 import OAuth2Error
from authlib.oidc.core.errors import ConsentRequiredError, LoginRequiredError
from flask import Blueprint, Response, g, redirect, request, session, url_for
from werkzeug.wrappers import Response as AnyResponse

from .clock import now
from .consent import ask_consent, has_consented, remember_consent
from .errors import oauth_error
from .id_token_hint import read_hint
from .oauth import server
from .oidc import prompts
from .parameters import query_parameters
from .people import Person
from .sessions import BrowserSession
from .sign_in import current_person, current_session, is_signed_in_for, sign_in_url

blueprint = Blueprint("authorize", __name__)


@blueprint.errorhandler(OAuth2Error)
def refuse(error: OAuth2Error) -> Response:
    """Back to the client where its redirect URI is known, else to the person (section 4.1.2.1)."""
    return server.refuse(error) if error.redirect_uri else oauth_error(error)


@blueprint.get("/oauth/authorize")
def authorize() -> AnyResponse:
    """The first visit, and the one after sign-in."""
    grant = _checked_grant()
    quiet = "none" in prompts(g.parameters)
    if must_sign_in(current_session()):
        # Whoever was asked to sign in, and came back as another than `id_token_hint` names
        # (OpenID Connect Core, section 3.1.2.1), would be asked for ever.
        if quiet or is_signed_in_for(_this_request()):
            raise _for_client(LoginRequiredError, grant)
        return redirect(sign_in_url(_this_request()), 303)
    if must_consent(grant):
        if quiet:
            raise _for_client(ConsentRequiredError, grant)
        return ask_consent(grant.client, grant.request.scope, grant.redirect_uri)
    return answer(grant, consented=True)


@blueprint.post("/oauth/authorize")
def authorize_by_form() -> AnyResponse:
    """OpenID Connect Core, section 3.1.2.1 asks for POST too. A cross-site POST comes without
    the cookie (SameSite), so the same request is made again as a GET."""
    parameters = urlencode(list(request.form.items(multi=True)))
    return redirect(f"{url_for('authorize.authorize')}?{parameters}", 303)


@blueprint.post("/consent")
def decide() -> AnyResponse:
    """The person's answer; the request is in the URL, and everything is looked at again."""
    grant = _checked_grant()
    if must_sign_in(current_session()):
        return redirect(sign_in_url(_this_request()), 303)
    consented = request.form.get("decision") == "allow"
    if consented:
        remember_consent(grant.request.user, grant.client, grant.request.scope)
    return answer(grant, consented=consented)


def must_sign_in(signed_in: BrowserSession | None) -> bool:
    """Whether the person has to sign in for this request (`id_token_hint`, `prompt`, `max_age`)."""
    if signed_in is None or is_another_person(signed_in):
        return True
    if is_signed_in_for(_this_request()):
        return False
    max_age = g.parameters.get("max_age")
    is_old = max_age is not None and now() - signed_in.auth_time > int(max_age)
    return is_old or not prompts(g.parameters).isdisjoint({"login", "select_account"})


def is_another_person(signed_in: BrowserSession) -> bool:
    """Whether `id_token_hint` names somebody else than who is signed in."""
    token = g.parameters.get("id_token_hint")
    return token is not None and read_hint(token).person_id != signed_in.person_id


def must_consent(grant: Any) -> bool:
    """Whether the person has to be asked.

    A client that anybody on the person's device could pretend to be is never answered
    without them (:rfc:`8252#section-8.6`).
    """
    if "consent" in prompts(g.parameters):
        return True
    if grant.client.is_public and not grant.redirect_uri.startswith("https:"):
        return True
    return not has_consented(grant.request.user, grant.client, grant.request.scope)


def answer(grant: Any, *, consented: bool) -> Response:
    """The authorization response: a code, or `access_denied`."""
    grant.request.session = current_session()
    person: Person | None = grant.request.user if consented else None
    session.pop("signed_in_for", None)
    response: Response = server.create_authorization_response(grant.request, person, grant)
    return response


def _checked_grant() -> Any:
    g.parameters = query_parameters(request)
    return server.get_consent_grant(end_user=current_person())


def _this_request() -> str:
    return f"{url_for('authorize.authorize')}?{request.query_string.decode()}"


def _for_client(error: type[OAuth2Error], grant: Any) -> OAuth2Error:
    state = grant.request.payload.state
    return error(redirect_uri=grant.redirect_uri, state=state)

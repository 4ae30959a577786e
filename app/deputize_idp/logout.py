"""Sign-out that a client asks for: OpenID Connect RP-Initiated Logout 1.0.

Nobody is signed out unasked, but by an ID token of this very sign-in; and nobody is sent
anywhere but to a URI that the client registered, character for character.
"""

from dataclasses import dataclass
from urllib.parse import urlencode

from authlib.common.urls import add_params_to_uri
from authlib.oauth2.rfc6749 import InvalidRequestError
from flask import Blueprint, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from .clients import Client, find_client
from .headers import allow_form_redirect
from .id_token_hint import Hint, read_hint
from .parameters import Parameters, query_parameters
from .sessions import BrowserSession
from .sign_in import current_person, current_session, end_current_session

blueprint = Blueprint("logout", __name__)


@dataclass(frozen=True)
class LogoutRequest:
    """A request that was checked.

    :param target: where to go afterwards, with `state`; one of the client's own
    """

    hint: Hint | None
    client: Client | None
    target: str | None

    def is_of(self, session: BrowserSession) -> bool:
        """Whether it proves to come from a client that this very sign-in was told to."""
        return self.hint is not None and (
            (self.hint.person_id, self.hint.auth_time) == (session.person_id, session.auth_time)
        )


@blueprint.get("/end-session")
def end_session() -> Response:
    """The endpoint (section 2): sign out at once, or ask.

    Section 2: "the OP MUST ask the End-User this question if an id_token_hint was not provided
    or if the supplied ID Token does not belong to the current OP session".
    """
    asked = _checked_request()
    session = current_session()
    if session is None or asked.is_of(session):
        return _signed_out(asked, is_meant=asked.hint is not None)
    allow_form_redirect(asked.target)
    action = f"{url_for('logout.confirm')}?{request.query_string.decode()}"
    person = current_person()
    page = render_template(
        "idp/end_session.html", person=person, client=asked.client, action=action
    )
    return make_response(page)


@blueprint.post("/end-session")
def ask_by_form() -> Response:
    """Section 2 asks for POST too. A cross-site POST comes without the cookie (SameSite), so
    the same request is made again as a GET."""
    parameters = urlencode(list(request.form.items(multi=True)))
    return redirect(f"{url_for('logout.end_session')}?{parameters}", 303)


@blueprint.post("/end-session/confirm")
def confirm() -> Response:
    """The person's yes; the request is in the URL, and everything is looked at again."""
    return _signed_out(_checked_request(), is_meant=True)


def _checked_request() -> LogoutRequest:
    """:raises InvalidRequestError: to the person, never by a redirect (section 4)."""
    parameters = query_parameters(request)
    token = parameters.get("id_token_hint")
    hint = read_hint(token) if token else None
    client = _client(parameters, hint)
    return LogoutRequest(hint, client, _target(parameters, client))


def _client(parameters: Parameters, hint: Hint | None) -> Client | None:
    """ "The OP MUST verify that the Client Identifier matches the one used when issuing the ID
    Token" (section 2)."""
    client_id = parameters.get("client_id")
    if hint and client_id not in (None, hint.client_id):
        raise InvalidRequestError("client_id is not the one that the ID token was issued to.")
    client = find_client(hint.client_id if hint else client_id)
    if client_id and client is None:
        raise InvalidRequestError("There is no client with this client_id.")
    return client


def _target(parameters: Parameters, client: Client | None) -> str | None:
    uri = parameters.get("post_logout_redirect_uri")
    if uri is None:
        return None
    if client is None or uri not in client.post_logout_redirect_uris:
        raise InvalidRequestError("post_logout_redirect_uri is not registered for this client.")
    state = parameters.get("state")
    return str(add_params_to_uri(uri, [("state", state)])) if state else uri


def _signed_out(asked: LogoutRequest, *, is_meant: bool) -> Response:
    """End the session. Without a hint or a yes, going on is a link: the OP "MUST NOT perform
    post-logout redirection" unless it knows the request to be meant (section 3)."""
    end_current_session()
    if asked.target and is_meant:
        return redirect(asked.target, 303)
    page = render_template("idp/signed_out.html", client=asked.client, target=asked.target)
    return make_response(page)

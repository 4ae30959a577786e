"""Sign-in and sign-out. A new session is begun at each sign-in, so that a cookie planted
before is worth nothing; where to go next is a path on this server, or nowhere.
"""

from typing import cast
from urllib.parse import parse_qsl, unquote

from flask import Blueprint, Response, g, make_response, redirect, render_template, request, url_for
from flask import session as cookie
from werkzeug.wrappers import Response as AnyResponse

from .clients import find_redirect_uri
from .clock import now
from .headers import allow_form_redirect
from .people import Person, authenticate_person, find_person
from .secrets_at_rest import hashed
from .sessions import BrowserSession, end_session, find_session, start_session
from .settings import current_settings
from .throttle import count_attempt, forget_attempts

#: Seconds for which a sign-in counts as the one that a request asked for: time to read its
#: consent page, not to leave the machine to somebody else.
ASKED_FOR_SECONDS = 600
WRONG = "The user name or the password is not right."

blueprint = Blueprint("sign_in", __name__)


@blueprint.get("/sign-in")
def sign_in() -> Response:
    """The page."""
    return _page(request.args.get("next"))


@blueprint.post("/sign-in")
def check_password() -> AnyResponse:
    """The password that was typed."""
    username = request.form.get("username", "")
    address, next_url = request.remote_addr or "", request.form.get("next")
    if wait := count_attempt(username, address):
        return _too_many(next_url, wait, username)
    person = authenticate_person(username, request.form.get("password", ""))
    if person is None:
        return _page(next_url, error=WRONG, status=400, username=username)
    forget_attempts(username, address)
    _begin(person, next_url)
    return redirect(safe_next(next_url), 303)


@blueprint.get("/sign-out")
def sign_out() -> Response:
    """The question: a GET signs nobody out."""
    return make_response(render_template("idp/sign_out.html", person=current_person()))


@blueprint.post("/sign-out")
def end() -> Response:
    """The end of this session, for every copy of its cookie."""
    end_current_session()
    return make_response(render_template("idp/signed_out.html"))


def current_session() -> BrowserSession | None:
    """The session of this request's browser, if its person is still active."""
    if "browser_session" not in g:
        found = find_session(cookie.get("sid"))
        g.browser_session = found if found and find_person(found.person_id) else None
    return cast("BrowserSession | None", g.browser_session)


def current_person() -> Person | None:
    """The person who is signed in."""
    session = current_session()
    return find_person(session.person_id) if session else None


def end_current_session() -> None:
    """Sign this browser out, and forget what its cookie says."""
    if session := current_session():
        end_session(session)
    cookie.clear()
    g.pop("browser_session", None)


def sign_in_url(next_url: str) -> str:
    """Where to sign in and then go on to `next_url`, a path on this server."""
    return url_for("sign_in.sign_in", next=next_url)


def is_signed_in_for(url: str) -> bool:
    """Whether the person signed in on the way to exactly this URL, just now (`prompt=login`)."""
    session = current_session()
    if session is None or now() - session.auth_time > ASKED_FOR_SECONDS:
        return False
    return bool(cookie.get("signed_in_for") == hashed(url))


def safe_next(url: str | None) -> str:
    """A path on this server; anything that could lead elsewhere becomes the account page."""
    is_path = url is not None and url.startswith("/") and url.isprintable()
    if url is None or not is_path or url[1:2] in ("/", "\\") or "\\" in url:
        return url_for("consent.account")
    if "\0" in unquote(url):  # PostgreSQL can't look up what it names
        return url_for("consent.account")
    return url


def _begin(person: Person, next_url: str | None) -> None:
    end_current_session()
    cookie["sid"] = start_session(person.id, acr=current_settings().password_acr, amr="pwd")
    cookie["signed_in_for"] = hashed(safe_next(next_url))


def _too_many(next_url: str | None, wait: int, username: str) -> Response:
    minutes = -(-wait // 60)
    text = f"That was tried too often. Try again in {minutes} minute{'s' * (minutes > 1)}."
    response = _page(next_url, error=text, status=429, username=username)
    response.headers["Retry-After"] = str(wait)
    return response


def _page(
    next_url: str | None, error: str | None = None, status: int = 200, username: str = ""
) -> Response:
    target = safe_next(next_url)
    path, _, query = target.partition("?")
    if path == url_for("authorize.authorize"):
        asked = dict(parse_qsl(query))
        allow_form_redirect(find_redirect_uri(asked))
        username = username or asked.get("login_hint", "")
    page = render_template("idp/sign_in.html", next=target, error=error, username=username)
    return make_response(page, status)

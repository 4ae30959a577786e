"""Signing in and out, and the home page."""

import time

from flask import (
    Blueprint,
    Response,
    current_app,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from werkzeug.wrappers import Response as AnyResponse

from .people import People, User

bp = Blueprint("pages", __name__, template_folder="templates")


@bp.get("/")
def home() -> str:
    """Who is signed in."""
    return render_template("bare_flask/home.html", user=current_user())


@bp.get("/sign-in")
def sign_in() -> str:
    """The page."""
    return _page(request.args.get("next"))


@bp.post("/sign-in")
def check_password() -> AnyResponse | tuple[str, int]:
    """The password that was typed."""
    username, password = request.form.get("username", ""), request.form.get("password", "")
    user = people().authenticate(username, password)
    next_url = request.form.get("next")
    if user is None:
        return _page(next_url, "The user name or the password is not right."), 400
    # Begun anew, so that nothing planted in the session before is in it after.
    session.clear()
    session.update(user_id=user.id, signed_in_at=int(time.time()))
    return redirect(own_path(next_url), 303)


@bp.post("/sign-out")
def sign_out() -> AnyResponse:
    """The end of this session."""
    session.clear()
    return redirect(url_for(".home"), 303)


@bp.after_app_request
def headers(response: Response) -> Response:
    """No page of this app runs a script or is framed; a page that says otherwise is kept."""
    policy = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'"
    response.headers.setdefault("Content-Security-Policy", policy)
    return response


def people() -> People:
    """The people of this app."""
    found: People = current_app.extensions["people"]
    return found


def current_user() -> User | None:
    """The active user whose id the session holds."""
    user = people().find(session.get("user_id", ""))
    return user if user and user.is_active else None


def own_path(url: str | None) -> str:
    """A path on this server: nobody is sent to another one after signing in."""
    is_path = url is not None and url.startswith("/") and url.isprintable()
    if url is None or not is_path or url[1:2] == "/" or "\\" in url:
        return url_for(".home")
    return url


def _page(next_url: str | None, error: str | None = None) -> str:
    return render_template("bare_flask/sign_in.html", next=own_path(next_url), error=error)

"""The composition root: `create_app` names every part of the server."""

import logging
import time
from collections.abc import Callable

from flask import Flask, redirect, request, url_for
from flask_wtf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix

from . import authorize, consent, health, logout, metadata, migrations, oauth, sign_in
from .database import init_database, start_lock
from .errors import init_errors
from .headers import init_headers
from .keys import ensure_signing_key
from .parameters import validate_encoding
from .secrets_at_rest import stored_secret_key
from .sessions import CookieSessions
from .settings import Settings

MAX_FORM_PARTS = 100


def create_app(settings: Settings, clock: Callable[[], float] = time.time) -> Flask:
    """The identity provider as a WSGI app, ready to answer.

    Tables and keys that are missing are made; several workers may do this at once.

    :param clock: the time in unix seconds, for tests.
    """
    app = Flask(__package__)
    app.extensions["deputize_idp.settings"] = settings
    app.extensions["deputize_idp.clock"] = clock
    app.extensions["deputize_idp.keys"] = {}
    configure(app, settings)
    app.before_request(lambda: validate_encoding(request))
    init_errors(app)
    init_headers(app)
    protect_forms(app)
    for part in (metadata, oauth, authorize, consent, sign_in, logout, health):
        app.register_blueprint(part.blueprint)
    app.add_url_rule("/", "home", lambda: redirect(url_for("consent.account")))
    with start_lock(settings.data), app.app_context():
        app.config["SECRET_KEY"] = secret_key(settings)
        init_database(app, settings.database_url, settings.data)
        migrations.upgrade()
        ensure_signing_key()
    return app


def configure(app: Flask, settings: Settings) -> None:
    """Cookies, limits, the proxies in front and what every template knows."""
    app.config.update(
        # The prefix makes browsers insist on Secure, Path=/ and no Domain.
        # On loopback too it has a name of its own: cookies know no ports (:rfc:`6265#section-8.5`),
        # and an application that is tried on the same machine has a "session".
        SESSION_COOKIE_NAME="__Host-session" if settings.is_secure else "deputize-session",
        SESSION_COOKIE_SECURE=settings.is_secure,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        MAX_CONTENT_LENGTH=settings.max_request_size,
        MAX_FORM_PARTS=MAX_FORM_PARTS,
        WTF_CSRF_TIME_LIMIT=None,  # as long as the session
        # A proxy may change Host; what the Referer check is for, the cookie's prefix does.
        WTF_CSRF_SSL_STRICT=False,
    )
    app.session_interface = CookieSessions()
    # At DEBUG, Authlib logs every token that it issues.
    logging.getLogger("authlib").setLevel(logging.INFO)
    app.jinja_env.globals["organisation"] = settings.organisation
    if settings.trusted_proxies:
        proxies = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=proxies, x_proto=proxies)  # type: ignore[method-assign]


def protect_forms(app: Flask) -> None:
    """CSRF tokens on every form; not where programs post, who have no session."""
    protect = CSRFProtect(app)
    protect.exempt(oauth.blueprint)
    protect.exempt(authorize.authorize_by_form)
    protect.exempt(logout.ask_by_form)


def secret_key(settings: Settings) -> str:
    """The configured key, or the one that is kept in the data folder."""
    if settings.secret_key:
        return settings.secret_key.get_secret_value()
    return stored_secret_key(settings.data)

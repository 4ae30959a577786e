"""A Flask app with people of its own and no OAuth at all, and Deputize added to it.

Deputize serves every OAuth endpoint, for agents and resource servers alone: the app goes on
without clients of its own.
"""

from flask import Flask
from flask_wtf import CSRFProtect
from pydantic import SecretStr

from deputize import Deputize
from deputize.settings import Settings

from .host import BareFlaskHost
from .pages import bp
from .people import DEMONSTRATION, People


def create_app(database_url: str, secret_key: str, issuer: str) -> Flask:
    """Make the app of both; `database_url` is Deputize's alone."""
    app = create_plain_app(secret_key)
    secret = SecretStr(secret_key)
    add_agents(app, Settings(issuer=issuer, database_url=database_url, key_secret=secret))
    app.config["LINKS"] = {"Agents acting for me": "deputize_agents.agents"}
    return app


def create_plain_app(secret_key: str) -> Flask:
    """Make the app as it was; `secret_key` signs the session cookie."""
    app = Flask(__name__)
    app.config.update(SECRET_KEY=secret_key, SESSION_COOKIE_SAMESITE="Lax")
    app.extensions["people"] = People(DEMONSTRATION)
    CSRFProtect(app)
    app.register_blueprint(bp)
    return app


def add_agents(app: Flask, settings: Settings) -> None:
    """Add Deputize to the app."""
    host = BareFlaskHost(app.extensions["people"])
    Deputize(host=host, settings=settings).init_app(app)

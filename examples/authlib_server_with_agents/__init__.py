"""The server of Authlib's guide with Deputize added to it: all that a team writes.

`examples/authlib_server` is not changed. `host.py` describes it; one call does the rest.
"""

from examples import authlib_server
from examples.authlib_server.models import db
from flask import Flask
from pydantic import SecretStr

from deputize import Deputize
from deputize.settings import Settings

from .host import AuthlibServerHost


def create_app(database_uri: str, secret_key: str, issuer: str) -> Flask:
    """Make the server of both; Deputize's tables are in the server's own database."""
    app = authlib_server.create_app(database_uri, secret_key)
    with app.app_context():
        database_url = db.engine.url.render_as_string(hide_password=False)
    settings = Settings(issuer=issuer, database_url=database_url, key_secret=SecretStr(secret_key))
    add_agents(app, settings)
    return app


def add_agents(app: Flask, settings: Settings) -> None:
    """Add Deputize to the server."""
    Deputize(host=AuthlibServerHost(), settings=settings).init_app(app)

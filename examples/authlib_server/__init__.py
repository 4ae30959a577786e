"""An authorization server written after Authlib's Flask documentation.

It knows nothing of Deputize: it is the server that a team already runs. The
tests plug Deputize into it, and `benchmarks/` measures it.
"""

from flask import Flask

from .models import db
from .oauth2 import config_oauth
from .routes import bp


def create_app(database_uri: str, secret_key: str) -> Flask:
    """Make the server; `database_uri` is SQLAlchemy's, `secret_key` signs the session cookie."""
    app = Flask(__name__)
    app.config.update(
        SECRET_KEY=secret_key,
        SQLALCHEMY_DATABASE_URI=database_uri,
        OAUTH2_REFRESH_TOKEN_GENERATOR=True,
    )
    db.init_app(app)
    with app.app_context():
        db.create_all()
    config_oauth(app)
    app.register_blueprint(bp)
    return app

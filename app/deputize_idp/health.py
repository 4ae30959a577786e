"""Health: is the process alive, and can it answer?"""

from collections.abc import Callable

from flask import Blueprint, Flask, Response, current_app, jsonify
from sqlalchemy.exc import SQLAlchemyError

from .database import db
from .errors import json_error
from .keys import signing_key

CHECKS = "deputize_idp.ready_checks"

blueprint = Blueprint("health", __name__)


def add_ready_check(app: Flask, check: Callable[[], object]) -> None:
    """Ask `check` too before saying that this app is ready; it raises what its database does."""
    app.extensions.setdefault(CHECKS, []).append(check)


@blueprint.get("/health/live")
def live() -> Response:
    """The process answers."""
    return jsonify(status="ok")


@blueprint.get("/health/ready")
def ready() -> Response:
    """Every database answers, and there is a key to sign with."""
    try:
        signing_key()
        for check in current_app.extensions.get(CHECKS, []):
            check()
    except SQLAlchemyError:
        db.session.rollback()
        return json_error("temporarily_unavailable", "The database does not answer.", 503)
    return jsonify(status="ok")

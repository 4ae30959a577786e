"""Health: is the process alive, and can it answer?"""

from flask import Blueprint, Response, jsonify
from sqlalchemy.exc import SQLAlchemyError

from .database import db
from .errors import json_error
from .keys import signing_key

blueprint = Blueprint("health", __name__)


@blueprint.get("/health/live")
def live() -> Response:
    """The process answers."""
    return jsonify(status="ok")


@blueprint.get("/health/ready")
def ready() -> Response:
    """The database answers, and there is a key to sign with."""
    try:
        signing_key()
    except SQLAlchemyError:
        db.session.rollback()
        return json_error("temporarily_unavailable", "The database does not answer.", 503)
    return jsonify(status="ok")

"""The public keys of seals, as a JWK set of their own: none of them verifies a token."""

from flask import Blueprint, Response, jsonify

from ..core.db import Database
from .keys import find_public_keys, published

JWKS = "/deputize/audit/jwks"


def audit_keys(db: Database) -> Blueprint:
    """Return what serves them."""
    keys = Blueprint("deputize_audit_keys", __name__)

    @keys.get(JWKS)
    def jwks() -> Response:
        with db.read() as tx:
            answer = jsonify(published(find_public_keys(tx)))
        answer.headers["Cache-Control"] = "public, max-age=300"
        return answer

    return keys

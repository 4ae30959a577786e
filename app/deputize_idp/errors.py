"""Errors: JSON where programs ask, a page where people look, and for what nobody foresaw
an id and no text. The log has the same id.
"""

import secrets

from authlib.oauth2.rfc6749 import OAuth2Error
from flask import Flask, Response, current_app, jsonify, make_response, render_template, request
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from .database import db

FOR_PROGRAMS = ("/oauth/", "/.well-known/", "/health/")


def init_errors(app: Flask) -> None:
    """Answer every error of this app."""
    app.register_error_handler(OAuth2Error, oauth_error)
    app.register_error_handler(CSRFError, csrf_error)
    app.register_error_handler(HTTPException, http_error)
    app.register_error_handler(Exception, unforeseen_error)


def oauth_error(error: OAuth2Error) -> Response:
    """An OAuth error that goes back to the client (:rfc:`6749#section-5.2`), or to the person."""
    if wants_page():
        return error_page(error.get_error_description(), error.status_code)
    status, body, headers = error()
    response = jsonify(body)
    response.status_code = status
    response.headers.update(headers)
    return response


def csrf_error(_error: CSRFError) -> Response:
    """A form that did not come from a page of this session."""
    text = "This page was open for too long, or in another session. Go back, reload it, try again."
    return error_page(text, 400)


def http_error(error: HTTPException) -> Response:
    """What werkzeug found wrong; an oversized body is a malformed OAuth request, thus 400."""
    status, text = error.code or 500, error.description or error.name
    if wants_page():
        response = error_page(text, status)
    else:
        too_large = isinstance(error, RequestEntityTooLarge)
        response = json_error("invalid_request", text, 400 if too_large else status)
    for name, value in error.get_headers():
        if name == "Allow":
            response.headers[name] = value
    return response


def unforeseen_error(_error: Exception) -> Response:
    """A defect: whoever asked learns an id, and nothing of what happened."""
    db.session.rollback()
    error_id = secrets.token_hex(6)
    current_app.logger.exception("error %s", error_id)
    if wants_page():
        return error_page(f"Something went wrong here. It is noted as {error_id}.", 500)
    return json_error("server_error", f"It is noted as {error_id}.", 500)


def error_page(text: str, status: int) -> Response:
    """A page that says what happened, and that nothing was granted."""
    return make_response(render_template("idp/error.html", text=text), status)


def json_error(error: str, description: str, status: int) -> Response:
    """An error as :rfc:`6749#section-5.2` writes it."""
    response = jsonify(error=error, error_description=description)
    response.status_code = status
    return response


def wants_page() -> bool:
    """Whether a person looks at this, in a browser."""
    if request.path == "/oauth/authorize":
        return "text/html" in request.headers.get("Accept", "")
    return not request.path.startswith(FOR_PROGRAMS)

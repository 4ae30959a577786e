"""Request parameters as OAuth defines them, read once and checked before Authlib or the
database sees any: UTF-8, no NUL, none repeated, from one place only.

Authlib joins the query and the form, and puts some values into `error_description`, where
a quotation mark would raise (:rfc:`6749#section-5.2`): hence the last check.
"""

import re
from math import inf
from urllib.parse import unquote_to_bytes

from authlib.oauth2.rfc6749 import InvalidRequestError
from flask import Request
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge

FORM = "application/x-www-form-urlencoded"
REPEATABLE = {"resource"}  # :rfc:`8707#section-2`, ignored here
ASCII_BY_GRAMMAR = ("client_id", "redirect_uri", "response_type", "grant_type")
PRINTABLE = re.compile(r"[\x20\x21\x23-\x5b\x5d-\x7e]*")

Parameters = dict[str, str]


def form_parameters(request: Request) -> Parameters:
    """The parameters of a token, introspection or revocation request.

    :raises InvalidRequestError: :rfc:`6749#section-3.2`; "MUST NOT be included in the
        request URI" is :rfc:`6749#section-2.3.1`.
    """
    if request.query_string:
        raise InvalidRequestError("Parameters go in the request body, not in the URL.")
    if request.mimetype != FORM:
        raise InvalidRequestError(f"The content type must be {FORM}.")
    return _single(request.form)


def query_parameters(request: Request) -> Parameters:
    """The parameters of an authorization request (:rfc:`6749#section-3.1`).

    :raises InvalidRequestError: if it is malformed, whoever the client is.
    """
    return _single(request.args)


def validate_encoding(request: Request) -> None:
    """Refuse what is not UTF-8 or holds a NUL, which PostgreSQL can't store.

    :raises BadRequest: for the query, the form or the credentials of any request.
    """
    if not request.headers.get("Authorization", "").isascii():  # werkzeug's parser raises
        raise BadRequest("The Authorization header is not ASCII.")
    body = _body(request)
    for raw in (request.query_string, body):
        _validate_bytes(unquote_to_bytes(raw))


def _body(request: Request) -> bytes:
    body = request.get_data(cache=True) if request.mimetype == FORM else b""
    # werkzeug cuts a chunked body at the bound without a word.
    if request.content_length is None and len(body) >= (request.max_content_length or inf):
        raise RequestEntityTooLarge
    return body


def _validate_bytes(raw: bytes) -> None:
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        raise BadRequest("The request is not UTF-8.") from None
    if "\0" in text:
        raise BadRequest("The request holds a NUL character.")


def _single(values: MultiDict[str, str]) -> Parameters:
    repeated = {name for name, all_of in values.lists() if len(all_of) > 1} - REPEATABLE
    if repeated:
        raise InvalidRequestError("A parameter is repeated.")
    # :rfc:`6749#section-3.1`: without a value "as if they were omitted from the request"
    parameters = {name: value for name, value in values.items() if value}
    for name in ASCII_BY_GRAMMAR:
        if not PRINTABLE.fullmatch(parameters.get(name, "")):
            raise InvalidRequestError(f"{name} has characters that are not allowed there.")
    return parameters

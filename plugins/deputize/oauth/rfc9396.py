"""Rich authorization requests (:rfc:`9396`): what is asked for, in more than a word.

A detail is a JSON object with a `type`; an array of them says what a token is to be good
for. Here the parameter is read; what a type means, and what is within what, is its
owner's business.
"""

import json
from collections.abc import Mapping
from typing import Any, NoReturn

from .errors import InvalidAuthorizationDetailsError

#: One authorization detail. :rfc:`9396#section-2`.
Detail = Mapping[str, Any]

#: Objects and arrays inside each other: a person must be able to be told of them.
MAX_DEPTH = 8

#: Details that one request can name.
MOST = 20

_MALFORMED = "authorization_details is a JSON array of objects, each with a type."


def read_authorization_details(text: str) -> tuple[Detail, ...]:
    """Return the details that the parameter holds.

    Numbers with a fraction are refused: they have no one spelling, and an amount of money
    is not to be rounded.

    :raises InvalidAuthorizationDetailsError: :rfc:`9396#section-5`
    """
    details = validate_details(_parsed(text))
    if not details:
        raise InvalidAuthorizationDetailsError("authorization_details names nothing.")
    return details


def validate_details(details: Any) -> tuple[Detail, ...]:
    """Return `details` if they are such, read from JSON elsewhere.

    :raises InvalidAuthorizationDetailsError: :rfc:`9396#section-5`
    """
    if not isinstance(details, list) or not all(map(_is_detail, details)):
        raise InvalidAuthorizationDetailsError(_MALFORMED)
    if len(details) > MOST:
        raise InvalidAuthorizationDetailsError(f"There are at most {MOST} details.")
    for detail in details:
        _validate_value(detail, MAX_DEPTH)
    return tuple(details)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_without_doubles, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise InvalidAuthorizationDetailsError(_MALFORMED) from None


def _without_doubles(members: list[tuple[str, Any]]) -> dict[str, Any]:
    # RFC 8259 §4: what a receiver makes of a name that stands twice is unpredictable.
    if len({name for name, _ in members}) < len(members):
        raise ValueError("a member stands twice")
    return dict(members)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _is_detail(value: Any) -> bool:
    return isinstance(value, Mapping) and isinstance(value.get("type"), str)


def _validate_value(value: Any, depth: int) -> None:
    if depth < 0:
        raise InvalidAuthorizationDetailsError("A detail is nested too deep.")
    if isinstance(value, float) or (type(value) is int and abs(value) >= 2**53):
        raise InvalidAuthorizationDetailsError("Write such a number as a string.")
    if isinstance(value, str):
        _validate_text(value)
    elif isinstance(value, Mapping):
        for name, member in value.items():
            _validate_text(name)
            _validate_value(member, depth - 1)
    elif isinstance(value, list):
        for member in value:
            _validate_value(member, depth - 1)


def _validate_text(text: str) -> None:
    # A NUL cannot be stored everywhere, and half of a surrogate pair is no text.
    if "\x00" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise InvalidAuthorizationDetailsError("A detail holds what is not text.")

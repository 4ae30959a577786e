"""Authorization details (RFC 9396): what is asked for in more than a word, and what was got.

A detail is a JSON object with a `type`; what else stands in it is its type's own business.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from .errors import ProtocolError

#: One detail. :rfc:`9396#section-2`.
Detail: TypeAlias = Mapping[str, Any]

#: What a request asks for, or at None leaves to the server.
Details: TypeAlias = Sequence[Detail] | None


def spelled(details: Details) -> str | None:
    """Return the value of the parameter; the order in which details are named makes none.

    :raises TypeError: for what JSON does not know
    """
    return None if details is None else f"[{', '.join(sorted(map(_spelled, details)))}]"


def details_in(answer: Mapping[str, Any]) -> tuple[Detail, ...]:
    """Return what a token response says was granted; it may be less. :rfc:`9396#section-7`.

    :raises ProtocolError: when that is no list of objects
    """
    told = answer.get("authorization_details", [])
    if not isinstance(told, list) or not all(isinstance(detail, dict) for detail in told):
        raise ProtocolError("the authorization_details of the answer are no list of objects")
    return tuple(told)


def _spelled(detail: Detail) -> str:
    return json.dumps(dict(detail), sort_keys=True)

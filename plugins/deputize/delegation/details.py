"""Authorization details only narrow (RFC 9396): what a child may hold of its parent's. Pure.

A node keeps them as canonical JSON. A scope that a type binds is never held without a
detail of it, and a detail never without its scope. What an approval granted to be used up
(an amount, a count) was used up by the token that holds it: it passes no exchange, so that
what all tokens of one approval allow is never more than what was approved.
"""

import json
from collections.abc import Iterable, Mapping

from ..catalogue.details import DetailsType, is_each_within
from ..core.refusal import Refusal
from ..core.values import Words, canonical_json
from ..oauth.rfc9396 import Detail
from .node import Delegation

Details = tuple[Detail, ...]
Types = Mapping[str, DetailsType]


def read_details(text: str | None) -> Details:
    """Return what a row holds."""
    return tuple(json.loads(text)) if text else ()


def write_details(details: Iterable[Detail]) -> str | None:
    """Return the one spelling of `details`; None where there are none."""
    members = sorted(map(canonical_json, details))
    return "[" + b",".join(members).decode() + "]" if members else None


def scopes_of(details: Iterable[Detail], types: Types) -> Words:
    """Return the scopes that these details belong to."""
    return frozenset(types[detail["type"]].scope for detail in details if detail["type"] in types)


def of_scope(details: Iterable[Detail], scope: Words, types: Types) -> Details:
    """Return those of `details` that belong to `scope`."""
    return tuple(d for d in details if d["type"] in types and types[d["type"]].scope in scope)


def is_binding(details: Details, scope: Words, types: Types) -> bool:
    """Tell whether each of `details` still binds one of `scope`.

    Where its type is gone, or binds another scope by now, it would bound nothing any more.
    """
    return len(of_scope(details, scope, types)) == len(details)


def validate_known(details: Iterable[Detail], types: Types) -> None:
    """Refuse what is of no known type, or not as its type says. :rfc:`9396#section-5`

    :raises Refusal: `details.unknown`, `details.malformed`
    """
    for detail in details:
        known = types.get(detail["type"])
        if known is None:
            raise Refusal("details.unknown", "A type of authorization details is not known here.")
        if not known.is_valid(detail):
            raise Refusal("details.malformed", "A detail is not as its type says.")


def fit_details(
    scope: Words, text: str | None, types: Types, *, is_approved: bool
) -> tuple[Words, str | None]:
    """Return what is left of a node's scope and details by what the types say now.

    :param is_approved: whether the person approved them one by one
    """
    details = tuple(
        detail
        for detail in of_scope(read_details(text), scope, types)
        if types[detail["type"]].is_valid(detail)
        and (is_approved or not types[detail["type"]].consumable)
    )
    bound = frozenset(known.scope for known in types.values())
    return scope - ((scope & bound) - scopes_of(details, types)), write_details(details)


def without_details(parent: Delegation, asked: Details | None, types: Types, bound: Words) -> Words:
    """Return which scopes of `bound` a child would hold no detail for."""
    if not bound:
        return bound
    held = _passing(parent, types) if asked is None else asked
    return bound - scopes_of(held, types)


def narrow_details(
    parent: Delegation, asked: Details | None, types: Types, scope: Words, bound: Words
) -> str | None:
    """Return the details that a child of `parent` with `scope` holds, as its row keeps them.

    :param asked: None for those of the parent that belong to `scope`
    :param bound: those of `scope` that must have one
    :raises Refusal: `details.*`
    """
    if asked is None and not bound:
        return None
    held = of_scope(_passing(parent, types), scope, types)
    details = held if asked is None else asked
    if asked is not None:
        _require_within(asked, held, scope, types)
    if bound - scopes_of(details, types):
        raise Refusal("details.missing", "That scope is had with its authorization_details only.")
    return write_details(details)


def _require_within(asked: Details, held: Details, scope: Words, types: Types) -> None:
    validate_known(asked, types)
    if not scopes_of(asked, types) <= scope:
        raise Refusal("details.wrong_scope", "A detail belongs to a scope that is not asked for.")
    if not is_each_within(asked, held, types):
        raise Refusal("details.beyond_subject", "A detail is more than what the token holds.")


def _passing(parent: Delegation, types: Types) -> Details:
    """Return what of `parent` may pass to a child."""
    details = read_details(parent.details)
    if parent.approval_id is None:
        return details
    return tuple(d for d in details if d["type"] in types and not types[d["type"]].consumable)

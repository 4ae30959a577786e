"""What a scope's rule asks of an approval, and whether a yes meets it.

Asked when the card is opened, when it is decided, and again when it is redeemed: a rule may
have changed in between.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from ..catalogue.details import DetailsType, is_each_within
from ..catalogue.models import Catalogue, ResourceServer, Scope
from ..core.values import Words
from ..delegation.attenuation import Rules
from ..delegation.details import Details, of_scope, read_details, scopes_of
from ..delegation.node import Delegation
from ..host import Authentication


def what_is_added(scope: Words, details: Details, node: Delegation, rules: Rules) -> Words:
    """Return which of `scope` only the person's word can give to who holds `node`.

    A scope that is held is added too, where its details are more than what is held.
    """
    held, types = read_details(node.details), rules.types
    beyond = frozenset(
        name
        for name in scopes_of(details, types) & scope
        if not is_each_within(of_scope(details, frozenset({name}), types), held, types)
    )
    return (scope & rules.sensitive) | (scope - node.scope) | beyond


def rules_of(catalogue: Catalogue, adding: Words) -> list[Scope]:
    """Return the catalogue's rules of these scopes."""
    return [catalogue.scopes[name] for name in adding if name in catalogue.scopes]


def can_be_approved(rules: Iterable[Scope], server: ResourceServer) -> bool:
    """Tell whether these rules can be met: what is for one use needs an API that says what a
    use is."""
    return all(not rule.single_use or server.use_id is not None for rule in rules)


def can_repeat(rules: Iterable[Scope], details: Details, types: Mapping[str, DetailsType]) -> bool:
    """Tell whether one yes may be for the same again: not where a rule asks for more than a yes,
    and not for what is used up."""
    plain = all(
        not rule.single_use and not rule.approvers and rule.acr is None and rule.max_age is None
        for rule in rules
    )
    known = [types.get(detail["type"]) for detail in details]
    return plain and all(one is not None and not one.consumable for one in known)


def asks_for_passkey(rules: Iterable[Scope], passkey_acr: str) -> bool:
    """Tell whether one of these rules is met with a passkey alone."""
    return any(rule.acr == passkey_acr for rule in rules)


def believed(told: Authentication, is_signed: bool, passkey_acr: str) -> Authentication:
    """Return what is believed of how somebody signed in: no host's word is a passkey."""
    is_claimed = told.acr == passkey_acr and not is_signed
    return replace(told, acr=None) if is_claimed else told


def is_strong_enough(rules: Iterable[Scope], told: Authentication, at: int) -> bool:
    """Tell whether who signed in so may say yes at `at` (seconds). :rfc:`9470#section-3`.

    :param told: as `believed`
    """
    age = None if told.auth_time is None else at - told.auth_time
    return all(
        (rule.acr is None or rule.acr == told.acr)
        and (rule.max_age is None or (age is not None and age <= rule.max_age))
        for rule in rules
    )

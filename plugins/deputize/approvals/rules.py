"""What a scope's rule asks of an approval, and whether a yes meets it.

Asked when the card is opened, when it is decided, and again when it is redeemed: a rule may
have changed in between.
"""

from collections.abc import Iterable

from ..catalogue.details import is_each_within
from ..catalogue.models import Catalogue, ResourceServer, Scope
from ..core.values import Words
from ..delegation.attenuation import Rules
from ..delegation.details import Details, of_scope, read_details, scopes_of
from ..delegation.node import Delegation


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


def is_strong_enough(
    rules: Iterable[Scope], acr: str | None, auth_time: int | None, at: int
) -> bool:
    """Tell whether who signed in so, then, may say yes at `at` (seconds). :rfc:`9470#section-3`."""
    age = None if auth_time is None else at - auth_time
    return all(
        (rule.acr is None or rule.acr == acr)
        and (rule.max_age is None or (age is not None and age <= rule.max_age))
        for rule in rules
    )

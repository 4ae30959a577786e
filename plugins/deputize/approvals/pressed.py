"""What the form of a card grants: the lines left ticked, lower amounts, a shorter time."""

from flask import request

from ..delegation.context import Context
from ..delegation.details import of_scope
from ..host import Authentication
from .amounts import is_amount, lowered
from .grant_less import Yes, grant_less
from .models import Approval
from .rules import asks_for_passkey, rules_of

#: What a form says of it, beside its amounts.
_CHOSEN = ("scope", "lifetime")


def yes_of(context: Context, card: Approval) -> tuple[Yes, bool]:
    """Return what the form grants, and whether that takes a passkey.

    :raises Refusal: `decision.*`, `details.*`
    """
    chosen = request.form.get("lifetime", "")
    seconds = int(chosen) if chosen.isascii() and chosen.isdigit() and len(chosen) < 9 else 0
    with context.db.read() as tx:
        catalogue = context.moment(tx).catalogue
    types, ticked = catalogue.types, frozenset(request.form.getlist("scope"))
    yes = grant_less(
        card,
        types,
        context.host.authentication() or Authentication(),
        scope=ticked,
        details=of_scope(lowered(card, types, request.form), ticked | card.held, types),
        lifetime=seconds or None,
        for_task="for_task" in request.form,
    )
    rules = rules_of(catalogue, card.adding & yes.scope)
    return yes, asks_for_passkey(rules, context.settings.approvals.passkey_acr)


def chosen() -> tuple[tuple[str, str], ...]:
    """Return the fields by which another form says the same."""
    fields = request.form.items(multi=True)
    return tuple((n, value) for n, value in fields if n in _CHOSEN or is_amount(n))

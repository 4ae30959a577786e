"""The amounts of a card: what the person can lower, in a form field each."""

from collections.abc import Iterator, Mapping
from typing import Any

from ..catalogue.details import DetailsType
from ..core.refusal import Refusal
from ..delegation.details import Details
from ..oauth.rfc9396 import Detail
from ..web.pages import AmountField
from ..web.words import neutralise
from .models import Approval

_PREFIX = "amount-"

#: Digits of an amount, its point included: no page shows, and no form sends, more.
_LONGEST = 26


def amount_fields(card: Approval, types: Mapping[str, DetailsType]) -> tuple[AmountField, ...]:
    """Return a field for each amount of what the card adds."""
    return tuple(
        _field(card.details[number], number, member)
        for number, member in _amounts(card, types)
        if types[card.details[number]["type"]].scope in card.adding
    )


def lowered(card: Approval, types: Mapping[str, DetailsType], form: Mapping[str, str]) -> Details:
    """Return the card's details with the amounts that `form` names in their place.

    :raises Refusal: `details.unknown`, for one that the catalogue lets nobody lower by now: to
        leave it out would grant more than the person wrote
    """
    details: list[dict[str, Any]] = [dict(detail) for detail in card.details]
    known = {_name(number, member): (number, member) for number, member in _amounts(card, types)}
    for name in filter(is_amount, form):
        if name not in known:
            raise Refusal("details.unknown", "That amount can't be lowered any more.")
        number, member = known[name]
        details[number][member] = _as_in(details[number][member], form[name].strip()[:_LONGEST])
    return tuple(details)


def is_amount(name: str) -> bool:
    """Tell whether a field of a form is an amount."""
    return name.startswith(_PREFIX)


def _amounts(card: Approval, types: Mapping[str, DetailsType]) -> Iterator[tuple[int, str]]:
    """Yield each amount: the number of its detail, and its member."""
    for number, detail in enumerate(card.details):
        known = types.get(detail["type"])
        yield from ((number, m) for m in (known.amounts if known else ()) if m in detail)


def _field(detail: Detail, number: int, member: str) -> AmountField:
    label = member.replace("_", " ").capitalize()
    unit = str(detail.get("currency", ""))
    name = _name(number, member)
    return AmountField(name, neutralise(label, 60), str(detail[member]), neutralise(unit, 10))


def _name(number: int, member: str) -> str:
    return f"{_PREFIX}{number}-{member}"


def _as_in(before: Any, text: str) -> Any:
    """Return the amount in the kind that it had; what is none stays text, and is refused."""
    is_count = isinstance(before, int) and text.isascii() and text.isdigit()
    return int(text) if is_count else text

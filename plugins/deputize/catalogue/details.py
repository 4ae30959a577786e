"""Types of authorization details (RFC 9396 §2): what one looks like, how a person is told of
it, and when one is within another.

Everything that no comparison is declared for must be equal: a type cannot forget a member.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from string import Formatter
from typing import Any

from jsonschema import Draft202012Validator, SchemaError
from markupsafe import Markup
from referencing import Registry
from referencing.exceptions import Unresolvable

from ..core.values import canonical_json
from ..oauth.rfc9396 import Detail
from ..web.words import is_seen_whole, list_of, neutralise

#: How a template shows a currency code where it says `:symbol`.
_SYMBOLS = {"EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥", "CHF": "CHF "}

NOTHING = Markup("")

#: Characters of one value in a sentence: what has more is refused, for nobody would see the rest.
_VALUE_LENGTH = 200

#: An amount or a count: never negative, of a length that a person can read.
_AMOUNT = re.compile(r"[0-9]{1,15}(\.[0-9]{1,9})?")


@dataclass(frozen=True, slots=True)
class DetailsType:
    """One type of detail.

    :param scope: the scope that it binds: never issued without a detail of the type
    :param schema: JSON Schema of one detail, as canonical JSON
    :param template: what it means, in the server's words: `Pay {amount} to {creditor}`
    :param compare: a comparison by member, as canonical JSON
    :param consumable: the member that an approval grants and a token uses up
    """

    type: str
    scope: str
    schema: str
    template: str
    compare: str = "{}"
    consumable: str | None = None
    retired_at: int | None = None

    def is_valid(self, detail: Detail) -> bool:
        """Tell whether `detail` is one of this type, to be compared, and told as it is."""
        return (
            _follows(self.schema, detail)
            and all(
                name not in detail or _COMPARABLE[how](detail[name])
                for name, how in _comparisons(self.compare).items()
            )
            and all(is_seen_whole(value, _VALUE_LENGTH) for value in self._values(detail))
        )

    def _values(self, detail: Detail) -> Iterator[str]:
        """Yield each value that a person is told."""
        for _, name, _, _ in Formatter().parse(self.template):
            if name:
                yield _told(detail.get(name), "")

    def is_within(self, detail: Detail, other: Detail) -> bool:
        """Tell whether `detail` allows nothing that `other`, of this type, does not."""
        comparisons = _comparisons(self.compare)
        return detail.keys() == other.keys() and all(
            _WITHIN[comparisons.get(name, "equal")](value, other[name])
            for name, value in detail.items()
        )

    @property
    def amounts(self) -> tuple[str, ...]:
        """The members that a person can lower."""
        return tuple(name for name, how in _comparisons(self.compare).items() if how == "at_most")

    def say(self, detail: Detail) -> Markup:
        """Return what `detail` means; each value of it, somebody else's words, is kept apart."""
        said = NOTHING
        for text, name, spec, _ in Formatter().parse(self.template):
            said += text
            if name:
                told = neutralise(_told(detail.get(name), spec or ""), _VALUE_LENGTH)
                said += Markup("<bdi>{}</bdi>").format(told)
        return said


def validate_details_type(declared: DetailsType) -> None:
    """Refuse a type that could not be kept.

    :raises ValueError: naming the member
    """
    try:
        Draft202012Validator.check_schema(json.loads(declared.schema))
    except SchemaError as error:
        raise ValueError(f"schema: {error.message}") from None
    for name, how in _comparisons(declared.compare).items():
        if how not in _WITHIN:
            raise ValueError(f"compare.{name}: expected one of {', '.join(_WITHIN)}")
    if declared.consumable and declared.consumable not in declared.amounts:
        raise ValueError('consumable: needs compare = "at_most" for that member')
    _validate_template(declared.template)


def say_details(details: Iterable[Detail], types: Mapping[str, DetailsType]) -> Markup:
    """Return what all of `details` mean, as one list in a sentence."""
    said = [str(types[d["type"]].say(d)) for d in details if d["type"] in types]
    return Markup(list_of(said))  # noqa: S704 - each was made safe


def is_each_within(
    details: Iterable[Detail], others: Iterable[Detail], types: Mapping[str, DetailsType]
) -> bool:
    """Tell whether each of `details` lies within one of `others`, and no two within the same.

    An injective match, found by augmenting paths.
    """
    children, parents = list(details), list(others)
    taken: dict[int, int] = {}

    def place(child: int, tried: set[int]) -> bool:
        for at in _fitting(children[child], parents, types):
            if at not in tried:
                tried.add(at)
                if at not in taken or place(taken[at], tried):
                    taken[at] = child
                    return True
        return False

    return all(place(child, set()) for child in range(len(children)))


def _fitting(
    detail: Detail, others: list[Detail], types: Mapping[str, DetailsType]
) -> Iterable[int]:
    rules = types.get(detail["type"])
    for at, other in enumerate(others):
        if rules and other["type"] == detail["type"] and rules.is_within(detail, other):
            yield at


def _validate_template(template: str) -> None:
    try:
        parts = [*Formatter().parse(template)]
    except ValueError as error:
        raise ValueError(f"template: {error}") from None
    for _, name, spec, conversion in parts:
        is_plain = name is None or name.isidentifier()
        if not is_plain or conversion or spec not in (None, "", "symbol"):
            raise ValueError("template: write {member} or {member:symbol}")


def _told(value: Any, spec: str) -> str:
    if isinstance(value, list):
        return ", ".join(_told(member, spec) for member in value)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return _SYMBOLS.get(text, f"{text} ") if spec == "symbol" else text


def _is_amount(value: Any) -> bool:
    return (type(value) is int or isinstance(value, str)) and bool(_AMOUNT.fullmatch(str(value)))


def _is_range(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(map(_is_amount, value))


def _equal(value: Any, other: Any) -> bool:
    # By their spelling: to Python, True is 1.
    return canonical_json(value) == canonical_json(other)


def _at_most(value: Any, other: Any) -> bool:
    return Decimal(value) <= Decimal(other)


def _subset(value: Any, other: Any) -> bool:
    return {canonical_json(member) for member in value} <= {canonical_json(m) for m in other}


def _within_range(value: Any, other: Any) -> bool:
    (low, high), (lowest, highest) = map(_bounds, (value, other))
    return lowest <= low <= high <= highest


def _bounds(value: Any) -> tuple[Decimal, Decimal]:
    return Decimal(value[0]), Decimal(value[1])


#: Each comparison, and what it can compare.
_WITHIN: Mapping[str, Callable[[Any, Any], bool]] = {
    "equal": _equal,
    "at_most": _at_most,
    "at_least": lambda value, other: _at_most(other, value),
    "subset": _subset,
    "range": _within_range,
}
_COMPARABLE: Mapping[str, Callable[[Any], bool]] = {
    "equal": lambda _: True,
    "at_most": _is_amount,
    "at_least": _is_amount,
    "subset": lambda value: isinstance(value, list),
    "range": _is_range,
}


def _follows(schema: str, detail: Detail) -> bool:
    try:
        return bool(_validator(schema).is_valid(detail))
    except (Unresolvable, re.error, RecursionError):
        # A schema that leads nowhere lets nothing pass.
        return False


@lru_cache(maxsize=256)
def _comparisons(text: str) -> Mapping[str, str]:
    read: dict[str, str] = json.loads(text)
    return read


@lru_cache(maxsize=256)
def _validator(schema: str) -> Draft202012Validator:
    # A registry of nothing: a reference to elsewhere is never fetched.
    return Draft202012Validator(json.loads(schema), registry=Registry())

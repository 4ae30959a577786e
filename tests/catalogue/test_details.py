"""Details only narrow: properties of the comparison, and of what an exchange makes by it.

A type with every comparison, over domains so small that details are often alike.
"""

import json
from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from deputize.catalogue.details import DetailsType, is_each_within
from deputize.core.refusal import Refusal
from deputize.delegation.details import (
    Details,
    narrow_details,
    read_details,
    scopes_of,
    write_details,
)
from deputize.delegation.node import Delegation

ORDER = DetailsType(
    type="order",
    scope="shop:order",
    schema='{"type": "object"}',
    template="Order {what}",
    compare=json.dumps(
        {"most": "at_most", "least": "at_least", "from": "subset", "weight": "range"}
    ),
)
PAYMENT = DetailsType(
    type="payment",
    scope="shop:pay",
    schema='{"type": "object"}',
    template="Pay {amount}",
    compare=json.dumps({"amount": "at_most"}),
    consumable="amount",
)
TYPES = {t.type: t for t in (ORDER, PAYMENT)}
BOUND = frozenset({ORDER.scope, PAYMENT.scope})

#: Each number in several spellings: "1" and "1.0" are as much, and are not the same text.
AMOUNTS = st.sampled_from([0, 1, 2, "0", "1", "1.0", "01", "2", "2.5", "0.50"])
NAMES = st.lists(st.sampled_from("abc"), max_size=3)
RANGES = st.tuples(AMOUNTS, AMOUNTS).map(list)
ORDERS = st.fixed_dictionaries(
    {"type": st.just("order"), "most": AMOUNTS},
    optional={
        "least": AMOUNTS,
        "from": NAMES,
        "weight": RANGES,
        "what": st.sampled_from(["x", True, 1, ["x"]]),
    },
)
PAYMENTS = st.fixed_dictionaries({"type": st.just("payment"), "amount": AMOUNTS})
#: So few members that of any three some are within each other.
ALIKE = st.fixed_dictionaries({"type": st.just("order"), "most": AMOUNTS, "from": NAMES})
DETAILS = st.lists(st.one_of(ORDERS, ORDERS, PAYMENTS), max_size=4).map(tuple)


def is_sound(detail: dict[str, Any]) -> bool:
    """Tell whether it can be within anything: a range that is upside down is in none."""
    low, high = map(Decimal, detail.get("weight", [0, 0]))
    return low <= high


SOUND = st.lists(st.one_of(ORDERS, PAYMENTS).filter(is_sound), max_size=4).map(tuple)


@st.composite
def less_than(draw: st.DrawFn, details: Details) -> Details:
    """Return some of `details`, in any order, each with some of its members lowered."""
    kept = draw(st.lists(st.sampled_from(range(len(details))), unique=True)) if details else []
    return tuple(draw(lowered(dict(details[at]))) for at in kept)


@st.composite
def lowered(draw: st.DrawFn, detail: dict[str, Any]) -> dict[str, Any]:
    for name, is_lower in (("most", True), ("amount", True), ("least", False)):
        if name in detail:
            before = Decimal(detail[name])
            fits = (lambda n, b=before: n <= b) if is_lower else (lambda n, b=before: n >= b)
            others = [a for a in ("0", "0.5", "1.00", "2", "9") if fits(Decimal(a))]
            detail[name] = draw(st.sampled_from([detail[name], *others]))
    if detail.get("from"):
        detail["from"] = draw(st.lists(st.sampled_from(detail["from"])))
    return detail


def is_matched_by_trying(details: Details, others: Details) -> bool:
    """Tell the same by the definition: some choice of different parents fits all."""
    return any(
        all(
            child["type"] == other["type"] and TYPES[child["type"]].is_within(child, other)
            for child, other in zip(details, chosen, strict=True)
        )
        for chosen in permutations(others, len(details))
    )


@given(SOUND)
def test_all_is_within_itself_in_any_order(details: Details) -> None:
    assert is_each_within(details, details, TYPES)
    assert is_each_within(reversed(details), details, TYPES)


@settings(max_examples=settings.default.max_examples * 10)
@given(DETAILS, DETAILS)
def test_a_match_is_found_wherever_there_is_one(details: Details, others: Details) -> None:
    is_match = is_each_within(details, others, TYPES)
    event(f"a match: {is_match}")
    assert is_match == is_matched_by_trying(details, others)


@given(st.data())
def test_what_passes_two_narrowings_passes_one(data: st.DataObject) -> None:
    root = data.draw(SOUND)
    child = data.draw(less_than(root))
    grandchild = data.draw(less_than(child))
    assert is_each_within(child, root, TYPES)
    assert is_each_within(grandchild, child, TYPES)
    assert is_each_within(grandchild, root, TYPES)


@given(ALIKE, ALIKE, ALIKE)
def test_nor_does_any_detail_between_two_widen(first: Any, second: Any, third: Any) -> None:
    for known in TYPES.values():
        if known.is_within(third, second) and known.is_within(second, first):
            event("one between two")
            assert known.is_within(third, first)


@given(DETAILS)
def test_more_of_them_are_never_within_fewer(details: Details) -> None:
    assume(details)
    assert not is_each_within(details, details[1:], TYPES)


@given(ORDERS.filter(is_sound), st.data())
def test_a_member_more_or_less_makes_two_that_do_not_compare(
    detail: dict[str, Any], data: st.DataObject
) -> None:
    left_out = data.draw(st.sampled_from(sorted(detail)))
    less = {name: value for name, value in detail.items() if name != left_out}
    assert not ORDER.is_within(less, detail)
    assert not ORDER.is_within(detail, less)


@pytest.mark.parametrize(
    ("value", "other"), [(True, 1), ("1", 1), (["x"], "x"), ({"a": 1}, {"a": True}), ([], {})]
)
def test_what_is_not_the_same_json_is_not_equal(value: Any, other: Any) -> None:
    detail = {"type": "order", "what": value}
    assert ORDER.is_within(detail, dict(detail))
    assert not ORDER.is_within(detail, detail | {"what": other})
    assert not ORDER.is_within(detail | {"what": other}, detail)


def holding(details: Details, approval_id: str | None) -> Delegation:
    return Delegation(
        id="n1",
        root_id="n1",
        parent_id=None,
        path="n1/",
        depth=1,
        chain=("planner",),
        actor="planner",
        person_id="p1",
        task_id="t1",
        scope=scopes_of(details, TYPES) | {"shop:look"},
        target="https://id.example",
        resources=frozenset(),
        pass_on=frozenset(),
        max_depth=3,
        lease_hash=None,
        created_at=0,
        expires_at=1,
        details=write_details(details),
        approval_id=approval_id,
    )


@st.composite
def exchanges(draw: st.DrawFn) -> tuple[Delegation, Details | None, frozenset[str]]:
    """Return a parent, what is asked for, often of what it holds, and for which scope."""
    details = draw(SOUND)
    parent = holding(details, draw(st.sampled_from([None, "a1"])))
    asked = draw(st.none() | DETAILS | less_than(details))
    scope = draw(st.frozensets(st.sampled_from([*sorted(BOUND), "shop:look"]), min_size=1))
    return parent, asked, scope & parent.scope


@settings(max_examples=settings.default.max_examples * 10)
@given(exchanges())
def test_a_child_never_holds_what_its_parent_has_not(
    exchange: tuple[Delegation, Details | None, frozenset[str]],
) -> None:
    parent, asked, scope = exchange
    try:
        text = narrow_details(parent, asked, TYPES, scope, scope & BOUND)
    except Refusal as refusal:
        event(refusal.rule)
        return
    got = read_details(text)
    event(f"given: {bool(got)}")
    assert is_each_within(got, read_details(parent.details), TYPES)
    assert scopes_of(got, TYPES) == scope & BOUND, "no scope without a detail, nor the reverse"
    assert asked is None or write_details(asked) == text, "what is asked for, or a refusal"
    if parent.approval_id is not None:
        assert "payment" not in {detail["type"] for detail in got}, (
            "what is used up goes no further"
        )

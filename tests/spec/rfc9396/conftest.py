"""A world in which two scopes are bound to types: a payment, which is used up, and folders."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from deputize.agents.models import find_agent
from deputize.catalogue.details import DetailsType
from deputize.catalogue.models import Scope
from deputize.endings.edit_catalogue import declare_details_type, declare_scope
from support.asking import Asking
from support.world import CALENDAR, PAY, World

PAYMENT = DetailsType(
    type="payment",
    scope="pay:order",
    schema=json.dumps(
        {
            "type": "object",
            "properties": {
                "type": {"const": "payment"},
                "amount": {"type": "string"},
                "currency": {"enum": ["EUR", "USD"]},
                "creditor": {"type": "string", "maxLength": 60},
            },
            "required": ["type", "amount", "currency", "creditor"],
            "additionalProperties": False,
        }
    ),
    template="Pay {currency:symbol}{amount} to {creditor}",
    compare=json.dumps({"amount": "at_most"}),
    consumable="amount",
)
FOLDERS = DetailsType(
    type="folders",
    scope="files:read",
    schema=json.dumps({"type": "object", "required": ["type", "folders"]}),
    template="Read {folders}",
    compare=json.dumps({"folders": "subset", "size": "range"}),
)


def payment(amount: str = "420.00", **members: Any) -> dict[str, Any]:
    usual = {"type": "payment", "currency": "EUR", "creditor": "Airline X"}
    return usual | {"amount": amount} | members


def folders(*names: str, **members: Any) -> dict[str, Any]:
    return {"type": "folders", "folders": list(names), **members}


def spelled(*details: Any) -> str:
    return json.dumps(details)


def declare(world: World) -> None:
    db = world.context.db
    declare_scope(db, Scope("pay:order", PAY, "Pay for orders", delegable=True))
    declare_scope(db, Scope("files:read", CALENDAR, "Read files"))
    declare_details_type(db, PAYMENT)
    declare_details_type(db, FOLDERS)
    more = {"pay:order", "files:read"}
    for client_id in ("planner", "booker"):
        with world.context.db.read() as tx:
            known = find_agent(tx, client_id)
        assert known is not None
        world.edit(client_id, scope=known.scope | more)


@pytest.fixture(scope="module")
def world(world_on_each_engine: World) -> Iterator[World]:
    declare(world_on_each_engine)
    return world_on_each_engine


@pytest.fixture
def buying(asking: Asking) -> Asking:
    """Planner, who asks for payments."""

    def ask(**params: Any) -> Any:
        usual = {"scope": "openid pay:order", "authorization_details": spelled(payment())}
        return Asking.ask(asking, **usual | params)

    asking.ask = ask  # type: ignore[method-assign]
    return asking

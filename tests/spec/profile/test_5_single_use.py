"""Tokens that are good for one use: opaque, and spent by the API that they are for."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from deputize.catalogue.models import ResourceServer, Scope
from deputize.core.secrets import digest
from deputize.endings.edit_catalogue import declare_scope, declare_server
from deputize.host import Person
from support.agents_http import Agent, decode, outcome
from support.asking import Asking
from support.world import SECRET, World

pytestmark = pytest.mark.section("profile", "5")

BANK, SHOP, VAGUE = (f"https://{name}.example" for name in ("bank", "shop", "vague"))


@pytest.fixture(scope="module")
def world(world_on_each_engine: World) -> World:
    db = world_on_each_engine.context.db
    for identifier, use_id in ((BANK, True), (SHOP, False), (VAGUE, None)):
        name = identifier.removeprefix("https://").removesuffix(".example")
        declare_server(db, ResourceServer(identifier, name, f"{name}-api", digest(SECRET), use_id))
        declare_scope(db, Scope(f"{name}:pay", identifier, "Pay once", single_use=True))
    scopes = frozenset({"calendar:read", "bank:pay", "shop:pay", "vague:pay"})
    world_on_each_engine.register(
        "payer",
        scope=scopes,
        resources=frozenset({"https://calendar.example", BANK, SHOP, VAGUE}),
    )
    return world_on_each_engine


@pytest.fixture
def asking(world: World) -> Asking:
    person = f"person-{len(world.host.people)}"
    world.host.people[person] = Person(person, person.title())
    asked = {"scope": "calendar:read", "resource": [BANK, SHOP, VAGUE]}
    return Asking(world, world.agent("payer"), world.hold("payer", person, **asked), person)


def token_for(asking: Asking, api: str, name: str) -> str:
    asked = asking.asked(scope=f"openid {name}", resource=api)
    asking.say_yes()
    return str(asking.poll(asked).json()["access_token"])


def at_bank(world: World) -> Agent:
    return world.api("bank-api")


def test_it_is_opaque_and_only_its_hash_is_kept(asking: Asking) -> None:
    token = token_for(asking, BANK, "bank:pay")
    assert token.startswith("duse_")
    with asking.world.context.db.read() as tx:
        rows = tx.connection.exec_driver_sql("SELECT * FROM deputize_single_use").all()
    assert token not in repr(rows)


def test_it_says_everything_once_and_then_nothing(asking: Asking) -> None:
    token, bank = token_for(asking, BANK, "bank:pay"), at_bank(asking.world)
    told = bank.introspect(token, use_id="execution-1").json()
    assert told["active"] is True
    assert (told["sub"], told["aud"], told["scope"]) == (asking.person, BANK, "bank:pay")
    assert told["act"]["sub"] == "payer"
    assert bank.introspect(token, use_id="execution-2").json() == {"active": False}
    used = [e for e in asking.world.events("token.used") if e["facts"]["jti"] == told["jti"]]
    assert len(used) == 1


def test_the_person_is_told_that_it_was_used_and_not_that_it_is_good(asking: Asking) -> None:
    token, world = token_for(asking, BANK, "bank:pay"), asking.world
    browser = world.browser(asking.person)
    assert "good <time" in browser.get(world.metadata["approvals_page"]).text
    assert at_bank(world).introspect(token, use_id="execution-1").json()["active"] is True
    page = browser.get(world.metadata["approvals_page"]).text
    assert re.search(r"<li>used <time[^>]*>just now<", page)
    assert "good <time" not in page
    assert ">Stop <" not in page


def test_the_same_execution_may_ask_again_for_a_minute(asking: Asking) -> None:
    token, bank = token_for(asking, BANK, "bank:pay"), at_bank(asking.world)
    for _ in range(2):
        assert bank.introspect(token, use_id="execution-1").json()["active"] is True
    asking.world.pass_time(61)
    assert bank.introspect(token, use_id="execution-1").json() == {"active": False}


@pytest.mark.parametrize("use_id", [None, "", "x" * 129])
def test_a_use_that_is_not_named_is_none_and_spends_nothing(
    asking: Asking, use_id: str | None
) -> None:
    token, bank = token_for(asking, BANK, "bank:pay"), at_bank(asking.world)
    assert bank.introspect(token, use_id=use_id).json() == {"active": False}
    assert bank.introspect(token, use_id="execution-1").json()["active"] is True


def test_where_each_question_is_a_use_the_second_finds_nothing(asking: Asking) -> None:
    token, shop = token_for(asking, SHOP, "shop:pay"), asking.world.api("shop-api")
    assert shop.introspect(token).json()["active"] is True
    assert shop.introspect(token, use_id="anything").json() == {"active": False}


def test_of_twenty_uses_at_once_one_is_good(asking: Asking) -> None:
    token, bank = token_for(asking, BANK, "bank:pay"), at_bank(asking.world)
    with ThreadPoolExecutor(20) as pool:
        answers = list(
            pool.map(lambda n: bank.introspect(token, use_id=f"execution-{n}").json(), range(20))
        )
    assert [a["active"] for a in answers].count(True) == 1


def test_nobody_else_spends_it(asking: Asking) -> None:
    token, world = token_for(asking, BANK, "bank:pay"), asking.world
    assert world.api("shop-api").introspect(token, use_id="x").json() == {"active": False}
    assert world.agent("mallory").introspect(token, use_id="x").json() == {"active": False}
    assert asking.agent.introspect(token).json()["active"] is True
    assert at_bank(world).introspect(token, use_id="execution-1").json()["active"] is True
    assert asking.agent.introspect(token).json() == {"active": False}


def test_it_is_good_for_no_exchange(asking: Asking) -> None:
    token = token_for(asking, BANK, "bank:pay")
    assert outcome(asking.agent.exchange(token)) == (400, "invalid_request")


def test_it_ends_by_revocation_and_with_what_it_hangs_on(asking: Asking) -> None:
    for end in (lambda t: t, lambda _: asking.hold):
        token = token_for(asking, BANK, "bank:pay")
        assert asking.agent.revoke(end(token)).status_code == 200
        assert at_bank(asking.world).introspect(token, use_id="x").json() == {"active": False}


def test_a_lost_reply_gets_another_unless_it_was_used(asking: Asking) -> None:
    asked = asking.asked(scope="openid bank:pay", resource=BANK)
    asking.say_yes()
    first, second = (asking.poll(asked).json()["access_token"] for _ in range(2))
    bank = at_bank(asking.world)
    assert bank.introspect(first, use_id="execution-1").json() == {"active": False}
    assert bank.introspect(second, use_id="execution-1").json()["active"] is True
    assert outcome(asking.poll(asked)) == (400, "invalid_grant")


def test_where_the_api_does_not_say_what_a_use_is_nobody_is_asked(asking: Asking) -> None:
    answer = asking.ask(scope="openid vague:pay", resource=VAGUE)
    assert outcome(answer) == (403, "access_denied")


def test_it_is_asked_for_by_the_exchange_too(asking: Asking) -> None:
    answer = asking.agent.exchange(
        asking.hold, resource=BANK, scope="bank:pay", binding_message="TP1234"
    )
    asking.say_yes()
    token = asking.poll(answer.json()["auth_req_id"]).json()["access_token"]
    assert at_bank(asking.world).introspect(token, use_id="x").json()["active"] is True
    assert decode(asking.hold)[1]["sub"] == asking.person

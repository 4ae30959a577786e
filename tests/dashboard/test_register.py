"""The register: who finds which agents, by what they need a look for, page by page."""

import re

import pytest

from dashboard.conftest import REGISTER, Looker, Trip, later
from deputize.agents.lifecycle import Status
from support.world import FLIGHTS, World

DAY = 86_400


def listed(who: Looker, query: str = "") -> list[str]:
    """Return the client ids of the list, over all its pages."""
    found: list[str] = []
    path = f"{REGISTER}{query}"
    while path:
        html = who.http.get(path).raise_for_status().text
        found += re.findall(rf'<h2[^>]*><a href="{REGISTER}/([^"]+)"', html)
        more = re.search(r'href="([^"]+)">More agents', html)
        path = more[1].replace("&amp;", "&") if more else ""
    return found


def now(world: World) -> int:
    with world.context.db.read() as tx:
        return tx.now


class TestWhose:
    def test_an_owner_and_a_sponsor_find_theirs_and_no_others(self, calm: Trip) -> None:
        assert calm.planner in listed(Looker(calm.world, "sue"))
        assert calm.booker not in listed(Looker(calm.world, "sue"))
        assert calm.booker in listed(Looker(calm.world, "otto"))
        assert calm.planner not in listed(Looker(calm.world, "otto"))

    @pytest.mark.parametrize("query", ["", "?mine=", "?whose=all", "?state=retired", "?after=a"])
    def test_somebody_else_finds_nothing_whatever_they_ask(self, calm: Trip, query: str) -> None:
        assert listed(Looker(calm.world, "eve"), query) == []

    @pytest.mark.parametrize("name", ["sec", "adm"])
    def test_the_security_team_and_administrators_find_all(self, calm: Trip, name: str) -> None:
        assert {calm.planner, calm.booker} <= set(listed(Looker(calm.world, name)))
        assert listed(Looker(calm.world, name), "?mine=1") == []

    def test_who_is_not_signed_in_signs_in_and_comes_back(self, world: World) -> None:
        answer = world.browser(None).get(f"{REGISTER}?state=pending")
        assert answer.status_code == 303
        assert answer.headers["Location"] == (
            "/sign-in?next=%2Fdeputize%2Fregister%3Fstate%3Dpending"
        )


class TestWhatNeedsALook:
    @pytest.fixture
    def security(self, world: World) -> Looker:
        return Looker(world, "sec")

    def test_helpers_and_retired_agents_are_apart(self, trip: Trip, security: Looker) -> None:
        assert trip.helper not in listed(security)
        assert trip.helper in listed(security, "?state=helpers")
        trip.world.stop(trip.planner, Status.RETIRED)
        assert trip.planner not in listed(security)
        assert trip.planner in listed(security, "?state=retired")

    def test_an_agent_that_nobody_answers_for(self, trip: Trip, security: Looker) -> None:
        trip.world.register("stray", owner=None, origin="self", status=Status.PENDING)
        assert listed(security, "?state=ownerless") == ["stray"]
        assert "stray" in listed(security, "?state=pending")
        assert trip.planner not in listed(security, "?state=pending")

    def test_an_agent_whose_owner_has_left(self, world: World, security: Looker) -> None:
        world.host.people["leo"] = world.host.people["eve"].__class__("leo", "Leo")
        world.register("left-behind", owner="leo")
        world.hold("left-behind", "leo")
        assert "left-behind" not in listed(security, "?state=ownerless")
        world.leave("leo")
        assert "left-behind" in listed(security, "?state=ownerless")

    def test_an_agent_that_got_no_token_for_a_while(self, trip: Trip, security: Looker) -> None:
        assert "mallory" in listed(security, "?state=unused")
        assert trip.booker not in listed(security, "?state=unused&days=7")
        with later(trip.world, 8 * DAY):
            assert trip.booker in listed(security, "?state=unused&days=7")
            assert trip.booker not in listed(security, "?state=unused&days=30")

    def test_a_new_agent_is_not_unused_yet(self, world: World, security: Looker) -> None:
        world.register("newcomer", created_at=now(world) - DAY)
        assert "newcomer" not in listed(security, "?state=unused&days=7")

    def test_a_token_for_itself_is_a_use(self, world: World, security: Looker) -> None:
        world.register("loner")
        assert "loner" in listed(security, "?state=unused")
        own = {"grant_type": "client_credentials", "scope": "flights:search", "resource": FLIGHTS}
        assert world.agent("loner").post("token_endpoint", **own).status_code == 200
        assert "loner" not in listed(security, "?state=unused")

    def test_an_agent_that_expires_soon(self, world: World, security: Looker) -> None:
        world.register("brief", expires_at=now(world) + 20 * DAY)
        assert "brief" in listed(security, "?state=expiring&days=30")
        assert "brief" not in listed(security, "?state=expiring&days=7")

    def test_a_suspended_agent(self, trip: Trip, security: Looker) -> None:
        trip.world.stop(trip.booker)
        assert trip.booker in listed(security, "?state=suspended")
        assert trip.planner not in listed(security, "?state=suspended")


def test_a_long_list_goes_on_where_it_stopped(world: World) -> None:
    world.host.people["max"] = world.host.people["eve"].__class__("max", "Max")
    names = [f"of-max-{number:03}" for number in range(120)]
    for name in names:
        world.register(name, owner="max")
    assert listed(Looker(world, "max")) == names


@pytest.mark.parametrize(
    "query", ["?state=x&days=9&after=%00", "?after=%ff", "?days=99999999999999999999", "?state="]
)
def test_what_makes_no_sense_is_as_if_it_were_not_there(world: World, query: str) -> None:
    assert Looker(world, "sec").http.get(f"{REGISTER}{query}").status_code == 200

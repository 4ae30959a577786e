"""One agent's page: what it tells whom, and its presses under attack."""

import json

import pytest

from dashboard.conftest import REGISTER, Looker, Trip
from deputize.agents.lifecycle import Status
from deputize.agents.models import find_agent
from support import agents_http
from support.asking import Asking
from support.world import SECRET, World

OUTSIDERS = ("ana", "otto", "eve")


def page_of(client_id: str, press: str = "") -> str:
    return f"{REGISTER}/{client_id}{press and f'/{press}'}"


def status_of(world: World, client_id: str) -> str:
    with world.context.db.read() as tx:
        known = find_agent(tx, client_id)
    assert known is not None
    return known.status


class TestWhoSeesIt:
    @pytest.mark.parametrize("name", ["ben", "sue", "sec", "adm"])
    def test_who_answers_for_it_and_who_looks_after_all(self, calm: Trip, name: str) -> None:
        said = Looker(calm.world, name).see(page_of(calm.planner))
        assert f"{calm.planner} ● active" in said
        assert "Owner Ben Sponsor Sue Sponsor" in said

    @pytest.mark.parametrize("name", OUTSIDERS)
    @pytest.mark.parametrize("press", ["", "suspend", "resume", "retire"])
    def test_for_everybody_else_it_is_as_if_it_never_was(
        self, calm: Trip, name: str, press: str
    ) -> None:
        who = Looker(calm.world, name, freshly=True)
        there = who.http.get(page_of(calm.planner, press))
        nowhere = who.http.get(page_of("no-such-agent", press))
        assert (there.status_code, there.text) == (nowhere.status_code, nowhere.text)
        assert there.status_code == 404

    @pytest.mark.parametrize("client_id", ["%00", "%ff", "a b", "a" * 300, "<b>"])
    def test_a_name_that_can_be_none_is_not_there(self, world: World, client_id: str) -> None:
        for press in ("", "suspend"):
            answer = Looker(world, "adm").http.get(page_of(client_id, press))
            assert answer.status_code == 404


class TestWhatItTells:
    def test_keys_by_their_thumbprint_and_nothing_secret(self, calm: Trip) -> None:
        world = calm.world
        said = Looker(world, "ben").see(page_of(calm.planner))
        key = world.keys[calm.planner]
        assert f"EC P-256, ES256 thumbprint {agents_http.thumbprint(key)}" in said
        assert json.loads(json.dumps(key.as_dict(private=True)))["d"] not in said

    def test_a_secret_is_never_told_nor_its_hash(self, world: World) -> None:
        world.register(
            "by-secret",
            jwks=None,
            token_endpoint_auth_method="client_secret_basic",
            secret_digest="0" * 64,
        )
        html = Looker(world, "ben").http.get(page_of("by-secret")).text
        assert "By a client secret, of which only the hash is kept." in html
        assert "0" * 64 not in html
        assert SECRET not in html

    def test_whom_it_acts_for_by_name(self, calm: Trip) -> None:
        said = Looker(calm.world, "otto").see(page_of(calm.booker))
        assert "Whom it acts for Ana ● active Start helpers of its own Search flights" in said

    def test_what_it_holds_no_more_is_gone(self, trip: Trip) -> None:
        trip.world.agent(trip.planner).revoke(trip.holds[trip.planner])
        said = Looker(trip.world, "ben").see(page_of(trip.planner))
        assert "It acts for nobody right now." in said
        assert "was stopped, with 8 delegations" in said

    def test_questions_are_counted_and_their_content_is_the_persons(self, trip: Trip) -> None:
        asking = Asking(trip.world, trip.world.agent(trip.booker), trip.holds[trip.booker], "ana")
        asking.asked(binding_message="Only Ana reads this")
        for name in ("otto", "sec", "adm"):
            answer = Looker(trip.world, name).http.get(page_of(trip.booker))
            assert "Only Ana reads this" not in answer.text
            assert "Wait for an answer</dt><dd><bdi>1<" in answer.text
            assert "asked the person" in answer.text

    def test_an_agents_own_words_stay_text(self, world: World) -> None:
        words = "</bdi><script>alert(1)</script>\u202e"
        world.register("loud", name=words, purpose=words, model=words)
        for path in (page_of("loud"), page_of("loud", "suspend"), REGISTER):
            html = Looker(world, "ben").http.get(path).text
            assert "<script>alert" not in html
            assert "\u202e" not in html.partition("<dl")[0]


class TestSuspending:
    @pytest.mark.parametrize("name", ["ben", "sue", "sec", "adm"])
    def test_says_first_what_ends_and_ends_exactly_that(self, trip: Trip, name: str) -> None:
        who = Looker(trip.world, name)
        assert trip.live() == {trip.planner, trip.booker, trip.helper}
        said = who.see(page_of(trip.planner, "suspend"))
        assert "This ends 8 delegations and 1 task. 1 helper is retired." in said
        assert trip.live() == {trip.planner, trip.booker, trip.helper}
        answer = who.press(page_of(trip.planner, "suspend"))
        assert answer.headers["Location"] == page_of(trip.planner)
        assert trip.live() == set()
        assert status_of(trip.world, trip.planner) == "suspended"
        assert status_of(trip.world, trip.helper) == "retired"
        ended = "was suspended, with 8 delegations, 1 task and 1 helper"
        assert ended in who.see(page_of(trip.planner))
        (told,) = [e for e in trip.world.events("agent.suspended") if e["agent"] == trip.planner]
        assert told["facts"]["by"]
        assert told["facts"]["by"] != name

    def test_what_has_come_in_since_it_was_said_is_told_afterwards(self, trip: Trip) -> None:
        who = Looker(trip.world, "ben")
        assert "This ends 8 delegations" in who.see(page_of(trip.planner, "suspend"))
        trip.world.hold(trip.planner, "eve")
        trip.world.pass_time(1)  # the newest stands first
        who.press(page_of(trip.planner, "suspend"))
        told = "was suspended, with 9 delegations, 2 tasks and 1 helper"
        assert told in who.see(page_of(trip.planner))

    @pytest.mark.parametrize("name", OUTSIDERS)
    @pytest.mark.parametrize("press", ["suspend", "retire", "resume"])
    def test_nobody_else_does_by_a_request_of_their_own(
        self, calm: Trip, name: str, press: str
    ) -> None:
        answer = Looker(calm.world, name, freshly=True).forge(page_of(calm.planner, press))
        assert answer.status_code == 404
        assert status_of(calm.world, calm.planner) == "active"

    def test_a_form_of_somebody_elses_session_is_only_shown_again(self, calm: Trip) -> None:
        owner = Looker(calm.world, "ben")
        stolen = Looker(calm.world, "eve").http.get("/deputize/user-code").text
        token = stolen.partition('name="csrf_token" value="')[2].partition('"')[0]
        answer = owner.http.post(page_of(calm.planner, "suspend"), data={"csrf_token": token})
        assert answer.status_code == 200
        assert "This ends 8 delegations" in answer.text
        assert owner.http.post(page_of(calm.planner, "suspend")).status_code == 200
        assert status_of(calm.world, calm.planner) == "active"

    def test_a_get_never_does_anything(self, calm: Trip) -> None:
        for name in ("ben", "sec", "adm"):
            who = Looker(calm.world, name, freshly=True)
            for press in ("", "suspend", "retire", "resume"):
                who.http.get(page_of(calm.planner, press))
        assert calm.live() == {calm.planner, calm.booker, calm.helper}


class TestStartingAgain:
    @pytest.fixture
    def stopped(self, trip: Trip) -> Trip:
        trip.world.stop(trip.planner)
        return trip

    @pytest.mark.parametrize("name", ["ben", "adm"])
    def test_its_owner_or_an_administrator_does_and_nothing_revives(
        self, stopped: Trip, name: str
    ) -> None:
        who = Looker(stopped.world, name, freshly=True)
        assert "Nothing ends with it." in who.see(page_of(stopped.planner, "resume"))
        who.press(page_of(stopped.planner, "resume"))
        assert status_of(stopped.world, stopped.planner) == "active"
        assert stopped.live() == set()

    @pytest.mark.parametrize("name", ["sue", "sec", "ana", "eve"])
    def test_a_sponsor_and_the_security_team_stop_and_do_not_start(
        self, stopped: Trip, name: str
    ) -> None:
        who = Looker(stopped.world, name, freshly=True)
        assert who.forge(page_of(stopped.planner, "resume")).status_code == 404
        assert status_of(stopped.world, stopped.planner) == "suspended"

    def test_a_session_that_was_left_open_is_not_enough(self, stopped: Trip) -> None:
        who = Looker(stopped.world, "ben")
        for answer in (
            who.http.get(page_of(stopped.planner, "resume")),
            who.forge(page_of(stopped.planner, "resume")),
        ):
            assert answer.status_code == 303
            assert answer.headers["Location"].startswith("/sign-in?next=")
        assert status_of(stopped.world, stopped.planner) == "suspended"

    def test_an_owner_does_not_let_in_what_waits_to_be_adopted(self, world: World) -> None:
        world.register("waiting", status=Status.PENDING)
        for name in ("ben", "adm"):
            who = Looker(world, name, freshly=True)
            assert who.forge(page_of("waiting", "resume")).status_code == 404
        assert status_of(world, "waiting") == "pending"


class TestRetiring:
    @pytest.mark.parametrize("name", ["sue", "sec"])
    def test_is_not_for_who_may_only_stop(self, calm: Trip, name: str) -> None:
        who = Looker(calm.world, name, freshly=True)
        assert who.forge(page_of(calm.planner, "retire")).status_code == 404
        assert status_of(calm.world, calm.planner) == "active"

    def test_is_for_good(self, trip: Trip) -> None:
        owner = Looker(trip.world, "ben", freshly=True)
        owner.press(page_of(trip.planner, "retire"))
        assert status_of(trip.world, trip.planner) == "retired"
        assert trip.live() == set()
        for press in ("suspend", "resume", "retire"):
            assert owner.forge(page_of(trip.planner, press)).status_code == 404
        assert f"{trip.planner} ○ retired" in owner.see(page_of(trip.planner))

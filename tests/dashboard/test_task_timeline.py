"""A task's timeline: who sees it, and that it tells all that happened in order."""

import re

import pytest

from dashboard.conftest import TASKS, Looker, Trip
from support.asking import Asking
from support.world import World


@pytest.mark.parametrize("name", ["ana", "ben", "sec", "adm"])
def test_the_person_the_first_agents_owner_and_the_security_team_see_it(
    calm: Trip, name: str
) -> None:
    assert f"A task of {calm.planner} ● active for Ana" in Looker(calm.world, name).see(
        f"{TASKS}/{calm.task}"
    )


@pytest.mark.parametrize("name", ["sue", "otto", "eve"])
def test_for_everybody_else_it_is_as_if_it_never_was(calm: Trip, name: str) -> None:
    who = Looker(calm.world, name)
    there = who.http.get(f"{TASKS}/{calm.task}")
    nowhere = who.http.get(f"{TASKS}/{'0' * 16}")
    assert (there.status_code, there.text) == (nowhere.status_code, nowhere.text)
    assert there.status_code == 404


@pytest.mark.parametrize("task_id", ["%00", "x", "a" * 300, "%ff" * 16])
def test_an_id_that_can_be_none_is_not_there(world: World, task_id: str) -> None:
    assert Looker(world, "sec").http.get(f"{TASKS}/{task_id}").status_code == 404


def test_it_tells_start_hand_overs_questions_and_the_end_in_order(trip: Trip) -> None:
    world = trip.world
    world.pass_time(60)
    asking = Asking(world, world.agent(trip.booker), trip.holds[trip.booker], "ana")
    asking.asked(binding_message="Only Ana reads this")
    world.pass_time(60)
    world.agent(trip.planner).revoke(trip.holds[trip.planner])
    for name in ("ana", "sec"):
        html = Looker(world, name).http.get(f"{TASKS}/{trip.task}").text
        listed = html.partition('<ol class="happened">')[2].partition("</ol>")[0]
        said = " ".join(re.sub(r"<[^>]+>", " ", listed).split())
        order = [
            "the task began",
            f"{trip.planner} was let act",
            f"{trip.booker} was handed a part by {trip.planner}",
            f"was handed a part by {trip.booker}",
            f"{trip.booker} asked the person",
            f"{trip.planner} was stopped, with 8 delegations",
        ]
        places = [said.index(words) for words in order]
        assert places == sorted(places)
        assert "the task ended" in said
        assert "Only Ana reads this" not in html
        assert html.count('class="lane ended"') == 3

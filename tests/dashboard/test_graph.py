"""The graph: who sees which nodes, what lights up, and that exactly this ends."""

import re

import pytest

from dashboard.conftest import GRAPH, Looker, Trip, later
from deputize.dashboard.blast_radius import radius_of_agent, radius_of_node
from deputize.endings.end_delegation import end_delegation, find_delegation
from deputize.endings.stop_agent import stop_agent
from support.agents_http import decode
from support.asking import Asking
from support.world import CALENDAR, FLIGHTS, World


def spots(html: str) -> dict[str, str]:
    """Return what is drawn, by its whole name, with its classes."""
    found = re.findall(r'<a class="(spot[^"]*)" id="n-[^"]+"[^>]* aria-label="([^",]+)', html)
    named = re.findall(r'<g class="(spot named)">.*?class="name"[^>]*>([^<]+)<', html, re.DOTALL)
    return {name: classes.removeprefix("spot ") for classes, name in [*found, *named]}


def drawn(who: Looker, **asked: str) -> dict[str, str]:
    """Return the nodes that somebody sees."""
    return spots(who.http.get(GRAPH, params=asked).raise_for_status().text)


def of(trip: Trip, **classes: str) -> dict[str, str]:
    helper = f"{trip.booker} · helper {trip.helper.partition('.')[2][:4]}"
    names = {"planner": trip.planner, "booker": trip.booker, "helper": helper, "person": "Ana"}
    return {names[who]: said for who, said in classes.items()}


class TestWhoSeesWhat:
    @pytest.mark.parametrize("name", ["ana", "ben", "sue", "sec", "adm"])
    def test_the_person_who_answers_for_the_first_agent_and_the_security_team_see_all(
        self, calm: Trip, name: str
    ) -> None:
        assert drawn(Looker(calm.world, name), task=calm.task) == of(
            calm, person="person", planner="active", booker="active", helper="active"
        )

    def test_who_answers_for_a_later_agent_sees_it_and_who_is_only_named(self, calm: Trip) -> None:
        who = Looker(calm.world, "otto")
        assert drawn(who, task=calm.task) == of(
            calm, person="person", planner="named", booker="active", helper="active"
        )
        table = who.see(f"{GRAPH}?task={calm.task}&view=table")
        assert f"{calm.planner} Ana named in the chain nothing {calm.booker}" in table
        assert "calendar" not in table.replace("calendar.example", "")

    def test_somebody_else_sees_nothing_whatever_they_ask(self, calm: Trip) -> None:
        eve, node = Looker(calm.world, "eve"), calm.node(calm.booker)
        for asked in ({}, {"task": calm.task}, {"node": node}, {"agent": calm.booker}):
            assert drawn(eve, **asked, state="all") == {}
        there = eve.http.get(GRAPH, params={"node": node}).text
        nowhere = eve.http.get(GRAPH, params={"node": "0" * 16}).text
        assert there.replace(node, "") == nowhere.replace("0" * 16, "")

    def test_two_people_of_one_agent_do_not_see_each_other(self, trip: Trip) -> None:
        trip.world.hold(trip.planner, "eve")
        assert set(drawn(Looker(trip.world, "eve"))) == {"Eve", trip.planner}
        both = drawn(Looker(trip.world, "sue"), agent=trip.planner)
        assert {"Ana", "Eve"} <= set(both)


class TestLookingAtANode:
    def test_lights_up_all_that_ends_with_it_and_says_how_much(self, calm: Trip) -> None:
        who, node = Looker(calm.world, "ben"), calm.node(calm.booker)
        assert drawn(who, task=calm.task, node=node) == of(
            calm,
            person="person",
            planner="active",
            booker="active chosen falls",
            helper="active falls",
        )
        said = who.see(f"{GRAPH}?node={node}")
        assert "This ends 5 delegations. 1 helper is retired." in said

    def test_the_root_is_the_task(self, calm: Trip) -> None:
        said = Looker(calm.world, "ben").see(f"{GRAPH}?node={calm.node(calm.planner)}")
        assert "This ends 8 delegations and 1 task. 1 helper is retired." in said

    def test_what_waits_for_an_answer_is_told_and_would_be_withdrawn(self, trip: Trip) -> None:
        asking = Asking(trip.world, trip.world.agent(trip.booker), trip.holds[trip.booker], "ana")
        asking.asked()
        who = Looker(trip.world, "sec")
        assert drawn(who, task=trip.task)[trip.booker] == "waiting"
        said = who.see(f"{GRAPH}?node={trip.node(trip.booker)}")
        assert "1 waiting approval is withdrawn." in said

    def test_the_table_holds_the_same_nodes(self, calm: Trip) -> None:
        node = calm.node(calm.booker)
        who = Looker(calm.world, "ana")
        table = who.see(f"{GRAPH}?task={calm.task}&node={node}&view=table")
        helper = f"{calm.booker} · helper {calm.helper.partition('.')[2][:4]}"
        assert f"{calm.planner} Ana ● active" in table
        assert f"{calm.booker} Ana → {calm.planner} ● active ends with it" in table
        assert f"{helper} Ana → {calm.planner} → {calm.booker} ● active ends with it" in table
        assert "Start helpers of its own until" in table


class TestEnding:
    @pytest.mark.parametrize("name", ["ana", "ben", "sue", "otto", "sec", "adm"])
    def test_ends_exactly_what_lit_up_and_is_seen_to_end(self, trip: Trip, name: str) -> None:
        who, node = Looker(trip.world, name), trip.node(trip.booker)
        answer = who.press(f"{GRAPH}?task={trip.task}&node={node}")
        assert answer.status_code == 303
        assert trip.live() == {trip.planner}
        after = spots(who.http.get(answer.headers["Location"]).text)
        assert after[trip.booker] == "ended chosen"
        with later(trip.world, 600):
            assert trip.booker not in drawn(who, task=trip.task)
            assert drawn(who, task=trip.task, state="ended")[trip.booker] == "ended"

    def test_the_persons_own_press_is_theirs_and_others_are_told_apart(self, trip: Trip) -> None:
        Looker(trip.world, "sec").press(f"{GRAPH}?node={trip.node(trip.helper)}")
        Looker(trip.world, "ana").press(f"{GRAPH}?node={trip.node(trip.booker)}")
        ended = [e for e in trip.world.events("delegation.ended") if e["task_id"] == trip.task]
        assert {e["facts"]["why"] for e in ended} == {"cut_in_the_graph", "ended_by_person"}
        assert all(e["facts"]["by"] for e in ended)

    def test_otto_who_answers_for_booker_does_not_end_what_planner_holds(self, calm: Trip) -> None:
        root = calm.node(calm.planner)
        for name in ("otto", "eve"):
            who = Looker(calm.world, name)
            there = who.forge(f"{GRAPH}/{root}/end")
            nowhere = who.forge(f"{GRAPH}/{'0' * 16}/end")
            assert (there.status_code, there.text) == (nowhere.status_code, nowhere.text)
            assert there.status_code == 404
        assert calm.live() == {calm.planner, calm.booker, calm.helper}

    def test_nothing_ends_without_a_form_of_this_session(self, calm: Trip) -> None:
        who, end = Looker(calm.world, "ana"), f"{GRAPH}/{calm.node(calm.planner)}/end"
        assert who.http.post(end).status_code == 303
        assert who.http.get(end).status_code == 405
        assert calm.world.browser(None).post(end).headers["Location"].startswith("/sign-in")
        assert calm.live() == {calm.planner, calm.booker, calm.helper}

    def test_what_has_ended_meanwhile_is_no_press_and_no_second_event(self, trip: Trip) -> None:
        who, node = Looker(trip.world, "ana"), trip.node(trip.booker)
        who.press(f"{GRAPH}?node={node}")
        assert "End what" not in who.see(f"{GRAPH}?node={node}")
        told = len(trip.world.events("delegation.ended"))
        assert who.forge(f"{GRAPH}/{node}/end").status_code == 303
        assert len(trip.world.events("delegation.ended")) == told


class TestWhatIsCountedIsWhatEnds:
    def test_by_a_node_with_what_its_helpers_hold_elsewhere(self, trip: Trip) -> None:
        """Planner hands to the helper that booker started: it falls with booker."""
        world = trip.world
        world.edit(trip.planner, delegates_to=frozenset({"spawned", trip.booker, trip.helper}))
        node = trip.node(trip.booker)
        with world.context.db.read() as tx:
            top = find_delegation(tx, node)
            assert top is not None
            told = radius_of_node(tx, top)
        ended = end_delegation(world.context.db, node, why="ended_by_operator")
        assert len(told.nodes) == ended.nodes
        assert told.agents == set(ended.agents)
        assert told.tasks == set(ended.tasks)

    def test_by_an_agent_in_several_tasks(self, trip: Trip) -> None:
        world = trip.world
        for person in ("eve", "ben"):
            hold = world.hold(trip.planner, person)
            world.agent(trip.planner).exchange(hold, resource=CALENDAR)
        with world.context.db.read() as tx:
            told = radius_of_agent(tx, trip.planner)
        assert len(told.tasks) == 3
        ended = stop_agent(world.context.db, trip.planner, "suspended", why="ended_by_operator")  # type: ignore[arg-type]
        assert ended is not None
        assert (len(told.nodes), told.tasks) == (ended.nodes, set(ended.tasks))
        assert told.agents == set(ended.agents)


class TestFilters:
    def test_by_state_agent_person_task_and_resource(self, trip: Trip) -> None:
        who, world = Looker(trip.world, "sec"), trip.world
        other = world.hold(trip.planner, "eve", scope="calendar:read", resource=CALENDAR)
        assert "Eve" not in drawn(who, task=trip.task)
        assert set(drawn(who, agent=trip.booker)) == set(
            of(trip, person="", planner="", booker="", helper="")
        )
        eves = drawn(who, node=str(decode(other)[1]["delegation_id"]), agent=trip.planner)
        assert {"Eve", "Ana"} <= set(eves)
        at_flights = drawn(who, agent=trip.planner, resource=FLIGHTS)
        assert "Ana" in at_flights
        assert "Eve" not in at_flights
        assert drawn(who, task=trip.task, state="ended") == {}

    def test_drawn_as_one_by_agent_and_by_task(self, trip: Trip) -> None:
        who, world = Looker(trip.world, "sec"), trip.world
        world.hold(trip.planner)
        page = who.see(f"{GRAPH}?agent={trip.planner}&by=agent")
        assert "active × 2" in page
        assert "those of one agent as one" in page
        page = who.see(f"{GRAPH}?task={trip.task}&by=task")
        assert f"{trip.planner} ● active, 2 agents below" in page

    @pytest.mark.parametrize(
        "query",
        [
            "?node=%00&task=%ff&person=x&agent=%20&resource=javascript:1&state=x&by=x&view=x",
            "?node=" + "a" * 5000,
            "?task=0000000000000000&node=0000000000000000",
            "?resource=https://nowhere.example&state=all",
        ],
    )
    def test_what_makes_no_sense_is_as_if_it_were_not_there(self, world: World, query: str) -> None:
        for name in ("ana", "sec", "eve"):
            assert Looker(world, name).http.get(f"{GRAPH}{query}").status_code == 200


def test_what_an_agent_is_called_is_text_in_the_drawing_too(world: World) -> None:
    world.register("loud-one", name='"><script>alert(1)</script>\u202e', purpose="x")
    hold = world.hold("loud-one")
    node = decode(hold)[1]["delegation_id"]
    for view in ("", "&view=table"):
        html = Looker(world, "ana").http.get(f"{GRAPH}?node={node}{view}").text
        assert "<script>alert" not in html
        assert "\u202e" not in html


def test_an_open_graph_is_asked_for_again_at_the_cost_of_a_304(trip: Trip) -> None:
    who = Looker(trip.world, "ana")
    first = who.http.get(GRAPH, params={"task": trip.task})
    again = {"If-None-Match": first.headers["ETag"]}
    same = who.http.get(GRAPH, params={"task": trip.task}, headers=again)
    assert same.status_code in (200, 304)
    who.press(f"{GRAPH}?node={trip.node(trip.booker)}")
    changed = who.http.get(GRAPH, params={"task": trip.task}, headers=again)
    assert changed.status_code == 200
    assert spots(changed.text)[trip.booker] == "ended"

"""A file that still names who has left gives no agent back to them."""

from declaration.house import BOOKER, EVERYTHING, PLANNER, SCOPES, SERVER, House
from deputize.agents.lifecycle import Status


def test_what_was_handed_to_the_sponsor_is_not_handed_back(house: House) -> None:
    house.apply(SERVER + SCOPES + PLANNER)
    house.leaves("ben")
    assert house.agent("planner").owner == "key-of-ana"
    (line,) = house.refused(SERVER + SCOPES + PLANNER)
    assert line == '[[agents]] "planner": owner: "ben" has left: name who answers for it now'
    assert house.agent("planner").owner == "key-of-ana"


def test_nobody_who_has_left_is_given_a_new_agent(house: House) -> None:
    house.apply(SERVER + SCOPES + PLANNER)
    house.leaves("ben")
    assert len(house.refused(EVERYTHING)) == 2


def test_what_was_suspended_with_its_owner_stops_no_other_edit(house: House) -> None:
    house.apply(SERVER + SCOPES + BOOKER)
    house.leaves("ben")
    house.apply(SERVER + SCOPES.replace("Read your", "See your") + BOOKER)
    assert house.agent("booker").status == Status.SUSPENDED


def test_with_another_owner_it_is_theirs(house: House) -> None:
    house.apply(SERVER + SCOPES + PLANNER)
    house.leaves("ben")
    house.apply(SERVER + SCOPES + PLANNER.replace('owner = "ben"', 'owner = "eve"'))
    assert house.agent("planner").owner == "key-of-eve"


def test_who_has_come_back_answers_again(house: House) -> None:
    house.apply(SERVER + SCOPES + PLANNER)
    house.leaves("ben")
    house.host.inactive.clear()
    house.apply(SERVER + SCOPES + PLANNER)
    assert house.agent("planner").owner == "key-of-ben"

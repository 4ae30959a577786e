"""An agent's mark: the same agent is recognised everywhere."""

import xml.etree.ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from deputize.web.marks import HUES, agent_mark


def test_the_same_id_has_the_same_mark() -> None:
    assert agent_mark("planner") == agent_mark("planner")


def test_few_of_many_agents_share_a_mark() -> None:
    marks = {agent_mark(f"agent-{number}") for number in range(200)}
    assert len(marks) > 190


def test_every_hue_is_used() -> None:
    marks = "".join(agent_mark(f"agent-{number}") for number in range(200))
    assert all(f"hue-{hue}" in marks for hue in range(HUES))


@given(st.text())
def test_nothing_of_the_id_enters_the_markup(client_id: str) -> None:
    allowed = set(agent_mark("planner")) | set("0123456789.-MmaAlhvz")
    assert set(agent_mark(client_id)) <= allowed


@given(st.text())
def test_is_well_formed_hidden_from_screen_readers_and_fit_for_a_strict_csp(client_id: str) -> None:
    mark = ET.fromstring(agent_mark(client_id))
    assert mark.get("aria-hidden") == "true"
    used = {name for element in mark.iter() for name in element.attrib}
    assert not used & {"style", "id", "href", "onload"}

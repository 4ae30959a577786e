"""Where the nodes of a forest are drawn, whatever the forest: by properties."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from deputize.web.graph_layout import COLUMN, HEIGHT, ROW, WIDTH, Place, curve, lay_out, size_of


@st.composite
def forests(draw: st.DrawFn) -> dict[str, str | None]:
    """Return nodes with their parents, in any order: a parent may stand after its child."""
    number = draw(st.integers(0, 40))
    parents: dict[str, str | None] = {}
    for at in range(number):
        above = draw(st.none() | st.integers(0, at - 1)) if at else None
        parents[str(at)] = None if above is None else str(above)
    return {name: parents[name] for name in draw(st.permutations(list(parents)))}


@given(forests())
def test_every_node_has_a_place_and_no_two_boxes_overlap(forest: dict[str, str | None]) -> None:
    places = lay_out(forest)
    assert places.keys() == forest.keys()
    boxes = list(places.values())
    for at, one in enumerate(boxes):
        for other in boxes[at + 1 :]:
            assert abs(one.x - other.x) >= WIDTH or abs(one.y - other.y) >= HEIGHT


@given(forests())
def test_children_stand_one_column_to_the_right_and_never_above(
    forest: dict[str, str | None],
) -> None:
    places = lay_out(forest)
    for node, parent in forest.items():
        if parent is not None:
            assert places[node].x == places[parent].x + COLUMN
            assert places[node].y >= places[parent].y


@given(forests())
def test_it_is_read_in_order_each_below_or_to_the_right_of_the_one_before(
    forest: dict[str, str | None],
) -> None:
    places = lay_out(forest)
    for before, after in pairwise(places.values()):
        assert after.y >= before.y + ROW or (after.y == before.y and after.x > before.x)
    seen: set[str | None] = {None}
    for node in places:
        assert forest[node] in seen
        seen.add(node)


@given(forests())
def test_the_same_forest_is_drawn_the_same_and_fits_its_drawing(
    forest: dict[str, str | None],
) -> None:
    places = lay_out(forest)
    assert lay_out(dict(forest)) == places
    width, height = size_of(places)
    for place in places.values():
        assert 0 <= place.x <= width - WIDTH
        assert 0 <= place.y <= height - HEIGHT


@given(forests(), st.data())
def test_a_new_last_child_moves_nothing_that_stands_above_it(
    forest: dict[str, str | None], data: st.DataObject
) -> None:
    above = data.draw(st.sampled_from([None, *sorted(forest)]))
    before, after = lay_out(forest), lay_out(forest | {"new": above})
    for node, place in before.items():
        if place.y < after["new"].y:
            assert after[node] == place


def test_a_link_leads_from_the_right_edge_to_the_left_one() -> None:
    assert curve(Place(0, 0), Place(COLUMN, 0)) == f"M{WIDTH} 24H{COLUMN}"
    assert curve(Place(0, 0), Place(COLUMN, ROW)).endswith(f"{ROW + 24}H{COLUMN}")


def test_a_chain_of_a_thousand_is_no_deeper_than_the_machine_can_go() -> None:
    chain: dict[str, str | None] = {str(at): str(at - 1) if at else None for at in range(5000)}
    assert len(lay_out(chain)) == 5000

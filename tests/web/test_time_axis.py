"""Where a moment stands on a time axis."""

from hypothesis import given
from hypothesis import strategies as st

from deputize.web.time_axis import TimeAxis

times = st.integers(0, 4_000_000_000)


@given(times, times, times)
def test_later_is_never_further_left_and_nothing_leaves_the_axis(a: int, b: int, at: int) -> None:
    axis = TimeAxis(min(a, b), max(a, b), 100, 480)
    assert 100 <= axis.x(at) <= 580
    assert axis.x(at) <= axis.x(at + 60)


@given(times, times)
def test_both_ends_are_named(a: int, b: int) -> None:
    axis = TimeAxis(min(a, b), max(a, b), 0, 480)
    ticks = axis.ticks()
    assert (ticks[0], ticks[-1]) == (axis.start, axis.end)
    assert ticks == sorted(set(ticks))

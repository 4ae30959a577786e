"""A subscription that the push service does not know any more is forgotten; a pause is kept."""

import pytest

from spec.rfc8030.conftest import Subscribed

pytestmark = pytest.mark.section("RFC 8030", "7.3")


@pytest.mark.parametrize("status", [404, 410])
def test_it_is_forgotten(subscribed: Subscribed, status: int) -> None:
    subscribed.service.answer(subscribed.browser, status)
    subscribed.ask()
    assert "My phone" not in subscribed.page()
    subscribed.asking.world.pass_time(5)
    subscribed.deliver()
    assert len(subscribed.service.to(subscribed.browser)) == 1


@pytest.mark.parametrize("status", [429, 503])
def test_one_that_is_busy_is_asked_again(subscribed: Subscribed, status: int) -> None:
    subscribed.service.answer(subscribed.browser, status)
    subscribed.ask()
    assert "not told anything yet" in subscribed.page()
    subscribed.service.answer(subscribed.browser, 201)
    subscribed.asking.world.pass_time(5)
    subscribed.deliver()
    assert "last told" in subscribed.page()

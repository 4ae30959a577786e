"""A push message: how long it is kept, how soon it is brought, and which one it replaces."""

import re

import pytest

from spec.rfc8030.conftest import Subscribed

pytestmark = pytest.mark.section("RFC 8030", "5")


def test_section_5_2_it_is_kept_as_long_as_the_question_can_be_answered(
    subscribed: Subscribed,
) -> None:
    left = subscribed.ask()
    (arrived,) = subscribed.service.to(subscribed.browser)
    assert left - 5 <= int(arrived.headers["Ttl"]) <= left


def test_section_5_3_it_is_brought_at_once(subscribed: Subscribed) -> None:
    subscribed.ask()
    (arrived,) = subscribed.service.to(subscribed.browser)
    assert arrived.headers["Urgency"] == "high"


def test_section_5_4_a_newer_one_takes_the_place_of_the_older(subscribed: Subscribed) -> None:
    subscribed.asking.asked(requested_expiry="30")
    subscribed.deliver()
    subscribed.asking.world.pass_time(30)
    subscribed.asking.asked()
    subscribed.deliver()
    older, newer = subscribed.service.to(subscribed.browser)
    topic = newer.headers["Topic"]
    assert topic == older.headers["Topic"]
    # "no more than 32 characters from the URL and a filename-safe Base 64 alphabet"
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,32}", topic)

"""The voice of the pages: times, hosts and lists as people say them, and an agent's own words."""

import unicodedata
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deputize.web.words import (
    at_most,
    count_of,
    day,
    destination_of,
    exact,
    host_of,
    list_of,
    neutralise,
    since,
    time_tag,
    until,
)

LISBON = ZoneInfo("Europe/Lisbon")
NOW = datetime(2026, 11, 24, 17, 40, tzinfo=LISBON)


class TestUntil:
    @pytest.mark.parametrize(
        ("left", "said"),
        [
            (timedelta(minutes=10), "for 10 minutes"),
            (timedelta(minutes=9, seconds=59.7), "for 10 minutes"),
            (timedelta(minutes=1), "for 1 minute"),
            (timedelta(seconds=59), "for less than a minute"),
            (timedelta(minutes=59, seconds=59), "for 59 minutes"),
            (timedelta(hours=1), "until 18:40"),
            (timedelta(hours=8), "until tomorrow, 01:40"),
            (timedelta(days=9), "until 3 Dec"),
            (timedelta(days=365), "until 24 Nov 2027"),
            (timedelta(0), "no longer"),
            (timedelta(days=-3), "no longer"),
        ],
    )
    def test_says_how_long_as_people_do(self, left: timedelta, said: str) -> None:
        assert until(NOW + left, NOW) == said

    def test_tells_the_time_in_the_zone_of_now(self) -> None:
        expires_at = datetime(2026, 11, 24, 20, 0, tzinfo=UTC)
        assert until(expires_at, NOW.astimezone(ZoneInfo("Asia/Tokyo"))) == "until 05:00"

    def test_counts_minutes_across_a_change_of_the_clocks(self) -> None:
        # 01:30 summer time; half an hour later the clocks show 01:00 again.
        now = datetime(2026, 10, 25, 1, 30, tzinfo=LISBON, fold=0)
        expires_at = datetime(2026, 10, 25, 1, 20, tzinfo=LISBON, fold=1)
        assert until(expires_at, now) == "for 50 minutes"


class TestOtherTimes:
    @pytest.mark.parametrize(
        ("passed", "said"),
        [
            (timedelta(seconds=20), "just now"),
            (timedelta(seconds=-20), "just now"),
            (timedelta(minutes=12), "12 minutes ago"),
            (timedelta(hours=2), "at 15:40"),
            (timedelta(days=1), "yesterday, 17:40"),
            (timedelta(days=21), "3 Nov"),
        ],
    )
    def test_since_says_when_something_was(self, passed: timedelta, said: str) -> None:
        assert since(NOW - passed, NOW) == said

    @pytest.mark.parametrize(
        ("seconds", "said"),
        [
            (600, "at most 10 minutes"),
            (3600, "at most 1 hour, until 18:40"),
            (5400, "at most 90 minutes, until 19:10"),
            (7 * 86400, "at most 7 days, until 1 Dec"),
        ],
    )
    def test_at_most_says_a_limit_and_when_it_is_reached(self, seconds: int, said: str) -> None:
        assert at_most(seconds, NOW) == said

    def test_day_names_the_year_only_when_it_is_another(self) -> None:
        assert day(NOW - timedelta(days=21), NOW) == "3 Nov"
        assert day(NOW - timedelta(days=400), NOW) == "20 Oct 2025"

    def test_exact_says_date_clock_and_offset(self) -> None:
        assert exact(NOW, NOW) == "24 November 2026, 17:40 UTC"
        kolkata = NOW.astimezone(ZoneInfo("Asia/Kolkata"))
        assert exact(NOW, kolkata) == "24 November 2026, 23:10 UTC+05:30"

    def test_the_markup_holds_the_exact_time_for_machines_for_hover_and_for_listeners(self) -> None:
        assert time_tag("until 18:40", NOW + timedelta(hours=1), NOW) == (
            '<time datetime="2026-11-24T18:40:00+00:00" title="24 November 2026, 18:40 UTC">'
            'until 18:40<span class="unseen"> (24 November 2026, 18:40 UTC)</span></time>'
        )

    def test_the_markup_escapes_what_is_said(self) -> None:
        assert "<b>" not in time_tag("<b>soon</b>", NOW, NOW)


class TestHost:
    @pytest.mark.parametrize(
        ("url", "host"),
        [
            ("https://calendar.example", "calendar.example"),
            ("https://Calendar.Example:8443/v1?x=1", "calendar.example:8443"),
            ("http://[::1]:8080/cb", "[::1]:8080"),
            ("https://bank.example@evil.example/", "evil.example"),
            ("https://bank.example:x@evil.example/", "evil.example"),
            ("https://b\u00fccher.example", "xn--bcher-kva.example"),
            ("https://\u0440\u0430ypal.example", "xn--ypal-43d9g.example"),
        ],
    )
    def test_is_the_one_that_a_browser_would_find(self, url: str, host: str) -> None:
        assert host_of(url) == host

    @pytest.mark.parametrize(
        "url",
        [
            r"https://evil.example\@bank.example",
            "https://evil.example\t.bank.example",
            "https://bank.example:99999",
            "https://[bank.example",
            "https://bank..example",
            "urn:calendar",
            "",
        ],
    )
    def test_of_an_unclear_url_the_whole_is_shown(self, url: str) -> None:
        assert host_of(url) == neutralise(url, 120)

    @pytest.mark.parametrize(
        ("redirect_uri", "said"),
        [
            ("https://agent.example/cb", "agent.example"),
            ("http://127.0.0.1:4711/cb", "a program on this device (127.0.0.1:4711)"),
            ("http://[::1]/cb", "a program on this device ([::1])"),
            ("http://localhost.evil.example/cb", "localhost.evil.example"),
            ("com.example.app:/cb", "the app com.example.app"),
        ],
    )
    def test_of_a_redirect_uri_says_where_the_answer_goes(
        self, redirect_uri: str, said: str
    ) -> None:
        assert destination_of(redirect_uri) == said

    @given(st.text())
    def test_no_text_makes_it_fail(self, text: str) -> None:
        assert isinstance(host_of(text), str)
        assert isinstance(destination_of(f"https://{text}"), str)


class TestNeutralise:
    @pytest.mark.parametrize(
        ("text", "shown"),
        [
            ("Book the Lisbon trip", "Book the Lisbon trip"),
            ("one\n\n\ttwo\u2028three\u00a0 four", "one two three four"),
            ("pay \u202e0001\u202c \u2066now\u2069", "pay 0001 now"),
            ("pay\u200b\u200dpal\u2060\ufeff\u00ad", "paypal"),
            ("a\x00b\x07c\x1bd\x7f", "abcd"),
            ("\U000e0041\U000e0042tagged", "tagged"),
            ("\u3164\u2800 blank \u115f", "blank"),
            ("Z\u0351\u036b\u0312\u036a\u0302\u036b\u033d", "Z\u0351\u036b\u0312"),
            ("\u0301\u0301 first", "first"),
            ("e\u0301", "\u00e9"),
            ("trip” Your bank says: “safe", "trip’ Your bank says: ‘safe"),
            ('say "yes"', "say ’yes’"),
            ("\u05ea\u05db\u05e0\u05df", "\u05ea\u05db\u05e0\u05df"),
        ],
    )
    def test_keeps_the_words_and_drops_what_deceives(self, text: str, shown: str) -> None:
        assert neutralise(text, 80) == shown

    def test_cuts_to_the_length_with_an_ellipsis(self) -> None:
        assert neutralise("abcdef", 6) == "abcdef"
        assert neutralise("abcdefg", 6) == "abcde…"
        assert neutralise("ab cdefg", 4) == "ab…"

    def test_does_not_cut_a_letter_from_its_accent(self) -> None:
        assert neutralise("abq\u0323\u0307def", 5) == "ab…"

    @given(st.text(max_size=60), st.integers(min_value=1, max_value=40))
    def test_gives_one_short_line_without_anything_hidden(self, text: str, limit: int) -> None:
        shown = neutralise(text, limit)
        assert len(shown) <= limit
        assert shown == " ".join(shown.split())
        assert not {unicodedata.category(character)[0] for character in shown} & {"C"}
        assert not set('"“”«»') & set(shown)

    @given(st.text(max_size=60), st.integers(min_value=1, max_value=40))
    def test_twice_is_once(self, text: str, limit: int) -> None:
        shown = neutralise(text, limit)
        assert neutralise(shown, limit) == shown


class TestSentences:
    @pytest.mark.parametrize(
        ("items", "said"),
        [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")],
    )
    def test_lists_are_joined_as_in_speech(self, items: list[str], said: str) -> None:
        assert list_of(items) == said

    def test_counts_agree_with_their_noun(self) -> None:
        counts = [count_of(number, "helper") for number in (0, 1, 2)]
        assert counts == ["0 helpers", "1 helper", "2 helpers"]

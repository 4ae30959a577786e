"""Quiet hours go by the wall clock of the person's zone, over midnight and over changed clocks."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from deputize.approvals.choices import set_quiet_hours
from deputize.approvals.quiet import QuietHours, read_quiet_hours
from deputize.core.refusal import Refusal
from notifiers.conftest import deliver
from notifiers.receivers import Mailbox, Receiver
from support.asking import Asking

MADRID = "Europe/Madrid"
NIGHT = QuietHours(22 * 60, 7 * 60, MADRID)


def at(text: str, zone: str = MADRID, fold: int = 0) -> int:
    """Return a wall clock's time as a NumericDate."""
    wall = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold)
    return int(wall.timestamp())


class TestPeriods:
    @pytest.mark.parametrize(
        ("time", "is_quiet"),
        [
            ("2026-11-24 21:59:59", False),
            ("2026-11-24 22:00", True),
            ("2026-11-25 00:00", True),
            ("2026-11-25 06:59:59", True),
            ("2026-11-25 07:00", False),
        ],
    )
    def test_over_midnight(self, time: str, is_quiet: bool) -> None:
        assert (NIGHT.period_at(at(time)) is not None) == is_quiet

    def test_within_one_day(self) -> None:
        nap = QuietHours(13 * 60, 15 * 60 + 30, MADRID)
        period = nap.period_at(at("2026-11-24 14:00"))
        assert period is not None
        assert period.starts == at("2026-11-24 13:00")
        assert period.ends == at("2026-11-24 15:30")
        assert nap.period_at(at("2026-11-24 15:30")) is None

    @pytest.mark.parametrize(
        ("evening", "morning", "hours"),
        [
            ("2026-11-24 22:00", "2026-11-25 07:00", 9),
            ("2026-03-28 22:00", "2026-03-29 07:00", 8),
            ("2026-10-24 22:00", "2026-10-25 07:00", 10),
        ],
        ids=["usual", "clocks go forward", "clocks go back"],
    )
    def test_a_night_ends_when_the_wall_clock_says_so(
        self, evening: str, morning: str, hours: int
    ) -> None:
        for moment in (at(evening), at(morning) - 1):
            period = NIGHT.period_at(moment)
            assert period is not None
            assert (period.starts, period.ends) == (at(evening), at(morning))
        assert at(morning) - at(evening) == hours * 3600
        assert NIGHT.period_at(at(morning)) is None

    def test_an_end_that_comes_twice_ends_them_at_first(self) -> None:
        short = QuietHours(22 * 60, 2 * 60 + 30, MADRID)
        first, second = (at("2026-10-25 02:30", fold=fold) for fold in (0, 1))
        assert second - first == 3600
        assert short.period_at(first - 1) is not None
        assert short.period_at(first) is None
        assert short.period_at(second) is None

    def test_an_end_that_never_comes_ends_them_when_it_would_have(self) -> None:
        short = QuietHours(22 * 60, 2 * 60 + 30, MADRID)
        period = short.period_at(at("2026-03-28 23:00"))
        assert period is not None
        assert period.ends == int(datetime(2026, 3, 29, 1, 30, tzinfo=UTC).timestamp())

    def test_a_zone_that_the_system_has_forgotten_makes_nothing_quiet(self) -> None:
        for zone in ("Mars/Olympus", "../etc/passwd", "", "Europe", "\x00"):
            assert QuietHours(0, 1439, zone).period_at(1_764_000_000) is None


class TestWhatAPersonWrites:
    @pytest.mark.parametrize(
        ("starts", "ends", "zone", "told"),
        [
            ("22", "07:00", MADRID, "hours and minutes"),
            ("24:00", "07:00", MADRID, "hours and minutes"),
            ("22:00", "7:00", MADRID, "hours and minutes"),
            ("٢٢:٠٠", "07:00", MADRID, "hours and minutes"),
            ("22:00\n", "07:00", MADRID, "hours and minutes"),
            ("22:00", "22:00", MADRID, "different times"),
            ("22:00", "07:00", "", "time zone"),
            ("22:00", "07:00", "Europe", "time zone"),
            ("22:00", "07:00", "../../etc/passwd", "time zone"),
            ("22:00", "07:00", "Europe/Madrid\x00", "time zone"),
            ("22:00", "07:00", "\udcff", "time zone"),
        ],
    )
    def test_wrong_values_are_told_in_a_sentence(
        self, starts: str, ends: str, zone: str, told: str
    ) -> None:
        with pytest.raises(Refusal, match=told):
            read_quiet_hours(starts, ends, zone)

    def test_right_ones(self) -> None:
        assert read_quiet_hours("22:00", "07:00", MADRID) == NIGHT


class TestANight:
    """A short one, that begins with the minute in which the test does."""

    @pytest.fixture
    def quiet(self, asking: Asking) -> Asking:
        be_quiet(asking, minutes=3)
        return asking

    def test_nothing_is_sent_until_it_ends_and_then_once(
        self, quiet: Asking, mail: Mailbox, hook: Receiver
    ) -> None:
        quiet.asked()
        quiet.say_no()
        quiet.world.pass_time(60)
        quiet.asked()
        deliver(quiet.world)
        assert (mail.mails, hook.posts) == ([], [])
        quiet.world.pass_time(180)
        deliver(quiet.world)
        assert deliver(quiet.world) == 0
        (text,) = mail.texts()
        assert "While it was quiet, 2 questions came for your word; 1 still waits." in text
        assert hook.bodies()[0]["data"]["came"] == 2

    def test_however_many_ask_at_once_there_is_one_message(
        self, quiet: Asking, mail: Mailbox
    ) -> None:
        world, askers = quiet.world, [quiet]
        for name in ("booker", "checker"):
            taken = world.hand_over(quiet.hold, "planner", name, "flights:search")
            askers.append(Asking(world, world.agent(name), taken, quiet.person))
        with ThreadPoolExecutor(3) as pool:
            list(pool.map(Asking.asked, askers))
        world.pass_time(180)
        deliver(world)
        assert len(mail.mails) == 1

    def test_where_none_waits_any_more_it_says_so(self, quiet: Asking, mail: Mailbox) -> None:
        quiet.asked()
        quiet.say_no()
        quiet.world.pass_time(180)
        deliver(quiet.world)
        assert "1 question came for your word; none waits now." in mail.texts()[0]

    def test_where_nothing_came_nothing_is_sent(self, quiet: Asking, mail: Mailbox) -> None:
        quiet.world.pass_time(180)
        assert deliver(quiet.world) == 0
        assert mail.mails == []

    def test_the_agent_is_answered_as_ever(self, quiet: Asking) -> None:
        request = quiet.asked()
        assert quiet.poll(request).json()["error"] == "authorization_pending"
        assert quiet.cards()[0].expires_at - quiet.cards()[0].created_at == 300

    def test_what_came_just_before_is_told_afterwards(self, asking: Asking, mail: Mailbox) -> None:
        asking.asked()
        be_quiet(asking, minutes=3)
        deliver(asking.world)
        assert mail.mails == []
        asking.world.pass_time(180)
        deliver(asking.world)
        assert "1 question came" in mail.texts()[0]

    def test_an_earlier_end_brings_the_word_sooner_and_a_later_one_later(
        self, quiet: Asking, mail: Mailbox
    ) -> None:
        quiet.asked()
        be_quiet(quiet, minutes=9)
        quiet.world.pass_time(180)
        deliver(quiet.world)
        assert mail.mails == []
        set_quiet_hours(quiet.world.context.db, quiet.person, None)
        deliver(quiet.world)
        assert len(mail.mails) == 1


def be_quiet(asking: Asking, minutes: int) -> None:
    """Let it be quiet for the person from this minute on."""
    db = asking.world.context.db
    with db.read() as tx:
        now = datetime.fromtimestamp(tx.now, UTC)
    starts = now.hour * 60 + now.minute
    set_quiet_hours(db, asking.person, QuietHours(starts, (starts + minutes) % 1440, "UTC"))

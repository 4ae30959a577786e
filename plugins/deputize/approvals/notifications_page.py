"""The page on which a person chooses how they are told that an agent waits, and when not.

A GET changes nothing, and a POST the choices of whoever is signed in, and no others: no address
is taken from a request, and none is shown in full.
"""

from dataclasses import dataclass, replace

from flask import Blueprint, Response, request, url_for
from markupsafe import Markup

from ..core.db import Transaction
from ..core.refusal import Refusal
from ..delegation.context import Context
from ..delegation.persons import find_person_id
from ..delegation.sign_in import sign_in_url
from ..host import Person
from ..outbox.channel import KeepsAddresses
from ..web.pages import NOTHING, ChannelCard, NotificationsPage, QuietForm
from ..web.shell import is_own_form, render, see_other
from ..web.words import since_tag
from .choices import Choices, find_choices, set_quiet_hours, switch
from .notifiers.address import show_address
from .notifiers.try_channel import LastTest, ask_for_test, last_tests
from .quiet import QuietHours, clock_of, read_quiet_hours, zones

NOTIFICATIONS_PAGE = "/deputize/notifications"

#: What the form of the quiet hours begins with, where there are none.
USUAL = QuietForm("22:00", "07:00", "")

#: What the page offers: each half hour.
TIMES = tuple(clock_of(minutes) for minutes in range(0, 1440, 30))


def notifications_page(context: Context) -> Blueprint:
    """Return the page on which people choose how they are told."""
    pages = Blueprint("deputize_notifications", __name__)

    @pages.get(NOTIFICATIONS_PAGE)
    def shown() -> Response:
        me = context.host.current_person()
        return _sign_in(context) if me is None else _page(context, me)

    @pages.post(NOTIFICATIONS_PAGE)
    def changed() -> Response:
        me = context.host.current_person()
        if me is None:
            return _sign_in(context)
        if not is_own_form():
            return see_other(url_for(".shown"))
        try:
            _change(context, me)
        except Refusal as refusal:
            return _page(context, me, refusal)
        return see_other(url_for(".shown"))

    return pages


def _change(context: Context, me: Person) -> None:
    """Do what was pressed; what is none of the page's presses changes nothing.

    :raises Refusal: `quiet_hours.malformed`, `notify.too_many_tests`
    """
    press, name = request.form.get("press"), request.form.get("channel", "")
    if press == "quiet":
        written = _written()
        quiet = read_quiet_hours(written.starts, written.ends, written.zone)
        set_quiet_hours(context.db, me.key, quiet)
    elif press == "no quiet":
        set_quiet_hours(context.db, me.key, None)
    elif press in ("on", "off") and name in context.channels:
        switch(context.db, me.key, name, is_on=press == "on")
    elif press == "test" and name in context.channels:
        ask_for_test(context.db, me.key, name, context.channels[name])


def _written() -> QuietForm:
    starts, ends, zone = (request.form.get(n, "").strip()[:64] for n in ("starts", "ends", "zone"))
    return QuietForm(starts, ends, zone)


def _page(context: Context, me: Person, refusal: Refusal | None = None) -> Response:
    # The host is asked before our own reading.
    addresses = {
        name: show_address(context, me.key, name) if channel.is_personal else None
        for name, channel in context.channels.items()
    }
    with context.db.read() as tx:
        page = _Telling(context, tx, me, refusal).page(addresses)
    return render("notifications.html", page, status=400 if refusal else 200)


@dataclass(frozen=True)
class _Telling:
    """The page of one person at one moment; again, where a press came to nothing."""

    context: Context
    tx: Transaction
    me: Person
    refusal: Refusal | None

    def page(self, addresses: dict[str, str | None]) -> NotificationsPage:
        person_id = find_person_id(self.tx, self.me.key)
        choices = find_choices(self.tx, person_id) if person_id else Choices()
        tests = last_tests(self.tx, person_id, addresses) if person_id else {}
        cards = (
            self._card(name, address, name not in choices.muted, tests.get(name))
            for name, address in addresses.items()
        )
        return NotificationsPage(
            person=self.me.name,
            agents_url=url_for("deputize_agents.agents"),
            inbox_url=url_for("deputize_approvals.approvals"),
            action=url_for(".shown"),
            channels=tuple(cards),
            quiet=self._quiet(choices.quiet),
            has_quiet=choices.quiet is not None,
            times=TIMES,
            zones=tuple(sorted(name for name in zones() if "/" in name)),
        )

    def _card(
        self, name: str, address: str | None, is_on: bool, test: LastTest | None
    ) -> ChannelCard:
        is_reached = address is None or bool(address)
        pressed = request.form.get("channel") == name
        channel = self.context.channels[name]
        return ChannelCard(
            name=name,
            label=channel.label,
            address=address or "",
            page_url=url_for(channel.page) if isinstance(channel, KeepsAddresses) else "",
            is_personal=address is not None,
            is_reached=is_reached,
            is_on=is_on,
            test=self._told(test),
            has_arrived=test.has_arrived if test else None,
            problem=self.refusal.text if self.refusal and pressed else "",
        )

    def _quiet(self, quiet: QuietHours | None) -> QuietForm:
        if self.refusal and self.refusal.rule == "quiet_hours.malformed":
            return replace(_written(), problem=self.refusal.text)
        if quiet is None:
            return USUAL
        return QuietForm(clock_of(quiet.starts), clock_of(quiet.ends), quiet.zone)

    def _told(self, test: LastTest | None) -> Markup:
        return since_tag(test.asked_at, self.tx.now) if test else NOTHING


def _sign_in(context: Context) -> Response:
    return see_other(sign_in_url(context, NOTIFICATIONS_PAGE))

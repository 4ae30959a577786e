"""Sends what people are told, when it is due. What it tells of is looked at again first: of what
has been decided, or has ended, nobody is told.

What is looked at is read in one go; the host is asked, and the channel sends, outside it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from ...agents.models import find_agent
from ...catalogue.models import Catalogue
from ...core.db import Kind, Lock, Transaction
from ...core.values import Words
from ...delegation.context import Context
from ...delegation.details import Details
from ...delegation.liveness import find_standings_of
from ...delegation.models import person
from ...delegation.wording import say_scope
from ...outbox.channel import Message
from ...outbox.delivery import Delivery
from ...outbox.models import Line
from ...tasks.models import Task
from ...tasks.report import find_task
from ..choices import Choices, find_choices
from ..find_cards import Card, as_cards, shown
from ..models import Approval, approval, approval_from_row, asked_group
from ..said_back import APPROVALS_PAGE
from ..tell import tell_later
from ..tell_kinds import ASKED, DIGEST, END_PROPOSED, GROUPS_ASKED, TEST, TIME_ASKED
from . import wording
from .address import find_address

#: What came of a line: the words that stand in the audit trail.
SENT, OVER, OFF, QUIET = "sent", "over", "switched off", "quiet hours"
NOWHERE, GONE = "no address", "inactive"

#: Questions of one night that are counted, at most.
MOST = 500


@dataclass(frozen=True)
class Telling:
    """What tells people, by the channel that a line names."""

    context: Context

    def asked(self, line: Line) -> str:
        """Tell a person that an agent asks for their word."""
        with self.context.db.read() as tx:
            card = _find_open(tx, line.subject)
            if card is None or card.decision_hash is not None:
                return OVER
            choices = find_choices(tx, card.person_id)
            key, told = _key_of(tx, card.person_id), self._of(tx, card)
        if stopped := self._stopped(line, card.person_id, choices):
            return stopped
        left, deeds = card.expires_at - line.claimed_at, told.deeds(card.adding, card.details)
        words = wording.asked(told.agent, self._whose(line, key), left, deeds)
        return self._send(line, key, "approval.requested", words, agent=card.client_id)

    def groups_asked(self, line: Line) -> str:
        """Tell the organisation that groups are asked for their word, beside the person's."""
        with self.context.db.read() as tx:
            card = _find_open(tx, line.subject)
            groups = _groups_asked(tx, card) if card else ()
            if card is None or not groups:
                return OVER
            key, told = _key_of(tx, card.person_id), self._of(tx, card)
        deeds = told.deeds(card.granted_scope & card.adding, card.granted_details)
        names, left = [*map(wording.plain_name, groups)], card.expires_at - line.claimed_at
        words = wording.groups_asked(told.agent, self._name(key), names, left, deeds)
        facts = {"agent": card.client_id, "groups": groups}
        return self._send(line, key, "approval.vote_requested", words, **facts)

    def end_proposed(self, line: Line) -> str:
        """Tell a person that an agent says its task is over, and waits for them to accept it."""
        return self._of_task(
            line, "task.end_proposed", wording.end_proposed, lambda of: of.proposed is not None
        )

    def time_asked(self, line: Line) -> str:
        """Tell a person that an agent asks for more time for its task."""
        return self._of_task(
            line, "task.time_asked", wording.time_asked, lambda of: of.asked_until is not None
        )

    def _of_task(
        self,
        line: Line,
        kind: str,
        say: Callable[[str, str], tuple[str, str]],
        waits: Callable[[Task], bool],
    ) -> str:
        with self.context.db.read() as tx:
            of = find_task(tx, line.subject)
            if of is None or not of.runs_at(tx.now) or not waits(of):
                return OVER
            choices, key = find_choices(tx, of.person_id), _key_of(tx, of.person_id)
            agent = self._agent(tx, of.agent)
        if stopped := self._stopped(line, of.person_id, choices):
            return stopped
        return self._send(line, key, kind, say(agent, self._whose(line, key)), agent=of.agent)

    def digest(self, line: Line) -> str:
        """Tell a person what came in their quiet hours."""
        with self.context.db.read() as tx:
            choices, key = find_choices(tx, line.subject), _key_of(tx, line.subject)
            night = choices.quiet_at(line.created_at)
            asked = _asked_between(tx, line, night.ends if night else line.claimed_at)
            cards = as_cards(asked, by="content_hash")
            undecided = [tuple(o for o in card if not o.decision_hash) for card in cards]
            waiting = len(_left(tx, undecided))
        if _channel_of(line) in choices.muted:
            return OFF
        if choices.quiet_at(line.claimed_at):
            # It did not arrive the whole day long.
            return QUIET
        # One that came as it became quiet is older than this line.
        words = wording.digest(self._whose(line, key), max(1, len(cards)), waiting)
        facts = {"came": max(1, len(cards)), "waiting": waiting}
        return self._send(line, key, "approval.digest", words, **facts)

    def test(self, line: Line) -> str:
        """Send what a person asked to be sent, to see that it arrives."""
        with self.context.db.read() as tx:
            key = _key_of(tx, line.subject)
        return self._send(line, key, "notify.test", wording.test())

    def _stopped(self, line: Line, person_id: str, choices: Choices) -> str:
        """Return why the person is not told now; empty where they are."""
        if _channel_of(line) in choices.muted:
            return OFF
        period = choices.quiet_at(line.claimed_at)
        if period is None:
            return ""
        # It became quiet since it was stored.
        with self.context.db.write([Lock(Kind.PERSON, person_id, exclusive=True)]) as tx:
            tell_later(tx, person_id, line.destination, period.ends)
        return QUIET

    def _of(self, tx: Transaction, card: Approval) -> "_Told":
        tells_what = self.context.settings.notify.details
        name = self._agent(tx, card.client_id)
        return _Told(name, self.context.moment(tx).catalogue if tells_what else None)

    def _agent(self, tx: Transaction, client_id: str) -> str:
        known = find_agent(tx, client_id)
        return wording.plain_name(known.name if known else "") or client_id

    def _whose(self, line: Line, key: str) -> str:
        channel = self.context.channels.get(_channel_of(line))
        is_alone = channel is None or channel.is_personal
        return "your" if is_alone else f"{self._name(key)}’s"

    def _name(self, key: str) -> str:
        found = self.context.host.find_person(key)
        return wording.plain_name(found.name if found else "") or "somebody"

    def _send(
        self, line: Line, key: str, kind: str, words: tuple[str, str], **facts: object
    ) -> str:
        name, host = _channel_of(line), self.context.host
        channel = self.context.channels.get(name)
        if channel is None:
            return OFF
        if not host.is_active(key):
            return GONE
        address = find_address(self.context, key, name) if channel.is_personal else ""
        if channel.is_personal and not address:
            return NOWHERE
        channel.send(address, self._message(line, key, kind, words, facts))
        return SENT

    def _message(
        self, line: Line, key: str, kind: str, words: tuple[str, str], facts: dict[str, object]
    ) -> Message:
        url = self.context.issuer + APPROVALS_PAGE
        lasts = line.expires_at - line.claimed_at
        return Message(line.id, kind, line.claimed_at, *words, url, key, facts, lasts)


@dataclass(frozen=True)
class _Told:
    """An agent by its name, and what says what it asks for, where that is told."""

    agent: str
    catalogue: Catalogue | None

    def deeds(self, adding: Words, details: Details) -> Sequence[str]:
        if self.catalogue is None:
            return ()
        return [_deed(self.catalogue, name, details) for name in sorted(adding)]


def _deed(catalogue: Catalogue, name: str, details: Details) -> str:
    """Return what a scope lets it do, in the server's words: what its details mean, if any."""
    told = say_scope(name, details, catalogue.types)
    return wording.plain_deed(told.striptags() if told else catalogue.describe(name))


def _channel_of(line: Line) -> str:
    return line.destination.partition(":")[0]


def _find_open(tx: Transaction, approval_id: str) -> Approval | None:
    """Return the card if it can be decided still, and what it hangs on lives."""
    row = tx.execute(select(approval).where(approval.c.id == approval_id)).mappings().first()
    found = _left(tx, [(approval_from_row(row),)] if row else [])
    return found[0][0] if found else None


def _left(tx: Transaction, cards: Sequence[Card]) -> list[Card]:
    """Return what of `cards` can be decided still."""
    hanging_on = {one.delegation_id for card in cards for one in card}
    return shown(cards, find_standings_of(tx, hanging_on), tx.now)


def _groups_asked(tx: Transaction, card: Approval) -> list[str]:
    asked = select(asked_group.c.name).where(
        asked_group.c.decision_hash == card.decision_hash, asked_group.c.asked_from <= tx.now
    )
    return list(tx.execute(asked.order_by(asked_group.c.name)).scalars())


def _asked_between(tx: Transaction, line: Line, ends: int) -> list[Approval]:
    asked = select(approval).where(
        approval.c.person_id == line.subject,
        approval.c.created_at >= line.created_at,
        approval.c.created_at < ends,
    )
    rows = tx.execute(asked.order_by(approval.c.created_at).limit(MOST)).mappings()
    return [approval_from_row(row) for row in rows]


def _key_of(tx: Transaction, person_id: str) -> str:
    """Return the host's key of the person."""
    return str(tx.execute(select(person.c.host_key).where(person.c.id == person_id)).scalar())


#: By kind of line, what makes its delivery.
DELIVERIES: Mapping[str, Callable[[Context], Delivery]] = {
    ASKED: lambda context: Telling(context).asked,
    GROUPS_ASKED: lambda context: Telling(context).groups_asked,
    DIGEST: lambda context: Telling(context).digest,
    END_PROPOSED: lambda context: Telling(context).end_proposed,
    TIME_ASKED: lambda context: Telling(context).time_asked,
    TEST: lambda context: Telling(context).test,
}

"""Who is to be told that an agent waits, and by what: stored with the question itself.

What is sent, and whether it still is, is judged when it is due (`notifiers/deliver.py`).
"""

from collections.abc import Collection

from ..core.db import Transaction
from ..delegation.context import Context
from ..outbox.channel import Channel
from ..outbox.enqueue import enqueue, is_waiting
from ..tasks.models import Task
from .approvers import Needed
from .choices import find_choices
from .models import Approval
from .tell_kinds import ASKED, DIGEST, DIGEST_LASTS, END_PROPOSED, GROUPS_ASKED, TIME_ASKED


def tell_person(context: Context, tx: Transaction, opened: Approval, *, is_new: bool) -> None:
    """Tell the person of a card, by each channel that they have on; in quiet hours, afterwards.

    :param is_new: whether it is a card of its own: whoever joins one tells nobody again
    """
    if is_new:
        _tell(context, tx, ASKED, opened.id, opened.person_id, opened.expires_at)


def tell_of_proposed_end(context: Context, tx: Transaction, of: Task) -> None:
    """Tell the person, likewise, that an agent says its task is over."""
    _tell(context, tx, END_PROPOSED, of.id, of.person_id, of.deadline)


def tell_of_time_asked_for(context: Context, tx: Transaction, of: Task) -> None:
    """Tell the person, likewise, that an agent asks for more time for its task."""
    _tell(context, tx, TIME_ASKED, of.id, of.person_id, of.deadline)


def _tell(
    context: Context, tx: Transaction, kind: str, subject: str, person_id: str, expires_at: int
) -> None:
    if not context.channels:
        return
    choices = find_choices(tx, person_id)
    period = choices.quiet_at(tx.now)
    for name, channel in context.channels.items():
        if name in choices.muted:
            continue
        to = destination(name, channel, person_id)
        if period is None:
            enqueue(tx, kind, subject, to, due_at=tx.now, expires_at=expires_at)
        else:
            tell_later(tx, person_id, to, period.ends)


def tell_later(tx: Transaction, person_id: str, to: str, ends: int) -> None:
    """Tell the person at the end of their quiet hours, once for all that has come by then."""
    if not is_waiting(tx, DIGEST, person_id, to):
        enqueue(tx, DIGEST, person_id, to, due_at=ends, expires_at=ends + DIGEST_LASTS)


def tell_groups(
    context: Context, tx: Transaction, card: Approval, needed: Collection[Needed]
) -> None:
    """Tell the organisation that groups are asked to say yes as well, now or after a while.

    Who is in a group is not ours to know: it is told by the channels that have no person.
    """
    later = {tx.now + one.escalates_after for one in needed if one.escalates_to}
    moments = [at for at in sorted({tx.now, *later}) if needed and at < card.expires_at]
    for name, channel in context.channels.items():
        for due_at in moments if not channel.is_personal else ():
            enqueue(tx, GROUPS_ASKED, card.id, name, due_at=due_at, expires_at=card.expires_at)


def destination(name: str, channel: Channel, person_id: str) -> str:
    """Return whom a line goes to, as far as one can hold up another.

    A mail server that does not answer is one for all: lines to it are sent few at a time, so
    that they leave room for what goes elsewhere. Where each person has a server of their own,
    one of them that is dead holds up nobody else.
    """
    return name if channel.has_one_server else f"{name}:{person_id}"

"""Whether a yes may be said at all: each judge is asked at the yes, as at what is made of it.

Asked before any lock is taken, for somebody outside may have to be asked. A no is a no, and
asks nobody.
"""

from dataclasses import replace
from functools import partial

from ..audit.record import Event, record
from ..core.refusal import Refusal
from ..delegation.context import Context, Reading
from ..delegation.details import write_details
from ..delegation.gates import Act, Action, act_on, pass_judges
from ..delegation.liveness import Standing
from .grant_less import Yes
from .models import Approval


def is_forbidden(
    context: Context, card: Approval, standing: Standing, yes: Yes | None = None
) -> bool:
    """Tell whether a judge refuses what would be approved; its refusal is recorded.

    :param standing: the delegation that the card hangs on
    :param yes: what is granted; None for what the person has granted before
    """
    if not context.judges:
        return False
    scope, details = card.granted_scope, card.granted_details
    if yes is not None:
        scope, details = yes.scope, yes.details
    node = replace(standing.node, scope=scope, details=write_details(details), target=card.target)
    act = act_on(Action.APPROVE, node, standing.started_at, standing.deadline)
    try:
        context.settled(partial(_judge, context, replace(act, is_approved=True)))
    except Refusal as refusal:
        with context.db.write() as tx:
            record(tx, _refused(card, refusal))
        return True
    return False


def _judge(context: Context, act: Act, reading: Reading) -> None:
    pass_judges(context.judges, reading, act)


def _refused(card: Approval, refusal: Refusal) -> Event:
    return Event(
        "approval.refused",
        person_id=card.person_id,
        agent=card.client_id,
        task_id=card.task_id,
        delegation_id=card.delegation_id,
        rule=refusal.rule,
        chain=card.chain,
        facts={"approval_id": card.id} | ({"detail": refusal.detail} if refusal.detail else {}),
    )

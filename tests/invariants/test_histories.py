"""V1 to V10, V13, V15, V16, V18, V20: for any history."""

import json
from collections import Counter
from dataclasses import replace

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test
from sqlalchemy import func, select

from deputize.approvals.models import Status, approval
from deputize.audit.models import event
from deputize.audit.verify import verify
from deputize.endings.edit_catalogue import declare_details_type, declare_scope
from invariants.lifecycles import Trail
from invariants.questions import PAYING, HistoriesWithQuestions
from support.details import PAYMENT
from support.world import SCOPES, World, another_worker

#: What the trail must tell of, or the histories did not come to what they are about: a kind of
#: event with its reason, or the rule by which something was refused.
REACHED = {
    ("agent.credential_rotated", None),
    ("agent.edited", None),
    ("agent.handed_on", "owner_left"),
    ("agent.retired", None),
    ("agent.suspended", "owner_left"),
    ("agent.suspended", "suspended"),
    ("task.ended", "accepted"),
    ("task.ended", "by_itself"),
    ("task.ended", "overdue"),
    ("task.ended", "silent"),
    ("task.extended", None),
    ("task.extension_asked", None),
    ("task.extension_denied", None),
    ("task.proposed", None),
    ("task.reopened", None),
    ("token.refused", "quota.exchanges"),
    ("token.refused", "task.proposed"),
    ("token.refused", "task.silent"),
}


def test_no_history_breaks_what_must_hold(world: World) -> None:
    class InThisWorld(HistoriesWithQuestions):
        pass

    bind_to_payments(world)
    with another_worker(world) as other:
        InThisWorld.world, InThisWorld.workers = world, [world.metadata, other]
        InThisWorld.trail, InThisWorld.done = Trail(), Counter()
        run_state_machine_as_test(
            InThisWorld,
            settings=settings(
                settings.default,
                stateful_step_count=60,
                suppress_health_check=list(HealthCheck),
            ),
        )
    assert redeemed(world), "the histories have come to what people approve"
    assert redeemed(world, details=True), "and to what they pay"
    assert InThisWorld.done["heartbeat"]
    assert reached(world).keys() >= REACHED
    the_trail_is_whole(world, InThisWorld.trail)


def bind_to_payments(world: World) -> None:
    """Let nobody pay but what was approved; by the scope's own rule it could be passed on."""
    paying = next(scope for scope in SCOPES if scope.name == PAYING[0])
    declare_scope(world.context.db, replace(paying, delegable=True))
    declare_details_type(world.context.db, replace(PAYMENT, scope=paying.name))


def redeemed(world: World, *, details: bool = False) -> int:
    """Count the approvals that have become a token, or of those the ones with details."""
    asked = select(func.count()).where(approval.c.status == Status.REDEEMED)
    if details:
        asked = asked.where(approval.c.granted_details.is_not(None))
    with world.context.db.read() as tx:
        return int(tx.execute(asked).scalar_one())


def reached(world: World) -> Counter[tuple[str, str | None]]:
    """Count what the trail tells of, by kind, and by rule or reason."""
    with world.context.db.read() as tx:
        rows = tx.execute(select(event.c.kind, event.c.rule, event.c.body)).all()
    return Counter((row.kind, row.rule or json.loads(row.body).get("why")) for row in rows)


def the_trail_is_whole(world: World, trail: Trail) -> None:
    """V20: all of it is sealed, as it was when it was looked at; nothing waits."""
    assert len(trail.leaves) > 0
    world.app.extensions["deputize"].sealer.seal()
    trail.look(world)
    verdict = verify(world.context.db, [], late_after=60)
    assert verdict.is_intact, verdict.findings
    assert (verdict.events, verdict.waiting) == (len(trail.leaves), 0)

"""V1 to V10, V13, V15, V16, V18: for any history."""

from dataclasses import replace

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test
from sqlalchemy import func, select

from deputize.approvals.models import Status, approval
from deputize.endings.edit_catalogue import declare_details_type, declare_scope
from invariants.questions import PAYING, HistoriesWithQuestions
from support.details import PAYMENT
from support.world import SCOPES, World


def test_no_history_breaks_what_must_hold(world: World) -> None:
    class InThisWorld(HistoriesWithQuestions):
        pass

    bind_to_payments(world)
    InThisWorld.world = world
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

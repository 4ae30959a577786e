"""V1 to V4, V6 to V10, V13, V15, V16, V18: for any history."""

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test
from sqlalchemy import func, select

from deputize.approvals.models import Status, approval
from invariants.questions import HistoriesWithQuestions
from support.world import World


def test_no_history_breaks_what_must_hold(world: World) -> None:
    class InThisWorld(HistoriesWithQuestions):
        pass

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


def redeemed(world: World) -> int:
    """Count the approvals that have become a token."""
    with world.context.db.read() as tx:
        asked = select(func.count()).where(approval.c.status == Status.REDEEMED)
        return int(tx.execute(asked).scalar_one())

"""V1, V2, V3, V4, V6, V7, V8, V9, V13, V16, V18: for any history."""

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from invariants.machine import Histories
from support.world import World


def test_no_history_breaks_what_must_hold(world: World) -> None:
    class InThisWorld(Histories):
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

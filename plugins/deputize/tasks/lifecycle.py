"""The status machine of a task. Pure.

`open → proposed → {completed, failed, cancelled, overdue}`, or from open at once. Every end is
final. While its end is proposed nothing below it is alive: who says that it is done needs nothing
more. Where the person says that it is not, it is open again.
"""

from enum import StrEnum


class TaskStatus(StrEnum):
    """Where a task stands."""

    OPEN = "open"
    PROPOSED = "proposed"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    OVERDUE = "overdue"


#: What an agent can say came of its task.
OUTCOMES = (TaskStatus.COMPLETED, TaskStatus.FAILED, TaskStatus.CANCELLED)

#: What has not ended.
RUNNING = (TaskStatus.OPEN, TaskStatus.PROPOSED)

_SOURCES: dict[TaskStatus, tuple[TaskStatus, ...]] = {
    TaskStatus.OPEN: (TaskStatus.PROPOSED,),
    TaskStatus.PROPOSED: (TaskStatus.OPEN,),
    TaskStatus.COMPLETED: RUNNING,
    TaskStatus.FAILED: RUNNING,
    TaskStatus.CANCELLED: RUNNING,
    TaskStatus.OVERDUE: RUNNING,
}


def sources(target: TaskStatus) -> tuple[TaskStatus, ...]:
    """Return the states from which `target` can be reached: the `WHERE` of its update."""
    return _SOURCES[target]

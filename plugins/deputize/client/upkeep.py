"""What a hold's keeper does next, and when: renew in time, and report in time where that is asked.

It sends nothing and waits for nobody, so that a thread and a task keep a hold by the same rules.
"""

from .errors import OAuthError
from .lease import Lease
from .leases import Leases
from .task_reports import OPEN, TASKS, TASKS_ENDPOINT, Task

PAUSE = 2  # seconds until what failed for the moment is tried again


class Upkeep:
    """The upkeep of one hold.

    Once the server has refused a renewal, or the task is not open any more, it rests: nothing
    that it could do helps. It goes on when the task is seen to be open again.
    """

    def __init__(self, leases: Leases) -> None:
        self._leases = leases
        self._report_at: float | None = None
        self.rests = True

    def begin(self) -> None:
        """Begin: a task that may have to be reported on is reported on at once."""
        held, members = self._leases.held, self._leases.connection.metadata.members
        # Whoever works for the root agent reports to it, and may not here.
        may_report = TASKS in held.scope and len(held.chain()) == 1 and TASKS_ENDPOINT in members
        self._report_at = self._now() if may_report else None
        self.rests = False

    def is_report_due(self) -> bool:
        return self._report_at is not None and self._now() >= self._report_at

    def heard(self, by: Lease, told: Task) -> None:
        """Note what a heartbeat was answered; the next is due after half the time that is left.

        :param by: the token that it was sent with
        """
        self.note(told)
        if told.heard_by is None:
            self._report_at = None
            return
        # What the server's clock says, this machine's may not: both are known of this `exp`.
        expires_at = by.expires_at.timestamp()
        left = expires_at + told.heard_by.timestamp() - by.claims.get("exp", expires_at)
        self._report_at = self._now() + (left - self._now()) / 2

    def note(self, told: Task) -> None:
        """Note how the task stands."""
        if self.rests and told.status == OPEN:
            self.begin()
        self.rests = told.status != OPEN

    def pause(self) -> float | None:
        """Return the seconds until something is due; None while it rests."""
        if self.rests:
            return None
        report_in = self._leases.seconds_left()
        if self._report_at is not None:
            report_in = min(report_in, self._report_at - self._now())
        return max(0.0, report_in)

    def pause_after(self, failure: Exception | None) -> float | None:
        """Return the seconds until the next attempt after one that failed, or did not."""
        if isinstance(failure, OAuthError) and failure.status != 503:
            self._give_way()
        elif failure is not None:
            return PAUSE
        pause = self.pause()
        return None if pause is None else max(1.0, pause)

    def _give_way(self) -> None:
        """Take a no: of a renewal for good; of a report until the hold has been renewed."""
        left = self._leases.seconds_left()
        self.rests = left == 0
        self._report_at = self._now() + left

    def _now(self) -> float:
        return self._leases.connection.now()

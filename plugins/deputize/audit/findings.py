"""What an examination of the trail found, and what it says about it."""

from dataclasses import dataclass, field
from enum import StrEnum


class Found(StrEnum):
    """Kinds of findings."""

    EDITED = "edited"
    COPY_EDITED = "copy_edited"
    MOVED = "moved"
    MISSING = "missing"
    UNEXPECTED = "unexpected"
    UNSEALED = "unsealed"
    OUT_OF_ORDER = "out_of_order"
    SEAL_EDITED = "seal_edited"
    SEAL_MISSING = "seal_missing"
    BAD_SIGNATURE = "bad_signature"
    BROKEN_CHAIN = "broken_chain"
    KEY_ADDED = "key_added"
    CHECKPOINT = "checkpoint"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it was sealed.

    :param text: for people; it quotes no event
    :param seal: number of the seal that tells
    """

    kind: Found
    text: str
    seal: int | None = None
    position: int | None = None
    event_id: str | None = None


#: Findings that are told one by one: a database that is gone needs no line for each event.
MOST = 1000


@dataclass
class Verdict:
    """What became of the trail.

    :param events: that were compared with their seals
    :param put_away: that are gone by the rule of retention
    :param waiting: that are not sealed yet
    :param checkpoints: that the trail was compared with
    """

    seals: int = 0
    events: int = 0
    put_away: int = 0
    waiting: int = 0
    checkpoints: int = 0
    findings: list[Finding] = field(default_factory=list)
    untold: int = 0

    @property
    def is_intact(self) -> bool:
        return not self.findings

    def add(
        self,
        kind: Found,
        text: str,
        *,
        seal: int | None = None,
        position: int | None = None,
        event_id: str | None = None,
    ) -> None:
        """Add a finding; past the first thousand they are only counted."""
        if len(self.findings) < MOST:
            self.findings.append(Finding(kind, text, seal, position, event_id))
        else:
            self.untold += 1

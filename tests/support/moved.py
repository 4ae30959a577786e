"""The clock that all workers look at, moved in one step."""

from pathlib import Path


def move_clock(file: Path, seconds: int) -> int:
    """Move the clock by so many seconds; return by how many it is moved now.

    At once for whoever looks: a file that is being written is empty for a moment, and that is
    another time.
    """
    moved = int(file.read_text()) + seconds
    fresh = file.with_name(f"{file.name}.moved")
    fresh.write_text(str(moved))
    fresh.replace(file)
    return moved

"""The table of parts in ARCHITECTURE.md, from the list that the extension starts with."""

from collections.abc import Iterable

from markdown_page import table

from deputize.extension import PARTS
from deputize.part import Part


def parts() -> str:
    """Return what each part contributes, as `deputize plugins` shows it."""
    columns = ("part", "tables (`deputize_…`)", "grants", "endpoints, metadata", "hears, sends")
    return "\n".join(table(columns, map(_row, PARTS)))


def _row(part: Part) -> tuple[str, ...]:
    return (
        part.name,
        _names(table.name.removeprefix("deputize_") for table in part.tables),
        _names(grant.rpartition(":")[2] for grant in part.grants),
        _names((*part.endpoints, *part.metadata)),
        _names(sorted({*(kind for kind, _ in part.listeners), *part.deliveries})),
    )


def _names(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)

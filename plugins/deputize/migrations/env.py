"""Alembic's entry: our tables alone, with a version table of our own."""

from typing import Any

from alembic import context

from deputize.core.db import metadata
from deputize.migrations import VERSION_TABLE, every_table


def _is_ours(_object: Any, name: str | None, kind: str, *_: Any) -> bool:
    return kind != "table" or (name or "").startswith("deputize_")


every_table()
context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    include_object=_is_ours,
)
context.run_migrations()

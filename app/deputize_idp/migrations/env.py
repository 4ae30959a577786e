"""Alembic's entry: the host's tables alone, with a version table of their own."""

from alembic import context

from deputize_idp.database import Base
from deputize_idp.migrations import VERSION_TABLE

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    version_table=VERSION_TABLE,
)
context.run_migrations()

"""A signing key waits before it signs, and is retired for good; clients name where a person
goes after signing out.

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "signing_key", sa.Column("signs_from", sa.Integer(), nullable=False, server_default="0")
    )
    # It was the time at which the successor began to sign, which the successor tells.
    op.execute("UPDATE signing_key SET signs_from = created_at, retired_at = NULL")
    op.add_column(
        "client",
        sa.Column("post_logout_redirect_uris", sa.JSON(), nullable=False, server_default="[]"),
    )

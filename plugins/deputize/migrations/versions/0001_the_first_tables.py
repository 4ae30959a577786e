"""The first tables.

Revision ID: 0001
Revises: nothing
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "deputize_agent",
        sa.Column("client_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("owner", sa.String(length=255), nullable=True),
        sa.Column("sponsor", sa.String(length=255), nullable=True),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("model", sa.String(length=200), nullable=True),
        sa.Column("vendor", sa.String(length=200), nullable=True),
        sa.Column("software_version", sa.String(length=200), nullable=True),
        sa.Column("origin", sa.String(length=16), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("resources", sa.Text(), nullable=False),
        sa.Column("delegates_to", sa.Text(), nullable=False),
        sa.Column("max_delegation_depth", sa.Integer(), nullable=False),
        sa.Column("grant_types", sa.Text(), nullable=False),
        sa.Column("redirect_uris", sa.Text(), nullable=False),
        sa.Column("require_pushed_authorization_requests", sa.Boolean(), nullable=False),
        sa.Column("token_endpoint_auth_method", sa.String(length=32), nullable=False),
        sa.Column("secret_digest", sa.String(length=64), nullable=True),
        sa.Column("jwks", sa.Text(), nullable=True),
        sa.Column("jwks_uri", sa.Text(), nullable=True),
        sa.Column("credential_overlap", sa.Integer(), nullable=True),
        sa.Column("retiring", sa.Text(), nullable=True),
        sa.Column("retiring_until", sa.BigInteger(), nullable=True),
        sa.Column("request_signing_alg", sa.String(length=16), nullable=True),
        sa.Column("user_code_parameter", sa.Boolean(), nullable=False),
        sa.Column("backchannel_token_delivery_mode", sa.String(length=4), nullable=False),
        sa.Column("backchannel_client_notification_endpoint", sa.Text(), nullable=True),
        sa.Column("registration_token_digest", sa.String(length=64), nullable=True),
        sa.Column("only_for", sa.String(length=255), nullable=True),
        sa.Column("blueprint", sa.String(length=64), nullable=True),
        sa.Column("parent", sa.String(length=64), nullable=True),
        sa.Column("parent_delegation_id", sa.String(length=16), nullable=True),
        sa.Column("task_id", sa.String(length=16), nullable=True),
        sa.Column("task_exchanges", sa.Integer(), nullable=True),
        sa.Column("task_spawned", sa.Integer(), nullable=True),
        sa.Column("task_elevated", sa.Integer(), nullable=True),
        sa.Column("task_heartbeat", sa.Integer(), nullable=True),
        sa.Column("task_completion", sa.String(length=8), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("client_id", name=op.f("pk_deputize_agent")),
    )
    op.create_index(
        op.f("ix_deputize_agent_blueprint"), "deputize_agent", ["blueprint"], unique=False
    )
    op.create_index("ix_deputize_agent_origin", "deputize_agent", ["origin", "owner"], unique=False)
    op.create_index("ix_deputize_agent_owner", "deputize_agent", ["owner"], unique=False)
    op.create_index(op.f("ix_deputize_agent_parent"), "deputize_agent", ["parent"], unique=False)
    op.create_index(
        op.f("ix_deputize_agent_parent_delegation_id"),
        "deputize_agent",
        ["parent_delegation_id"],
        unique=False,
    )
    op.create_index("ix_deputize_agent_sponsor", "deputize_agent", ["sponsor"], unique=False)
    op.create_index("ix_deputize_agent_task_id", "deputize_agent", ["task_id"], unique=False)
    op.create_table(
        "deputize_approval",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("person_id", sa.String(length=16), nullable=False),
        sa.Column("client_id", sa.String(length=64), nullable=False),
        sa.Column("delegation_id", sa.String(length=16), nullable=False),
        sa.Column("root_agent", sa.String(length=64), nullable=False),
        sa.Column("task_id", sa.String(length=16), nullable=False),
        sa.Column("chain", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("details", sa.Text(), nullable=True),
        sa.Column("held", sa.Text(), nullable=False),
        sa.Column("target", sa.String(length=512), nullable=False),
        sa.Column("binding_message", sa.Text(), nullable=False),
        sa.Column("lifetime", sa.BigInteger(), nullable=False),
        sa.Column("request_hash", sa.String(length=64), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("decided_at", sa.BigInteger(), nullable=True),
        sa.Column("granted_scope", sa.Text(), nullable=True),
        sa.Column("granted_details", sa.Text(), nullable=True),
        sa.Column("granted_lifetime", sa.BigInteger(), nullable=True),
        sa.Column("for_task", sa.Boolean(), nullable=False),
        sa.Column("repeats", sa.String(length=16), nullable=True),
        sa.Column("decision_hash", sa.String(length=64), nullable=True),
        sa.Column("auth_time", sa.BigInteger(), nullable=True),
        sa.Column("acr", sa.Text(), nullable=True),
        sa.Column("amr", sa.Text(), nullable=True),
        sa.Column("evidence_id", sa.String(length=16), nullable=True),
        sa.Column("node_id", sa.String(length=16), nullable=True),
        sa.Column("jti", sa.String(length=16), nullable=True),
        sa.Column("token_expires_at", sa.BigInteger(), nullable=True),
        sa.Column("redeemed_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deputize_approval")),
    )
    op.create_index(
        "ix_deputize_approval_client_id", "deputize_approval", ["client_id", "status"], unique=False
    )
    op.create_index(
        "ix_deputize_approval_decision_hash",
        "deputize_approval",
        ["status", "expires_at"],
        unique=False,
        sqlite_where=sa.text("decision_hash IS NOT NULL AND status = 'pending'"),
        postgresql_where=sa.text("decision_hash IS NOT NULL AND status = 'pending'"),
    )
    op.create_index(
        "ix_deputize_approval_expires_at",
        "deputize_approval",
        ["expires_at"],
        unique=False,
        sqlite_where=sa.text("status = 'pending'"),
        postgresql_where=sa.text("status = 'pending'"),
    )
    op.create_index(
        "ix_deputize_approval_person_id",
        "deputize_approval",
        ["person_id", "status", "expires_at"],
        unique=False,
    )
    op.create_index(
        op.f("ix_deputize_approval_task_id"), "deputize_approval", ["task_id"], unique=False
    )
    op.create_index(
        "uq_deputize_approval_request_hash",
        "deputize_approval",
        ["request_hash"],
        unique=True,
        sqlite_where=sa.text("status = 'pending'"),
        postgresql_where=sa.text("status = 'pending'"),
    )
    op.create_table(
        "deputize_approval_group",
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("decision_hash", sa.String(length=64), nullable=False),
        sa.Column("asked_from", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", "decision_hash", name=op.f("pk_deputize_approval_group")),
    )
    op.create_table(
        "deputize_approval_vote",
        sa.Column("decision_hash", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.String(length=16), nullable=False),
        sa.Column("voted_at", sa.BigInteger(), nullable=False),
        sa.Column("auth_time", sa.BigInteger(), nullable=True),
        sa.Column("acr", sa.Text(), nullable=True),
        sa.Column("evidence_id", sa.String(length=16), nullable=True),
        sa.PrimaryKeyConstraint(
            "decision_hash", "person_id", name=op.f("pk_deputize_approval_vote")
        ),
    )
    op.create_table(
        "deputize_archived_delegation",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("person_id", sa.String(length=16), nullable=False),
        sa.Column("task_id", sa.String(length=16), nullable=False),
        sa.Column("archived_at", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deputize_archived_delegation")),
    )
    op.create_index(
        op.f("ix_deputize_archived_delegation_person_id"),
        "deputize_archived_delegation",
        ["person_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_deputize_archived_delegation_task_id"),
        "deputize_archived_delegation",
        ["task_id"],
        unique=False,
    )
    op.create_table(
        "deputize_audit_key",
        sa.Column("kid", sa.String(length=43), nullable=False),
        sa.Column("public_jwk", sa.Text(), nullable=False),
        sa.Column("private_jwk", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("kid", name=op.f("pk_deputize_audit_key")),
    )
    op.create_table(
        "deputize_auth_request",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("approval_id", sa.String(length=16), nullable=False),
        sa.Column("client_id", sa.String(length=64), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("interval", sa.BigInteger(), nullable=False),
        sa.Column("polled_at", sa.BigInteger(), nullable=True),
        sa.Column("delivery_mode", sa.String(length=4), nullable=True),
        sa.Column("notification_endpoint", sa.Text(), nullable=True),
        sa.Column("sealed", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_deputize_auth_request")),
    )
    op.create_index(
        op.f("ix_deputize_auth_request_approval_id"),
        "deputize_auth_request",
        ["approval_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_deputize_auth_request_expires_at"),
        "deputize_auth_request",
        ["expires_at"],
        unique=False,
    )
    op.create_table(
        "deputize_browser",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("person_id", sa.String(length=16), nullable=False),
        sa.Column("endpoint_hash", sa.String(length=64), nullable=False),
        sa.Column("subscription", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("last_sent", sa.String(length=16), nullable=True),
        sa.Column("last_sent_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deputize_browser")),
        sa.UniqueConstraint("endpoint_hash", name=op.f("uq_deputize_browser_endpoint_hash")),
    )
    op.create_index(
        op.f("ix_deputize_browser_person_id"), "deputize_browser", ["person_id"], unique=False
    )
    op.create_table(
        "deputize_code",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("client_id", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.String(length=16), nullable=False),
        sa.Column("redirect_uri", sa.Text(), nullable=True),
        sa.Column("code_challenge", sa.String(length=43), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("details", sa.Text(), nullable=True),
        sa.Column("resources", sa.Text(), nullable=False),
        sa.Column("pass_on", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("granted_until", sa.BigInteger(), nullable=False),
        sa.Column("auth_time", sa.BigInteger(), nullable=True),
        sa.Column("acr", sa.Text(), nullable=True),
        sa.Column("amr", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.Column("delegation_id", sa.String(length=16), nullable=True),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_deputize_code")),
    )
    op.create_index(
        op.f("ix_deputize_code_client_id"), "deputize_code", ["client_id"], unique=False
    )
    op.create_index(
        op.f("ix_deputize_code_expires_at"), "deputize_code", ["expires_at"], unique=False
    )
    op.create_index(
        op.f("ix_deputize_code_person_id"), "deputize_code", ["person_id"], unique=False
    )
    op.create_table(
        "deputize_delegation",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("root_id", sa.String(length=16), nullable=False),
        sa.Column("parent_id", sa.String(length=16), nullable=True),
        sa.Column(
            "path", sa.String().with_variant(sa.String(collation="C"), "postgresql"), nullable=False
        ),
        sa.Column("depth", sa.Integer(), nullable=False),
        sa.Column("chain", sa.Text(), nullable=False),
        sa.Column("actor", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.String(length=16), nullable=False),
        sa.Column("task_id", sa.String(length=16), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("target", sa.String(length=512), nullable=False),
        sa.Column("resources", sa.Text(), nullable=False),
        sa.Column("pass_on", sa.Text(), nullable=False),
        sa.Column("max_depth", sa.Integer(), nullable=False),
        sa.Column("details", sa.Text(), nullable=True),
        sa.Column("lease_hash", sa.String(length=64), nullable=True),
        sa.Column("approval_id", sa.String(length=16), nullable=True),
        sa.Column("jkt", sa.String(length=43), nullable=True),
        sa.Column("auth_time", sa.BigInteger(), nullable=True),
        sa.Column("acr", sa.Text(), nullable=True),
        sa.Column("amr", sa.Text(), nullable=False),
        sa.Column("evidence_id", sa.String(length=16), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_why", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deputize_delegation")),
    )
    op.create_index(
        "ix_deputize_delegation_actor", "deputize_delegation", ["actor", "ended_at"], unique=False
    )
    op.create_index("ix_deputize_delegation_path", "deputize_delegation", ["path"], unique=False)
    op.create_index(
        "ix_deputize_delegation_person_id",
        "deputize_delegation",
        ["person_id", "ended_at"],
        unique=False,
    )
    op.create_index(
        "ix_deputize_delegation_task_id", "deputize_delegation", ["task_id"], unique=False
    )
    op.create_index(
        "uq_deputize_delegation_lease_hash",
        "deputize_delegation",
        ["lease_hash"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "deputize_details_type",
        sa.Column("type", sa.String(length=200), nullable=False),
        sa.Column("scope", sa.String(length=200), nullable=False),
        sa.Column("schema", sa.Text(), nullable=False),
        sa.Column("template", sa.Text(), nullable=False),
        sa.Column("compare", sa.Text(), nullable=False),
        sa.Column("consumable", sa.String(length=200), nullable=True),
        sa.Column("retired_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("type", name=op.f("pk_deputize_details_type")),
    )
    op.create_table(
        "deputize_event",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("rule", sa.String(length=64), nullable=True),
        sa.Column("person_id", sa.String(length=16), nullable=True),
        sa.Column("agent", sa.String(length=64), nullable=True),
        sa.Column("task_id", sa.String(length=16), nullable=True),
        sa.Column("delegation_id", sa.String(length=16), nullable=True),
        sa.Column("chain", sa.Text(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deputize_event")),
    )
    op.create_index(
        "ix_deputize_event_agent",
        "deputize_event",
        ["agent", "at"],
        unique=False,
        sqlite_where=sa.text("agent IS NOT NULL"),
        postgresql_where=sa.text("agent IS NOT NULL"),
    )
    op.create_index("ix_deputize_event_at", "deputize_event", ["at"], unique=False)
    op.create_index(
        "ix_deputize_event_person_id",
        "deputize_event",
        ["person_id", "at"],
        unique=False,
        sqlite_where=sa.text("person_id IS NOT NULL"),
        postgresql_where=sa.text("person_id IS NOT NULL"),
    )
    op.create_index(
        "ix_deputize_event_refused",
        "deputize_event",
        ["agent", "at"],
        unique=False,
        sqlite_where=sa.text("rule IS NOT NULL OR kind = 'approval.denied'"),
        postgresql_where=sa.text("rule IS NOT NULL OR kind = 'approval.denied'"),
    )
    op.create_index(
        "ix_deputize_event_rule",
        "deputize_event",
        ["rule", "at"],
        unique=False,
        sqlite_where=sa.text("rule IS NOT NULL"),
        postgresql_where=sa.text("rule IS NOT NULL"),
    )
    op.create_index(
        "ix_deputize_event_task_id",
        "deputize_event",
        ["task_id", "at"],
        unique=False,
        sqlite_where=sa.text("task_id IS NOT NULL"),
        postgresql_where=sa.text("task_id IS NOT NULL"),
    )
    op.create_index(
        "ix_deputize_event_unsealed",
        "deputize_event",
        ["at", "id"],
        unique=False,
        sqlite_where=sa.text("position IS NULL"),
        postgresql_where=sa.text("position IS NULL"),
    )
    op.create_index(
        "uq_deputize_event_position",
        "deputize_event",
        ["position"],
        unique=True,
        sqlite_where=sa.text("position IS NOT NULL"),
        postgresql_where=sa.text("position IS NOT NULL"),
    )
    op.create_table(
        "deputize_evidence",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("passkey_id", sa.String(length=16), nullable=False),
        sa.Column("decision_hash", sa.String(length=64), nullable=False),
        sa.Column("nonce", sa.String(length=43), nullable=False),
        sa.Column("client_data", sa.LargeBinary(), nullable=False),
        sa.Column("authenticator_data", sa.LargeBinary(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deputize_evidence")),
    )
    op.create_index(
        op.f("ix_deputize_evidence_passkey_id"), "deputize_evidence", ["passkey_id"], unique=False
    )
    op.create_table(
        "deputize_notify_choice",
        sa.Column("person_id", sa.String(length=16), nullable=False),
        sa.Column("muted", sa.Text(), nullable=False),
        sa.Column("quiet_from", sa.Integer(), nullable=True),
        sa.Column("quiet_to", sa.Integer(), nullable=True),
        sa.Column("zone", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_deputize_notify_choice")),
    )
    op.create_table(
        "deputize_outbox",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("destination", sa.String(length=255), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("claimed_until", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("done_at", sa.BigInteger(), nullable=True),
        sa.Column("outcome", sa.String(length=200), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deputize_outbox")),
    )
    op.create_index(
        op.f("ix_deputize_outbox_done_at"), "deputize_outbox", ["done_at"], unique=False
    )
    op.create_index(
        "ix_deputize_outbox_due_at",
        "deputize_outbox",
        ["due_at"],
        unique=False,
        sqlite_where=sa.text("done_at IS NULL"),
        postgresql_where=sa.text("done_at IS NULL"),
    )
    op.create_index(
        "ix_deputize_outbox_subject", "deputize_outbox", ["kind", "subject"], unique=False
    )
    op.create_table(
        "deputize_passkey",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("person_id", sa.String(length=16), nullable=False),
        sa.Column("credential_id", sa.Text(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sign_count", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("counts_from", sa.BigInteger(), nullable=False),
        sa.Column("last_used_at", sa.BigInteger(), nullable=True),
        sa.Column("removed_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deputize_passkey")),
        sa.UniqueConstraint("credential_id", name=op.f("uq_deputize_passkey_credential_id")),
    )
    op.create_index(
        op.f("ix_deputize_passkey_person_id"), "deputize_passkey", ["person_id"], unique=False
    )
    op.create_table(
        "deputize_passkey_challenge",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.String(length=16), nullable=False),
        sa.Column("purpose", sa.String(length=16), nullable=False),
        sa.Column("about", sa.String(length=16), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_deputize_passkey_challenge")),
    )
    op.create_index(
        op.f("ix_deputize_passkey_challenge_expires_at"),
        "deputize_passkey_challenge",
        ["expires_at"],
        unique=False,
    )
    op.create_table(
        "deputize_person",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("host_key", sa.String(length=255), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("left_at", sa.BigInteger(), nullable=True),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deputize_person")),
        sa.UniqueConstraint("host_key", name=op.f("uq_deputize_person_host_key")),
    )
    op.create_table(
        "deputize_pushed_request",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("client_id", sa.String(length=64), nullable=False),
        sa.Column("parameters", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("person_key", sa.String(length=255), nullable=True),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_deputize_pushed_request")),
    )
    op.create_index(
        "ix_deputize_pushed_request_client_id",
        "deputize_pushed_request",
        ["client_id", "expires_at"],
        unique=False,
    )
    op.create_index(
        op.f("ix_deputize_pushed_request_expires_at"),
        "deputize_pushed_request",
        ["expires_at"],
        unique=False,
    )
    op.create_table(
        "deputize_quota",
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_deputize_quota")),
    )
    op.create_table(
        "deputize_refresh_token",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("delegation_id", sa.String(length=16), nullable=False),
        sa.Column("client_id", sa.String(length=64), nullable=False),
        sa.Column("issued_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.Column("successor", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_deputize_refresh_token")),
    )
    op.create_index(
        op.f("ix_deputize_refresh_token_delegation_id"),
        "deputize_refresh_token",
        ["delegation_id"],
        unique=False,
    )
    op.create_table(
        "deputize_resource_server",
        sa.Column("identifier", sa.String(length=512), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("client_id", sa.String(length=64), nullable=False),
        sa.Column("secret_digest", sa.String(length=64), nullable=False),
        sa.Column("use_id", sa.Boolean(), nullable=True),
        sa.Column("retired_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("identifier", name=op.f("pk_deputize_resource_server")),
        sa.UniqueConstraint("client_id", name=op.f("uq_deputize_resource_server_client_id")),
    )
    op.create_table(
        "deputize_scope",
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("resource", sa.String(length=512), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("sensitive", sa.Boolean(), nullable=False),
        sa.Column("acr", sa.String(length=200), nullable=True),
        sa.Column("max_age", sa.Integer(), nullable=True),
        sa.Column("token_lifetime", sa.Integer(), nullable=True),
        sa.Column("single_use", sa.Boolean(), nullable=False),
        sa.Column("delegable", sa.Boolean(), nullable=False),
        sa.Column("approvers", sa.Text(), nullable=True),
        sa.Column("quorum", sa.Integer(), nullable=True),
        sa.Column("escalates_to", sa.Text(), nullable=True),
        sa.Column("escalates_after", sa.Integer(), nullable=True),
        sa.Column("retired_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_deputize_scope")),
    )
    op.create_table(
        "deputize_seal",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("first_position", sa.BigInteger(), nullable=False),
        sa.Column("events", sa.Integer(), nullable=False),
        sa.Column("sealed_at", sa.BigInteger(), nullable=False),
        sa.Column("leaves", sa.LargeBinary(), nullable=False),
        sa.Column("statement", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_deputize_seal")),
        sa.UniqueConstraint("first_position", name=op.f("uq_deputize_seal_first_position")),
    )
    op.create_index(
        op.f("ix_deputize_seal_sealed_at"), "deputize_seal", ["sealed_at"], unique=False
    )
    op.create_table(
        "deputize_signing_key",
        sa.Column("kid", sa.String(length=16), nullable=False),
        sa.Column("private_jwk", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("signs_from", sa.BigInteger(), nullable=False),
        sa.Column("retired_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("kid", name=op.f("pk_deputize_signing_key")),
    )
    op.create_table(
        "deputize_single_use",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("delegation_id", sa.String(length=16), nullable=False),
        sa.Column("jti", sa.String(length=16), nullable=False),
        sa.Column("issued_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("use_id", sa.String(length=128), nullable=True),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_deputize_single_use")),
    )
    op.create_index(
        op.f("ix_deputize_single_use_delegation_id"),
        "deputize_single_use",
        ["delegation_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_deputize_single_use_expires_at"),
        "deputize_single_use",
        ["expires_at"],
        unique=False,
    )
    op.create_table(
        "deputize_spawn_token",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("delegation_id", sa.String(length=16), nullable=False),
        sa.Column("client_id", sa.String(length=64), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("agent_jkt", sa.String(length=43), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_deputize_spawn_token")),
    )
    op.create_index(
        op.f("ix_deputize_spawn_token_expires_at"),
        "deputize_spawn_token",
        ["expires_at"],
        unique=False,
    )
    op.create_table(
        "deputize_task",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("person_id", sa.String(length=16), nullable=False),
        sa.Column("agent", sa.String(length=64), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("deadline", sa.BigInteger(), nullable=False),
        sa.Column("exchanges", sa.Integer(), nullable=True),
        sa.Column("spawned", sa.Integer(), nullable=True),
        sa.Column("elevated", sa.Integer(), nullable=True),
        sa.Column("heartbeat", sa.Integer(), nullable=True),
        sa.Column("heard_by", sa.BigInteger(), nullable=True),
        sa.Column("completion", sa.String(length=8), nullable=False),
        sa.Column("proposed", sa.String(length=16), nullable=True),
        sa.Column("proposed_at", sa.BigInteger(), nullable=True),
        sa.Column("asked_until", sa.BigInteger(), nullable=True),
        sa.Column("more_denied_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_why", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deputize_task")),
    )
    op.create_index(
        "ix_deputize_task_heard_by",
        "deputize_task",
        ["heard_by"],
        unique=False,
        sqlite_where=sa.text("heard_by IS NOT NULL"),
        postgresql_where=sa.text("heard_by IS NOT NULL"),
    )
    op.create_index(
        "ix_deputize_task_person_id", "deputize_task", ["person_id", "started_at"], unique=False
    )
    op.create_index(
        "ix_deputize_task_status", "deputize_task", ["status", "deadline"], unique=False
    )
    op.create_table(
        "deputize_used_once",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_deputize_used_once")),
    )
    op.create_index(
        op.f("ix_deputize_used_once_expires_at"), "deputize_used_once", ["expires_at"], unique=False
    )
    op.create_table(
        "deputize_user_code",
        sa.Column("person_id", sa.String(length=16), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("set_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_deputize_user_code")),
    )
    op.create_table(
        "deputize_user_code_try",
        sa.Column("person_id", sa.String(length=16), nullable=False),
        sa.Column("client_id", sa.String(length=64), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("person_id", "client_id", name=op.f("pk_deputize_user_code_try")),
    )
    op.create_index(
        op.f("ix_deputize_user_code_try_until"), "deputize_user_code_try", ["until"], unique=False
    )
    op.create_table(
        "deputize_vapid_key",
        sa.Column("name", sa.String(length=16), nullable=False),
        sa.Column("private_jwk", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_deputize_vapid_key")),
    )
    op.create_table(
        "deputize_version",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_deputize_version")),
    )
    numbers = sa.table("deputize_version", sa.column("name"), sa.column("number"))
    op.bulk_insert(numbers, [{"name": name, "number": 1} for name in ("catalogue", "keys")])


def downgrade() -> None:
    op.drop_table("deputize_version")
    op.drop_table("deputize_vapid_key")
    op.drop_index(op.f("ix_deputize_user_code_try_until"), table_name="deputize_user_code_try")
    op.drop_table("deputize_user_code_try")
    op.drop_table("deputize_user_code")
    op.drop_index(op.f("ix_deputize_used_once_expires_at"), table_name="deputize_used_once")
    op.drop_table("deputize_used_once")
    op.drop_index("ix_deputize_task_status", table_name="deputize_task")
    op.drop_index("ix_deputize_task_person_id", table_name="deputize_task")
    op.drop_index(
        "ix_deputize_task_heard_by",
        table_name="deputize_task",
        sqlite_where=sa.text("heard_by IS NOT NULL"),
        postgresql_where=sa.text("heard_by IS NOT NULL"),
    )
    op.drop_table("deputize_task")
    op.drop_index(op.f("ix_deputize_spawn_token_expires_at"), table_name="deputize_spawn_token")
    op.drop_table("deputize_spawn_token")
    op.drop_index(op.f("ix_deputize_single_use_expires_at"), table_name="deputize_single_use")
    op.drop_index(op.f("ix_deputize_single_use_delegation_id"), table_name="deputize_single_use")
    op.drop_table("deputize_single_use")
    op.drop_table("deputize_signing_key")
    op.drop_index(op.f("ix_deputize_seal_sealed_at"), table_name="deputize_seal")
    op.drop_table("deputize_seal")
    op.drop_table("deputize_scope")
    op.drop_table("deputize_resource_server")
    op.drop_index(
        op.f("ix_deputize_refresh_token_delegation_id"), table_name="deputize_refresh_token"
    )
    op.drop_table("deputize_refresh_token")
    op.drop_table("deputize_quota")
    op.drop_index(
        op.f("ix_deputize_pushed_request_expires_at"), table_name="deputize_pushed_request"
    )
    op.drop_index("ix_deputize_pushed_request_client_id", table_name="deputize_pushed_request")
    op.drop_table("deputize_pushed_request")
    op.drop_table("deputize_person")
    op.drop_index(
        op.f("ix_deputize_passkey_challenge_expires_at"), table_name="deputize_passkey_challenge"
    )
    op.drop_table("deputize_passkey_challenge")
    op.drop_index(op.f("ix_deputize_passkey_person_id"), table_name="deputize_passkey")
    op.drop_table("deputize_passkey")
    op.drop_index("ix_deputize_outbox_subject", table_name="deputize_outbox")
    op.drop_index(
        "ix_deputize_outbox_due_at",
        table_name="deputize_outbox",
        sqlite_where=sa.text("done_at IS NULL"),
        postgresql_where=sa.text("done_at IS NULL"),
    )
    op.drop_index(op.f("ix_deputize_outbox_done_at"), table_name="deputize_outbox")
    op.drop_table("deputize_outbox")
    op.drop_table("deputize_notify_choice")
    op.drop_index(op.f("ix_deputize_evidence_passkey_id"), table_name="deputize_evidence")
    op.drop_table("deputize_evidence")
    op.drop_index(
        "uq_deputize_event_position",
        table_name="deputize_event",
        sqlite_where=sa.text("position IS NOT NULL"),
        postgresql_where=sa.text("position IS NOT NULL"),
    )
    op.drop_index(
        "ix_deputize_event_unsealed",
        table_name="deputize_event",
        sqlite_where=sa.text("position IS NULL"),
        postgresql_where=sa.text("position IS NULL"),
    )
    op.drop_index(
        "ix_deputize_event_task_id",
        table_name="deputize_event",
        sqlite_where=sa.text("task_id IS NOT NULL"),
        postgresql_where=sa.text("task_id IS NOT NULL"),
    )
    op.drop_index(
        "ix_deputize_event_rule",
        table_name="deputize_event",
        sqlite_where=sa.text("rule IS NOT NULL"),
        postgresql_where=sa.text("rule IS NOT NULL"),
    )
    op.drop_index(
        "ix_deputize_event_refused",
        table_name="deputize_event",
        sqlite_where=sa.text("rule IS NOT NULL OR kind = 'approval.denied'"),
        postgresql_where=sa.text("rule IS NOT NULL OR kind = 'approval.denied'"),
    )
    op.drop_index(
        "ix_deputize_event_person_id",
        table_name="deputize_event",
        sqlite_where=sa.text("person_id IS NOT NULL"),
        postgresql_where=sa.text("person_id IS NOT NULL"),
    )
    op.drop_index("ix_deputize_event_at", table_name="deputize_event")
    op.drop_index(
        "ix_deputize_event_agent",
        table_name="deputize_event",
        sqlite_where=sa.text("agent IS NOT NULL"),
        postgresql_where=sa.text("agent IS NOT NULL"),
    )
    op.drop_table("deputize_event")
    op.drop_table("deputize_details_type")
    op.drop_index(
        "uq_deputize_delegation_lease_hash",
        table_name="deputize_delegation",
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.drop_index("ix_deputize_delegation_task_id", table_name="deputize_delegation")
    op.drop_index("ix_deputize_delegation_person_id", table_name="deputize_delegation")
    op.drop_index("ix_deputize_delegation_path", table_name="deputize_delegation")
    op.drop_index("ix_deputize_delegation_actor", table_name="deputize_delegation")
    op.drop_table("deputize_delegation")
    op.drop_index(op.f("ix_deputize_code_person_id"), table_name="deputize_code")
    op.drop_index(op.f("ix_deputize_code_expires_at"), table_name="deputize_code")
    op.drop_index(op.f("ix_deputize_code_client_id"), table_name="deputize_code")
    op.drop_table("deputize_code")
    op.drop_index(op.f("ix_deputize_browser_person_id"), table_name="deputize_browser")
    op.drop_table("deputize_browser")
    op.drop_index(op.f("ix_deputize_auth_request_expires_at"), table_name="deputize_auth_request")
    op.drop_index(op.f("ix_deputize_auth_request_approval_id"), table_name="deputize_auth_request")
    op.drop_table("deputize_auth_request")
    op.drop_table("deputize_audit_key")
    op.drop_index(
        op.f("ix_deputize_archived_delegation_task_id"), table_name="deputize_archived_delegation"
    )
    op.drop_index(
        op.f("ix_deputize_archived_delegation_person_id"), table_name="deputize_archived_delegation"
    )
    op.drop_table("deputize_archived_delegation")
    op.drop_table("deputize_approval_vote")
    op.drop_table("deputize_approval_group")
    op.drop_index(
        "uq_deputize_approval_request_hash",
        table_name="deputize_approval",
        sqlite_where=sa.text("status = 'pending'"),
        postgresql_where=sa.text("status = 'pending'"),
    )
    op.drop_index(op.f("ix_deputize_approval_task_id"), table_name="deputize_approval")
    op.drop_index("ix_deputize_approval_person_id", table_name="deputize_approval")
    op.drop_index(
        "ix_deputize_approval_expires_at",
        table_name="deputize_approval",
        sqlite_where=sa.text("status = 'pending'"),
        postgresql_where=sa.text("status = 'pending'"),
    )
    op.drop_index(
        "ix_deputize_approval_decision_hash",
        table_name="deputize_approval",
        sqlite_where=sa.text("decision_hash IS NOT NULL AND status = 'pending'"),
        postgresql_where=sa.text("decision_hash IS NOT NULL AND status = 'pending'"),
    )
    op.drop_index("ix_deputize_approval_client_id", table_name="deputize_approval")
    op.drop_table("deputize_approval")
    op.drop_index("ix_deputize_agent_task_id", table_name="deputize_agent")
    op.drop_index("ix_deputize_agent_sponsor", table_name="deputize_agent")
    op.drop_index(op.f("ix_deputize_agent_parent_delegation_id"), table_name="deputize_agent")
    op.drop_index(op.f("ix_deputize_agent_parent"), table_name="deputize_agent")
    op.drop_index("ix_deputize_agent_owner", table_name="deputize_agent")
    op.drop_index("ix_deputize_agent_origin", table_name="deputize_agent")
    op.drop_index(op.f("ix_deputize_agent_blueprint"), table_name="deputize_agent")
    op.drop_table("deputize_agent")

"""A blueprint and its instances: one registration that many agents follow. Pure.

A blueprint is nobody that acts: it has no credential. An instance has its own, and its name;
all else is its blueprint's, so that one edit is an edit of all.
"""

from dataclasses import replace

from .models import Agent

#: What an instance has of its blueprint.
INHERITED = (
    "owner",
    "sponsor",
    "purpose",
    "model",
    "vendor",
    "software_version",
    "expires_at",
    "scope",
    "resources",
    "delegates_to",
    "max_delegation_depth",
    "grant_types",
    "redirect_uris",
    "require_pushed_authorization_requests",
    "task_exchanges",
    "task_spawned",
    "task_elevated",
    "task_heartbeat",
    "task_completion",
)


def follow(instance: Agent, blueprint: Agent) -> Agent:
    """Return the instance as its blueprint is now."""
    return replace(instance, **{name: getattr(blueprint, name) for name in INHERITED})

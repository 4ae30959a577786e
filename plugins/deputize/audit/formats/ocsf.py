"""Open Cybersecurity Schema Framework, version 1.3.0 (https://schema.ocsf.io/1.3.0). Pure.

Authority that is handed out is Authorize Session (3003), a refusal Authentication (3002) that
failed, and all else what happened to an entity (3004). What the schema has no place for is in
`unmapped`, the chain above all. We keep no addresses: no endpoint is told.
"""

import json
from importlib.metadata import version
from typing import Any

from ..vocabulary import KINDS
from .severity import severity_of

_IAM = 3
_AUTHENTICATION, _AUTHORIZE_SESSION, _ENTITY_MANAGEMENT = 3002, 3003, 3004
_OTHER = 99

#: By our severity.
_SEVERITY = {"informational": 1, "low": 2, "high": 4}

_SUCCESS, _FAILURE = 1, 2

#: `user.type_id`: a person.
_USER = 1

#: What hands out authority. §authorize_session: 1 is Assign Privileges.
_HANDS_OUT = {"consent.granted", "delegation.issued", "agent.token_issued", "agent.spawn_issued"}
_ASSIGN_PRIVILEGES = 1

#: §entity_management, by what follows the dot of a kind.
_CREATE, _UPDATE, _DELETE, _ENROLL, _UNENROLL, _SUSPEND, _RESUME = 1, 3, 4, 6, 7, 12, 13
_ACTIVITIES = {
    "active": _RESUME,
    "added": _CREATE,
    "ended": _DELETE,
    "enrolled": _ENROLL,
    "erased": _DELETE,
    "made": _CREATE,
    "opened": _CREATE,
    "registered": _CREATE,
    "removed": _DELETE,
    "retired": _DELETE,
    "spawned": _CREATE,
    "suspended": _SUSPEND,
    "token_revoked": _UPDATE,
}

#: Members that the schema has a place for.
_MAPPED = {"id", "at", "kind", "rule", "person_id", "agent", "error", "detail"}


def ocsf_line(body: bytes) -> str:
    """Return the event as one line of JSON."""
    return json.dumps(to_ocsf(json.loads(body)), sort_keys=True, separators=(",", ":"))


def to_ocsf(happened: dict[str, Any]) -> dict[str, Any]:
    """Return the event as the schema says."""
    class_uid, activity_id, own = _classified(happened)
    return own | {
        "category_uid": _IAM,
        "class_uid": class_uid,
        "activity_id": activity_id,
        "activity_name": happened["kind"],
        "type_uid": class_uid * 100 + activity_id,
        "time": happened["at"] * 1000,
        "severity_id": _SEVERITY[severity_of(happened)],
        "message": KINDS.get(happened["kind"], happened["kind"]),
        "metadata": _metadata(happened),
        **_status(happened),
        **_actor(happened),
        "unmapped": {name: told for name, told in happened.items() if name not in _MAPPED},
    }


def _classified(happened: dict[str, Any]) -> tuple[int, int, dict[str, Any]]:
    """Return class, activity, and what only that class has."""
    kind = happened["kind"]
    family, _, what = kind.partition(".")
    if kind in _HANDS_OUT:
        return _AUTHORIZE_SESSION, _ASSIGN_PRIVILEGES, _session(happened)
    if what == "refused":
        service = {"name": family}
        return _AUTHENTICATION, _OTHER, {"user": _user(happened), "service": service}
    entity = {"type": family, "uid": _uid(family, happened)}
    return _ENTITY_MANAGEMENT, _ACTIVITIES.get(what, _UPDATE), {"entity": entity}


def _session(happened: dict[str, Any]) -> dict[str, Any]:
    session = {"uid": happened.get("jti") or happened.get("delegation_id")}
    if "exp" in happened:
        session["expiration_time"] = happened["exp"] * 1000
    privileges = str(happened.get("scope", "")).split()
    told = {"user": _user(happened), "privileges": privileges}
    return told | ({"session": session} if session["uid"] else {})


def _user(happened: dict[str, Any]) -> dict[str, Any]:
    """Return on whose behalf; else the agent that acts for itself, or who is said to have."""
    if "person_id" in happened:
        return {"uid": happened["person_id"], "type_id": _USER}
    if "agent" in happened:
        return {"uid": happened["agent"], "type_id": _OTHER, "type": "Agent"}
    return {"uid": happened.get("by") or "deputize", "type_id": _OTHER, "type": "Operator"}


def _actor(happened: dict[str, Any]) -> dict[str, Any]:
    actor: dict[str, Any] = {"user": _user(happened)}
    if "agent" in happened:
        actor["app_uid"] = happened["agent"]
    return {"actor": actor}


def _status(happened: dict[str, Any]) -> dict[str, Any]:
    if "rule" not in happened:
        return {"status_id": _SUCCESS}
    detail = happened.get("detail") or happened.get("error")
    told = {"status_id": _FAILURE, "status_code": happened["rule"]}
    return told | ({"status_detail": str(detail)} if detail else {})


def _metadata(happened: dict[str, Any]) -> dict[str, Any]:
    product = {"name": "Deputize", "vendor_name": "Deputize", "version": version("deputize")}
    told = {
        "version": "1.3.0",
        "product": product,
        "profiles": ["host"],
        "uid": happened["id"],
        "event_code": happened["kind"],
        "log_name": "audit",
    }
    task_id = happened.get("task_id")
    return told | ({"correlation_uid": task_id} if task_id else {})


#: Which member names the entity; by the family of the kind.
_NAMED_BY = {
    "agent": "agent",
    "approval": "approval_id",
    "browser": "browser_id",
    "catalogue": "name",
    "delegation": "delegation_id",
    "key": "kid",
    "outbox": "subject",
    "passkey": "passkey_id",
    "person": "person_id",
    "task": "task_id",
    "token": "jti",
}


def _uid(family: str, happened: dict[str, Any]) -> str:
    named = happened.get(_NAMED_BY.get(family, "person_id"))
    return str(named or happened.get("person_id") or happened["id"])

"""One delegation: authority handed from a subject to an actor, a node of a tree. Pure.

The root is made by a person's consent, each child by a token exchange. `target` is one
of three kinds: the issuer (the agent's hold on its delegation), a resource server (a
URI), or another agent (a client id, which never looks like a URI): a hand-over.
"""

import hashlib
from dataclasses import dataclass, replace

from ..core.values import Words, canonical_json, is_client_id


@dataclass(frozen=True, slots=True)
class Delegation:
    """What one actor holds of one person's authority.

    :param path: ids from the root down to this one, each followed by `/`
    :param depth: number of agents in the chain; the root's is 1
    :param chain: those agents' client ids, the first deputized first
    :param actor: the agent that holds it: the chain's last
    :param pass_on: whom the person lets it be passed on to
    :param max_depth: the tightest depth that an agent of the chain allows
    :param lease_hash: the request that finds this node again; None where none may
    :param jkt: thumbprint of the key that its tokens are bound to
    :param evidence_id: of what the person signed for it with a passkey
    :param expires_at: NumericDate; the task's deadline is read from the task
    """

    id: str
    root_id: str
    parent_id: str | None
    path: str
    depth: int
    chain: tuple[str, ...]
    actor: str
    person_id: str
    task_id: str
    scope: Words
    target: str
    resources: Words
    pass_on: Words
    max_depth: int
    lease_hash: str | None
    created_at: int
    expires_at: int
    details: str | None = None
    approval_id: str | None = None
    jkt: str | None = None
    auth_time: int | None = None
    acr: str | None = None
    amr: tuple[str, ...] = ()
    evidence_id: str | None = None
    ended_at: int | None = None
    ended_why: str | None = None

    @property
    def is_hand_over(self) -> bool:
        """Whether it is meant for another agent, and good at no resource server."""
        return is_client_id(self.target)

    def child(self, node_id: str, now: int, **changes: object) -> "Delegation":
        """Return a node under this one that holds the same, but for `changes`."""
        below = replace(
            self,
            id=node_id,
            parent_id=self.id,
            path=f"{self.path}{node_id}/",
            created_at=now,
            **changes,  # type: ignore[arg-type]
        )
        return replace(below, lease_hash=lease_hash(below))


def lease_hash(node: Delegation) -> str:
    """Return what finds `node` again: the same request, under the same parent and rules."""
    asked = [
        node.parent_id,
        node.actor,
        node.jkt,
        sorted(node.scope),
        node.target,
        sorted(node.resources),
        node.max_depth,
        node.expires_at,
        node.details,
        node.approval_id,
    ]
    return hashlib.sha256(canonical_json(asked)).hexdigest()

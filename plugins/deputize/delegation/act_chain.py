"""The `act` claim (RFC 8693 §4.1): who acts, for whom, through whom. Pure.

"The outermost act claim represents the current actor while nested act claims represent
prior actors." Only identity claims stand inside; what is on top of the token is not
repeated there.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Act = dict[str, Any]


def act_claim(issuer: str, chain: Sequence[str]) -> Act:
    """Return the `act` claim of `chain`, the agents' client ids with the first deputized first."""
    act: Act = {}
    for client_id in chain:
        older = {"act": act} if act else {}
        act = {"iss": issuer, "sub": client_id, "sub_profile": "ai_agent", **older}
    return act


def actors(act: Mapping[str, Any] | None) -> Iterator[str]:
    """Yield the `sub` of each actor, the current one first."""
    while act:
        yield act["sub"]
        act = act.get("act")

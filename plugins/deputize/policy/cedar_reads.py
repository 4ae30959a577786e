"""What policies read of a question. Nothing else is told to Cedar.

To turn a member into one of Cedar's values is most of what a question costs, and what no policy
reads changes no answer: so a question is the same as the one before it that differs in nothing
that is read. Pure.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

#: What is read of a record, by name; None stands for all of it.
Members: TypeAlias = Mapping[str, "Members"] | None

_Path: TypeAlias = tuple[str, ...]

#: How a policy names an entity that is none of the question's variables.
_ENTITY = '"__entity"'


@dataclass(frozen=True, slots=True)
class Reads:
    """What is read of each variable of a policy."""

    context: Members
    principal: Members
    resource: Members


def find_reads(policies: Iterable[Mapping[str, Any]]) -> Reads:
    """Return what these policies read, as Cedar's JSON form has them.

    :param policies: https://docs.cedarpolicy.com/policies/json-format.html
    """
    conditions = [policy.get("conditions", []) for policy in policies]
    # An entity by its name may be the agent itself: then its attributes are read unseen.
    names_entities = _ENTITY in json.dumps(conditions)
    return Reads(
        context=_members(_walk(conditions, "context")),
        principal=None if names_entities else _members(_walk(conditions, "principal")),
        resource=None if names_entities else _members(_walk(conditions, "resource")),
    )


def pick(told: Mapping[str, Any], read: Members) -> Mapping[str, Any]:
    """Return what is read of `told`."""
    if read is None:
        return told
    return {name: _part(told[name], below) for name, below in read.items() if name in told}


def _part(value: Any, read: Members) -> Any:
    return pick(value, read) if isinstance(value, dict) else value


def _walk(expression: Any, variable: str) -> Iterator[tuple[_Path, bool]]:
    """Yield the paths that are read from `variable`, and whether what is there is read, or only
    whether it is there."""
    path = _path(expression, variable)
    if path is not None:
        yield path, True
        return
    asked = _operands(expression, "has")
    above = _path(asked["left"], variable) if asked else None
    if asked and above is not None:
        yield (*above, asked["attr"]), False
        return
    for part in _parts(expression):
        yield from _walk(part, variable)


def _path(expression: Any, variable: str) -> _Path | None:
    """Return the attributes that lead from `variable` to what is meant; None where it is none."""
    if expression == {"Var": variable}:
        return ()
    access = _operands(expression, ".")
    above = _path(access["left"], variable) if access else None
    return None if above is None else (*above, access["attr"])


def _operands(expression: Any, operator: str) -> Any:
    """Return what the operator is applied to; a record may have a member of the same name."""
    found = expression.get(operator) if isinstance(expression, dict) else None
    return found if isinstance(found, dict) and found.keys() == {"left", "attr"} else {}


def _parts(expression: Any) -> Iterable[Any]:
    if isinstance(expression, dict):
        return expression.values()
    return expression if isinstance(expression, list) else ()


def _members(found: Iterable[tuple[_Path, bool]]) -> Members:
    paths = list(found)
    if ((), True) in paths:
        return None
    below: dict[str, list[tuple[_Path, bool]]] = {}
    for (first, *rest), is_read in (one for one in paths if one[0]):
        below.setdefault(first, []).append((tuple(rest), is_read))
    return {name: _members(some) for name, some in below.items()}

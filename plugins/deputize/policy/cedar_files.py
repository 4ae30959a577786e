"""Cedar policies, read from a directory and checked against our schema: a mistake names its line.

Cedar's parser tells no line, so each file is taken apart first, at the semicolons that end its
policies; each is then parsed and type-checked by itself.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from cedarpy import PolicySet, policies_to_json_str, validate_policies

from ..part import ConfigurationError
from ..typed_toml import raise_mistakes
from .cedar_reads import Reads, find_reads
from .point import Outcome

#: What stands between policies, and what ends one: text and comments hide a semicolon.
_TOKEN = re.compile(r'"(?:\\.|[^"\\])*"|//[^\n]*|;|\s+|.', re.DOTALL)

#: Of a `forbid`: what it makes of what it forbids.
_OUTCOMES = {"deny": Outcome.DENY, "step_up": Outcome.STEP_UP}


@dataclass(frozen=True, slots=True)
class Policy:
    """One policy.

    :param name: its `@id`, else its file and line
    :param outcome: what comes of it, where it forbids
    """

    name: str
    outcome: Outcome


@dataclass(frozen=True)
class Policies:
    """All policies of a directory.

    :param by_id: by the id that Cedar gives each in its answers
    :param reads: of a question
    """

    parsed: PolicySet
    by_id: dict[str, Policy]
    reads: Reads


@dataclass(frozen=True, slots=True)
class _Statement:
    place: str
    text: str


def load_policies(directory: Path) -> Policies:
    """Return the policies of every `*.cedar` file of `directory`.

    :raises ConfigurationError: a line for each mistake, with file and line
    """
    statements = [one for file in _files(directory) for one in _statements(file)]
    raise_mistakes([line for one in statements for line in _mistakes(one)])
    named = [_policy(one) for one in statements]
    _require_different(named, statements)
    # Cedar numbers policies as they come.
    by_id = {f"policy{number}": policy for number, policy in enumerate(named)}
    text = "\n".join(one.text for one in statements)
    reads = find_reads(json.loads(policies_to_json_str(text))["staticPolicies"].values())
    return Policies(PolicySet.from_str(text), by_id, reads)


def schema() -> str:
    """Return what policies can speak of, in Cedar's words."""
    return files(__package__).joinpath("deputize.cedarschema").read_text(encoding="utf-8")


def _files(directory: Path) -> list[Path]:
    found = sorted(directory.glob("*.cedar"))
    if not found:
        raise ConfigurationError(f"{directory}: there is no *.cedar file here")
    return found


def _statements(file: Path) -> Iterator[_Statement]:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8"
        raise ConfigurationError(f"{file}: {reason}") from None
    begun: int | None = None
    for token in _TOKEN.finditer(text):
        word = token[0]
        if begun is None and not word.isspace() and not word.startswith("//"):
            begun = token.start()
        if begun is not None and word == ";":
            yield _Statement(_place(file, text, begun), text[begun : token.end()])
            begun = None
    if begun is not None:
        yield _Statement(_place(file, text, begun), text[begun:])


def _place(file: Path, text: str, at: int) -> str:
    line = text.count("\n", 0, at) + 1
    return f"{file}:{line}"


def _mistakes(one: _Statement) -> Iterator[str]:
    if found := validate_policies(one.text, schema()).errors:
        # Each action that it fails for is an error of its own: one of them tells enough.
        told = max(error.error for error in found).removeprefix("for policy `policy0`, ")
        yield f"{one.place}: {' '.join(told.split())}"
        return
    parsed = json.loads(policies_to_json_str(one.text))
    if len(parsed["staticPolicies"]) != 1 or parsed["templates"]:
        yield f"{one.place}: expected one policy; a template decides nothing here"
        return
    policy = parsed["staticPolicies"]["policy0"]
    outcome = policy.get("annotations", {}).get("outcome")
    if outcome is not None and (policy["effect"], outcome in _OUTCOMES) != ("forbid", True):
        yield f'{one.place}: @outcome is for a forbid, and "deny" or "step_up"'


def _policy(one: _Statement) -> Policy:
    parsed = json.loads(policies_to_json_str(one.text))["staticPolicies"]["policy0"]
    said = parsed.get("annotations", {})
    file, _, line = one.place.rpartition(":")
    name = said.get("id") or f"{Path(file).name}:{line}"
    return Policy(name, _OUTCOMES[said.get("outcome", "deny")])


def _require_different(named: list[Policy], statements: list[_Statement]) -> None:
    first: dict[str, str] = {}
    for policy, one in zip(named, statements, strict=True):
        if policy.name in first:
            text = f"{one.place}: the @id {policy.name} is that of {first[policy.name]} too"
            raise ConfigurationError(text)
        first[policy.name] = one.place

"""The trail as JSON Lines, OCSF and CEF: as the published formats say, whatever is in an event."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from deputize.audit.formats.cef import cef_line
from deputize.audit.formats.jsonl import jsonl_line
from deputize.audit.formats.ocsf import ocsf_line, to_ocsf
from deputize.audit.vocabulary import KINDS, REASONS
from deputize.cli import deputize
from deputize.core.values import canonical_json
from support.agents_http import decode
from support.world import CALENDAR, World

SCHEMAS = {
    3002: "authentication",
    3003: "authorize_session",
    3004: "entity_management",
}
VALIDATORS = {
    uid: Draft202012Validator(
        json.loads((Path(__file__).parent / "ocsf" / f"{name}.json").read_text())
    )
    for uid, name in SCHEMAS.items()
}

#: No surrogates: what is recorded has been encoded.
texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=40)
names = st.text("abcdefgh.-_0123456789", min_size=1, max_size=20)
refusals = st.fixed_dictionaries({"rule": texts, "error": texts})
events = st.builds(
    lambda base, more, refused: {**more, **base, **(refused or {})},
    st.fixed_dictionaries(
        {"id": names, "at": st.integers(0, 4_000_000_000), "kind": st.sampled_from(sorted(KINDS))}
    ),
    st.fixed_dictionaries(
        {},
        optional={
            "person_id": names,
            "agent": names,
            "task_id": names,
            "delegation_id": names,
            "chain": st.lists(names, min_size=1, max_size=4),
            "why": st.sampled_from(sorted(REASONS)),
            "scope": texts,
            "jti": names,
            "exp": st.integers(0, 4_000_000_000),
            "anything": texts,
            "nodes": st.integers(0, 9),
        },
    ),
    st.none() | refusals,
)


def is_valid(told: dict[str, Any]) -> None:
    VALIDATORS[told["class_uid"]].validate(told)


class TestOcsf:
    @given(events)
    def test_each_event_is_as_the_published_class_says(self, happened: dict[str, Any]) -> None:
        line = ocsf_line(canonical_json(happened))
        assert "\n" not in line
        told = json.loads(line)
        is_valid(told)
        assert told["type_uid"] == told["class_uid"] * 100 + told["activity_id"]
        assert told["time"] == happened["at"] * 1000
        assert told["status_id"] == (2 if "rule" in happened else 1)

    @pytest.mark.parametrize("kind", sorted(KINDS))
    def test_each_kind_has_a_class(self, kind: str) -> None:
        is_valid(to_ocsf({"id": "1-x", "at": 1, "kind": kind}))

    @pytest.mark.parametrize(
        ("kind", "class_uid", "activity_id"),
        [
            ("delegation.issued", 3003, 1),
            ("token.refused", 3002, 99),
            ("delegation.ended", 3004, 4),
            ("agent.suspended", 3004, 12),
            ("agent.declared", 3004, 3),
            ("passkey.enrolled", 3004, 6),
        ],
    )
    def test_what_is_what(self, kind: str, class_uid: int, activity_id: int) -> None:
        told = to_ocsf({"id": "1-x", "at": 1, "kind": kind})
        assert (told["class_uid"], told["activity_id"]) == (class_uid, activity_id)

    def test_a_stolen_token_is_of_high_severity(self) -> None:
        base = {"id": "1-x", "at": 1}
        stolen = {"kind": "delegation.ended", "why": "refresh_token_reused"}
        assert to_ocsf(base | stolen)["severity_id"] == 4
        assert to_ocsf(base | {"kind": "token.refused", "rule": "a.b"})["severity_id"] == 2

    def test_both_principals_and_the_chain_are_told(self, world: World) -> None:
        taken = world.hand_over(world.hold(), "planner", "booker", "calendar:read")
        its = decode(taken)[1]["delegation_id"]
        (event,) = [e for e in world.events("delegation.issued") if e["delegation_id"] == its]
        told = to_ocsf(event["facts"])
        assert told["user"]["uid"] == event["person_id"]
        assert told["actor"]["app_uid"] == "booker"
        assert told["unmapped"]["chain"] == ["planner", "booker"]
        assert told["privileges"] == ["calendar:read"]


class TestCef:
    """CEF Implementation Standard, rev. 26: header, extension, character encoding."""

    @given(events)
    def test_what_is_read_is_what_was_recorded(self, happened: dict[str, Any]) -> None:
        line = cef_line(canonical_json(happened))
        assert not {"\n", "\r"} & set(line)
        header, extension = read_cef(line)
        assert header[0] == "CEF:0"
        assert (header[4], header[5]) == (happened["kind"], KINDS[happened["kind"]])
        assert 0 <= int(header[6]) <= 10
        assert extension["rt"] == str(happened["at"] * 1000)
        assert extension["externalId"] == happened["id"]
        assert extension.get("suid") == happened.get("person_id")
        assert extension.get("reason") == happened.get("rule")
        custom = {
            extension[f"cs{n}Label"]: extension[f"cs{n}"]
            for n in range(1, 6)
            if f"cs{n}" in extension
        }
        assert custom.get("agent") == happened.get("agent")
        assert custom.get("chain", "").split() == happened.get("chain", [])
        said = json.loads(extension.get("msg", "{}"))
        assert said.get("anything") == happened.get("anything")

    def test_bars_and_equals_signs_are_escaped_where_they_mean_something(self) -> None:
        happened = {"id": "1", "at": 1, "kind": "token.refused", "rule": "a=b|c\\d\ne"}
        assert r"reason=a\=b|c\\d\ne" in cef_line(canonical_json(happened))


def read_cef(line: str) -> tuple[list[str], dict[str, str]]:
    """Read as a receiver does: by what is not escaped."""
    *header, extension = re.split(r"(?<!\\)\|", line, maxsplit=7)
    keys = list(re.finditer(r"(?:^| )([A-Za-z0-9]+)=", extension))
    ends = [*(key.start() for key in keys[1:]), len(extension)]
    told = {
        key[1]: _unescaped(extension[key.end() : end]) for key, end in zip(keys, ends, strict=True)
    }
    return [_unescaped(part) for part in header], told


def _unescaped(text: str) -> str:
    spelled = {"n": "\n", "r": "\r"}
    return re.sub(r"\\(.)", lambda found: spelled.get(found[1], found[1]), text)


class TestJsonLines:
    @given(events)
    def test_are_the_very_bytes(self, happened: dict[str, Any]) -> None:
        body = canonical_json(happened)
        assert jsonl_line(body).encode() == body
        assert "\n" not in jsonl_line(body)


class TestTheCommand:
    @pytest.mark.parametrize("name", ["jsonl", "ocsf", "cef"])
    def test_prints_all_that_is_looked_for(self, world: World, name: str) -> None:
        hold = world.hold()
        world.agent("planner").exchange(hold, resource=CALENDAR)
        task = decode(hold)[1]["task_id"]
        expected = [e for e in world.events() if e["task_id"] == task]
        asked = ["audit", "export", "--format", name, f"--task={task}"]
        told = world.app.test_cli_runner().invoke(deputize, asked)
        assert told.exit_code == 0, told.output
        lines = told.stdout.splitlines()
        assert len(lines) == len(expected) > 1
        assert all(any(e["id"] in line for line in lines) for e in expected)

"""The host's own tables of a declaration: people and ordinary clients."""

import tomllib
from pathlib import Path

import pytest

from cli.running import Inside, Operator

ANA = '[[people]]\nusername = "ana"\nname = "Ana"\npassword = "correct horse battery"\n'
BEN = '[[people]]\nusername = "ben"\nname = "Ben"\n'
APP = '[[clients]]\nclient_id = "app"\nclient_secret = "a-secret-of-24-characters-or-more"\n'
AGENT = """
[[agents]]
client_id = "helper"
owner = "ana"
client_secret = "helper-secret-0123456789"
"""


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    return Inside(tmp_path / "data")


def apply(operator: Operator, text: str, *flags: str) -> list[str]:
    return operator.done("apply", str(write(operator, text)), *flags).splitlines()


def refused(operator: Operator, text: str) -> str:
    file = write(operator, text)
    return operator.failed("apply", str(file)).removeprefix(f"{file}: ")


def write(operator: Operator, text: str) -> Path:
    file = operator.data.with_name("declared.toml")
    file.write_text(text)
    return file


def test_a_dry_run_finds_owners_that_are_declared_with_it_and_writes_nobody(
    operator: Operator,
) -> None:
    assert apply(operator, ANA + AGENT, "--dry-run")[:2] == [
        "+ person ana: added",
        "+ agent helper: added",
    ]
    assert operator.done("export") == ""


def test_a_mistake_anywhere_leaves_everything_as_it_was(operator: Operator) -> None:
    broken = AGENT.replace('"ana"', '"nobody"')
    assert refused(operator, ANA + APP + broken) == (
        '[[agents]] "helper": owner: nobody signs in as "nobody"'
    )
    assert operator.done("export") == ""


def test_a_prune_makes_inactive_whom_the_file_no_longer_names(operator: Operator) -> None:
    apply(operator, ANA + BEN + APP)
    assert apply(operator, ANA, "--prune") == ["- person ben: retired", "1 retired, 1 unchanged"]
    assert apply(operator, ANA, "--prune") == ["1 unchanged"]
    people = tomllib.loads(operator.done("export"))["people"]
    assert [(p["username"], p.get("active", True)) for p in people] == [
        ("ana", True),
        ("ben", False),
    ]


def test_a_file_that_names_nobody_prunes_nobody(operator: Operator) -> None:
    apply(operator, ANA + APP)
    assert apply(operator, "", "--prune") == ["nothing is declared"]
    assert "active" not in operator.done("export")


def test_a_password_can_lie_in_a_file_beside_it(operator: Operator) -> None:
    operator.data.with_name("password").write_text("correct horse battery\n")
    in_file = ANA.replace('password = "correct horse battery"', 'password_file = "password"')
    assert apply(operator, in_file) == ["+ person ana: added", "1 added"]
    assert apply(operator, ANA) == ["1 unchanged"]


def test_another_password_is_a_change_that_shows_none(operator: Operator) -> None:
    apply(operator, ANA)
    assert apply(operator, ANA.replace("battery", "staple")) == [
        "~ person ana: changed",
        "    password_hash: … → another",
        "1 changed",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            ANA.replace("\nname", "\nnam"),
            '[[people]] "ana": nam: unknown key; did you mean "name"?',
        ),
        (ANA + 'roles = ["boss"]\n', '[[people]] "ana": roles: expected some of admin, security'),
        (ANA.replace('"ana"', '"a b"'), "[[people]] \"a b\": username 'a b': 1 to 100 characters"),
        (ANA + 'password_file = "x"\n', "password_file and password exclude each other"),
        (ANA + ANA, '[[people]] "ana": username: is declared twice'),
        (ANA + ANA.replace('"ana"', '"Ana"'), '[[people]] "ana": username: is declared twice'),
        (APP.replace("-of-24-characters-or-more", ""), '[[clients]] "app": client_secret: 24'),
        ('[[clients]]\nclient_id = "app"\n', '[[clients]] "app": needs client_secret, or'),
        (APP + 'redirect_uris = ["javascript:x"]\n', '[[clients]] "app": redirect_uris:'),
    ],
)
def test_what_can_not_be_is_one_line(operator: Operator, text: str, expected: str) -> None:
    assert expected in refused(operator, text)


def test_a_client_is_never_an_agent_as_well(operator: Operator) -> None:
    apply(operator, ANA + APP + AGENT)
    assert "client_id: app is already an ordinary client" in refused(
        operator, AGENT.replace('"helper"', '"app"')
    )
    assert "client_id: is already an agent's" in refused(operator, APP.replace('"app"', '"helper"'))

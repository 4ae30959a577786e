"""Settings: defaults < file < environment < command line; a mistake names file and key."""

from pathlib import Path

import pytest

from deputize.part import ConfigurationError
from deputize_idp.configuration import Chosen, Configuration, load_configuration

LOOPBACK = "http://127.0.0.1:8000"


def load(
    folder: Path, text: str = "", database: str | None = None, **environ: str
) -> Configuration:
    file = folder / "deputize.toml"
    file.write_text(text)
    return load_configuration(Chosen(folder / "data", file, database), environ)


def mistakes(folder: Path, text: str = "", **environ: str) -> list[str]:
    with pytest.raises(ConfigurationError) as refused:
        load(folder, text, **environ)
    return [
        line.removeprefix(f"{folder}/deputize.toml: ") for line in str(refused.value).split("\n")
    ]


class TestLayers:
    def test_defaults(self, tmp_path: Path) -> None:
        loaded = load(tmp_path)
        assert loaded.plugin.issuer == loaded.idp.issuer == LOOPBACK
        assert loaded.plugin.tokens.lifetime == 300
        assert loaded.plugin.database_url == f"sqlite:///{tmp_path}/data/deputize.sqlite3"
        assert loaded.idp.database_url is None

    def test_the_file_wins_over_them(self, tmp_path: Path) -> None:
        text = "[deputize.tokens]\nlifetime = 60\n[idp]\nsession_lifetime = '8h'\n"
        loaded = load(tmp_path, text)
        assert loaded.plugin.tokens.lifetime == 60
        assert loaded.plugin.tokens.code_lifetime == 60
        assert loaded.idp.session_lifetime == 8 * 3600

    def test_the_environment_wins_over_the_file(self, tmp_path: Path) -> None:
        loaded = load(
            tmp_path,
            "[deputize.tokens]\nlifetime = 60\n[idp]\nsign_in_attempts = 3\n",
            DEPUTIZE__TOKENS__LIFETIME="90",
            DEPUTIZE_IDP__SIGN_IN_ATTEMPTS="7",
            DEPUTIZE__WEB__ORGANISATION="Example",
            PATH="/bin",
        )
        assert loaded.plugin.tokens.lifetime == 90
        assert loaded.idp.sign_in_attempts == 7
        assert loaded.plugin.web.organisation == loaded.idp.organisation == "Example"

    def test_the_command_line_wins_over_all(self, tmp_path: Path) -> None:
        url = "postgresql://deputize@db/name"
        loaded = load(
            tmp_path,
            "[deputize]\ndatabase_url = 'sqlite:////a'\n",
            database=url,
            DEPUTIZE__DATABASE_URL="sqlite:////b",
        )
        assert loaded.plugin.database_url == "postgresql+psycopg://deputize@db/name"
        assert loaded.idp.database_url == loaded.plugin.database_url

    def test_a_secret_can_lie_in_a_file(self, tmp_path: Path) -> None:
        (tmp_path / "key").write_text("the secret of the file\n")
        (tmp_path / "cookies").write_text("x" * 40)
        loaded = load(
            tmp_path,
            "[deputize]\nkey_secret_file = 'key'\n",
            DEPUTIZE_IDP__SECRET_KEY_FILE=str(tmp_path / "cookies"),
        )
        assert loaded.plugin.key_secret
        assert loaded.plugin.key_secret.get_secret_value() == "the secret of the file"
        assert loaded.idp.secret_key
        assert loaded.idp.secret_key.get_secret_value() == "x" * 40


REFUSED = [
    ("[deputise]\n", '[deputise]: unknown key; did you mean "deputize"?'),
    ("deputize = 3\n", "deputize: expected a table: [deputize]"),
    ("[deputize]\nisuer = 'x'\n", '[deputize] isuer: unknown key; did you mean "issuer"?'),
    (
        "[deputize.tokens]\nlifetme = 3\n",
        '[deputize.tokens] lifetme: unknown key; did you mean "lifetime"?',
    ),
    ("[deputize.tokens]\nlifetime = 3\n", "[deputize.tokens] lifetime: expected greater than"),
    ("[deputize.tokens]\nlifetime = 'x'\n", "[deputize.tokens] lifetime: expected a valid integer"),
    ("[deputize]\ntokens = 3\n", "[deputize] tokens: expected a valid dictionary"),
    (
        "[deputize.agents]\nself_registered = 'adopt'\n",
        "[deputize.agents] self_registered: expected 'pending', 'refuse' or 'adopt_at_consent'",
    ),
    ("[idp]\nissuer = 'https://x'\n", "[idp] issuer: is said once, under [deputize]"),
    ("[idp]\nsesion_lifetime = 3\n", "[idp] sesion_lifetime: unknown key; did you mean"),
    ("[deputize]\nkey_secret_file = 'absent'\n", "[deputize] key_secret_file:"),
    ("[deputize]\nissuer = 'http://id.example'\n", "[deputize] issuer: expected https; http is"),
    ("[deputize]\nissuer = 'https://id.example/a'\n", "[deputize] issuer: expected an origin"),
    ("[deputize]\nissuer = 'https://id.example/'\n", "[deputize] issuer: expected an origin"),
    ("[deputize]\nissuer = 'https://id.example?a'\n", "[deputize] issuer: expected an origin"),
    ("[deputize]\nissuer = 'https://id.example#a'\n", "[deputize] issuer: expected an origin"),
    ("[deputize]\nissuer = 'https://u@id.example'\n", "[deputize] issuer: expected an origin"),
    ("[deputize]\nissuer = 'https://[id'\n", "[deputize] issuer: expected a URL"),
    ("[deputize]\nissuer = 'id.example'\n", "[deputize] issuer: expected"),
    ("[deputize]\ndatabase_url = 'mysql://a/b'\n", "[deputize] database_url: expected sqlite:///"),
    ("[deputize]\ndatabase_url = 'sqlite://'\n", "[deputize] database_url: an in-memory"),
    ("[deputize]\ndatabase_url = 'nonsense'\n", "[deputize] database_url: expected sqlite:///"),
    (
        "[deputize]\nissuer = 'https://id.example'\ntest_mode = true\n",
        "[deputize] test_mode: is for an issuer on loopback alone",
    ),
    (
        "[deputize.audit]\nkeep_days = 60\n",
        "[deputize.agents] unused_suspended: expected at most 5184000, or 0: audit.keep_days",
    ),
    ("[deputize]\nclock_file = 'clock'\n", "[deputize] clock_file: moves the clock in test mode"),
]


class TestMistakes:
    @pytest.mark.parametrize(("text", "expected"), REFUSED)
    def test_one_line_with_file_and_key(self, tmp_path: Path, text: str, expected: str) -> None:
        lines = mistakes(tmp_path, text)
        assert lines[0].startswith(expected)
        assert not (tmp_path / "data").exists(), "nothing was made before it was refused"

    def test_all_are_told_at_once(self, tmp_path: Path) -> None:
        assert len(mistakes(tmp_path, "[deputize]\na = 1\n[deputize.web]\nb = 2\n")) == 2

    def test_in_the_environment_it_names_the_variable(self, tmp_path: Path) -> None:
        (line,) = mistakes(tmp_path, DEPUTIZE__TOKENS__LIFETME="3")
        assert line.startswith("environment DEPUTIZE__TOKENS__LIFETME: [deputize.tokens] lifetme:")
        (line,) = mistakes(tmp_path, DEPUTIZE__="3")
        assert line.startswith("environment DEPUTIZE__: ")

    def test_a_file_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigurationError, match=r"absent\.toml: No such file"):
            load_configuration(Chosen(tmp_path, tmp_path / "absent.toml"), {})

    def test_no_line_repeats_a_secret(self, tmp_path: Path) -> None:
        (line,) = mistakes(tmp_path, "[idp]\nsecret_key = 'hunter2'\n")
        assert line == "[idp] secret_key: must have 32 characters at least"

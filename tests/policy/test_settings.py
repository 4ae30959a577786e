"""What is wrong with the settings of a policy is told at start, with the key."""

from pathlib import Path

import pytest

from deputize.configuration import Layers, load_settings
from deputize.part import ConfigurationError

URL = "https://pdp.example.com/access/v1/evaluation"


def load(folder: Path, policy: str) -> str:
    file = folder / "deputize.toml"
    head = 'issuer = "http://127.0.0.1:8000"\ndatabase_url = "sqlite:////x"\n'
    file.write_text(f"[deputize]\n{head}[deputize.policy]\n{policy}")
    return load_settings(Layers(file=file)).policy.engine


@pytest.mark.parametrize(
    ("policy", "key"),
    [
        ('engine = "opa"', "engine"),
        ('engine = "authzen"', "url"),
        ('engine = "authzen"\nurl = "http://pdp.example.com/x"', "url"),
        ('engine = "authzen"\nurl = "https://u@pdp.example.com/x"', "url"),
        ('engine = "authzen"\nurl = "https:///x"', "url"),
        ('engine = "authzen"\nurl = "https://[x"', "url"),
        (f'engine = "authzen"\nurl = "{URL}"\ntoken = "a b"', "token"),
        (f'engine = "authzen"\nurl = "{URL}"\ntoken = "é"', "token"),
        ("timeout = 0", "timeout"),
        ('on_failure = "maybe"', "on_failure"),
        ("at_once = 0", "at_once"),
    ],
)
def test_a_mistake_names_its_key(tmp_path: Path, policy: str, key: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        load(tmp_path, policy)
    (line,) = str(error.value).splitlines()
    assert f"[deputize.policy] {key}: " in line


@pytest.mark.parametrize(
    "policy",
    [
        f'engine = "authzen"\nurl = "{URL}"\ntoken = "abc.def"',
        'engine = "authzen"\nurl = "http://127.0.0.1:9/x"\nprivate_hosts = ["127.0.0.1"]',
        'engine = "cedar"',
        "",
    ],
)
def test_what_is_good_is_taken(tmp_path: Path, policy: str) -> None:
    assert load(tmp_path, policy) in ("authzen", "cedar", "none")

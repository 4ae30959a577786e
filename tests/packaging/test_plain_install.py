"""`pip install deputize`, outside the checkout: the plugin and its libraries, and no host."""

import json

import pytest
from tests.packaging.installed import Environment

#: The host's own, the databases' that are asked for, and those of ways to notify a person.
NOT_WANTED = [
    "flask_sqlalchemy",
    "granian",
    "psycopg",
    "apprise",
    "pywebpush",
    "aiohttp",
    "flask_login",
    "fastapi",
    "pytest",
]

APP = """
from flask import Flask

app = Flask(__name__)
"""

LOADED = """
import json, sys
import {module}
print(json.dumps(sorted({{name.partition(".")[0] for name in sys.modules}})))
"""


def python(environment: Environment, script: str) -> str:
    return environment.done("python", "-c", script)


@pytest.mark.parametrize("module", ["deputize.client", "deputize.resource"])
def test_what_agents_and_apis_import_loads_no_framework(plain: Environment, module: str) -> None:
    loaded = set(json.loads(python(plain, LOADED.format(module=module))))
    assert loaded.isdisjoint({"flask", "werkzeug", "sqlalchemy", "authlib", "deputize_idp"})


def test_it_comes_from_the_environment(plain: Environment) -> None:
    where = python(plain, "import deputize; print(deputize.Deputize, deputize.__file__)")
    assert str(plain.folder) in where


@pytest.mark.parametrize("name", NOT_WANTED)
def test_it_pulls_nothing_of_the_hosts(plain: Environment, name: str) -> None:
    find = f"from importlib.util import find_spec; print(find_spec({name!r}))"
    assert python(plain, find) == "None\n"


def test_flask_has_its_commands(plain: Environment) -> None:
    (plain.work / "app.py").write_text(APP)
    told = plain.done("python", "-m", "flask", "--app", "app", "deputize", "--help")
    for command in ("agents", "apply", "audit", "delegations", "keys", "sweep"):
        assert command in told
    ended = plain.run("python", "-m", "flask", "--app", "app", "deputize", "keys", "list")
    assert ended.returncode == 1
    assert ended.stderr == "this app has no agents: call Deputize(host=...).init_app(app)\n"


def test_the_host_says_what_it_lacks(plain: Environment) -> None:
    ended = plain.run("deputize", "serve")
    assert ended.returncode == 1
    assert 'pip install "deputize[server]"' in ended.stderr.splitlines()[-1]

"""`Deputize(host=...).init_app(app)` is all that a host calls: once for each app."""

import itertools
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from flask import Flask

from deputize import Deputize
from deputize.cli import deputize
from deputize.part import ConfigurationError
from deputize.settings import Settings
from hosts.hosting import Hosting
from hosts.hostings import HOSTINGS
from hosts.served import Site, running_site
from support import world
from support.agents_http import http, outcome

pytestmark = pytest.mark.sqlite_only

ISSUER = "http://127.0.0.1:8000"


#: All kinds, and all that can be in company of their own kind twice.
COMPANY = [
    *(hosting for hosting in HOSTINGS if not hosting.is_alone),
    *(hosting for hosting in HOSTINGS if not hosting.is_alone),
    next(hosting for hosting in HOSTINGS if hosting.is_alone),
]


def made(hosting: Hosting, folder: Path) -> Flask:
    url = f"sqlite:///{folder}/host.sqlite3"
    settings = Settings(issuer=ISSUER, database_url=url)
    return hosting.make_with_agents(settings, folder / "data")


def test_twice_on_one_app_is_refused(hosting: Hosting, tmp_path: Path) -> None:
    app = made(hosting, tmp_path)
    first: Deputize = app.extensions["deputize"]
    rules = len(list(app.url_map.iter_rules()))
    hooks = len(app.before_request_funcs[None])
    with pytest.raises(ConfigurationError, match="init_app once"):
        first.init_app(app)
    with pytest.raises(ConfigurationError, match="init_app once"):
        Deputize(host=first.host, settings=first.settings).init_app(app)
    assert app.extensions["deputize"] is first
    assert len(list(app.url_map.iter_rules())) == rules
    assert len(app.before_request_funcs[None]) == hooks


def test_the_server_can_be_started_again(hosting: Hosting, tmp_path: Path) -> None:
    """Tables and keys are found as they were left."""
    first, second = (
        made(hosting, tmp_path).test_client().get(hosting.jwks, base_url=ISSUER).get_json()
        for _ in range(2)
    )
    assert first["keys"]
    assert first == second


@pytest.fixture(scope="class")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Site]]:
    with ExitStack() as stack:
        yield [
            stack.enter_context(
                running_site(hosting, f"sqlite:///{folder}/a.db", folder, beside=False)
            )
            for hosting in COMPANY
            for folder in [tmp_path_factory.mktemp("site")]
        ]


class TestSeveralAppsInOneProcess:
    """Each has its own people, agents, keys and issuer."""

    def test_no_token_of_one_is_good_at_another(self, sites: list[Site]) -> None:
        holds = [site.hold() for site in sites]
        for site in sites:
            for other, hold in zip(sites, holds, strict=True):
                answer = site.agent("planner").introspect(hold)
                assert answer.status_code == 200
                assert answer.json()["active"] == (site is other)

    def test_no_key_of_one_authenticates_at_another(self, sites: list[Site]) -> None:
        first, *others = sites
        assertion = first.agent("planner").client_assertion()
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": assertion,
        }
        for other in others:
            assert outcome(http.post(f"{other.url}/oauth/token", data=form)) == (
                401,
                "invalid_client",
            )
        assert http.post(f"{first.url}/oauth/token", data=form).status_code == 200

    def test_each_names_its_own_issuer(self, sites: list[Site]) -> None:
        assert [site.metadata["issuer"] for site in sites] == [site.url for site in sites]

    def test_whoever_signs_in_at_one_is_a_stranger_at_another(self, sites: list[Site]) -> None:
        for first, other in itertools.permutations(sites, 2):
            with other.browser(None) as browser:
                browser.cookies.update(first.browser("ana").cookies)
                asked = world.authorize_url(other.metadata, "planner", "c" * 43)
                assert browser.get(asked).status_code == 303  # to sign in


AGENT = """
[[agents]]
client_id = "filed"
name = "Filed"
owner = "ben"
scopes = ["calendar:read"]
resources = ["https://calendar.example"]
expires_in = "90d"
client_secret = "a-secret-of-more-than-24-characters"
"""


def test_the_commands_work_on_any_host(hosting: Hosting, tmp_path: Path) -> None:
    """`flask deputize apply`: the owner is found by the name that the host knows."""
    file = tmp_path / "agents.toml"
    url = f"sqlite:///{tmp_path}/host.sqlite3"
    with running_site(hosting, url, tmp_path, beside=False) as site:
        runner = site.app.test_cli_runner()
        for owner, expected in (("ben", 0), ("nobody", 1)):
            file.write_text(AGENT.replace("ben", owner))
            told = runner.invoke(deputize, ["apply", str(file)])
            assert told.exit_code == expected, told.output
            assert owner == "ben" or "nobody" in told.output
        filed = site.with_secret("filed")
        assert filed.post("token_endpoint", grant_type="client_credentials").status_code == 200
        listed = runner.invoke(deputize, ["agents", "list"])
        assert "filed" in listed.output

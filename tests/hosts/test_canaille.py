"""What is Canaille's alone: permissions, administrators who act in another's name, and names that
change while the key stays.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from canaille.app import models
from canaille.backends import Backend
from canaille.core.configuration import Permission

from hosts.canailles import Canaille, CanailleMemory, CanailleSql
from hosts.served import Site, running_site
from idp.browser import Browser
from support.agents_http import decode, outcome, pkce
from support.world import CALENDAR, authorize_url

pytestmark = pytest.mark.sqlite_only

STAFF_ALONE = {
    "ACL": {
        "DEFAULT": {"PERMISSIONS": [Permission.EDIT_SELF]},
        "STAFF": {"PERMISSIONS": [Permission.USE_OIDC], "FILTER": {"groups": "staff"}},
        "HELP": {"PERMISSIONS": [Permission.IMPERSONATE_USERS], "FILTER": {"user_name": "ben"}},
    }
}


class StaffAlone:
    """Only the group `staff` may sign in at clients; ben may act in anybody's name."""

    rules = STAFF_ALONE

    def populate(self) -> None:
        super().populate()  # type: ignore[misc]
        people = [Backend.instance.get(models.User, user_name=name) for name in ("ana", "ben")]
        Backend.instance.save(models.Group(display_name="staff", members=people))


class StaffSql(StaffAlone, CanailleSql):
    """In tables."""


class StaffMemory(StaffAlone, CanailleMemory):
    """In memory."""


@pytest.fixture(scope="module", params=[StaffSql, StaffMemory])
def site(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    folder: Path = tmp_path_factory.mktemp("site")
    hosting: Canaille = request.param()
    with running_site(hosting, f"sqlite:///{folder}/host.db", folder, beside=False) as running:
        yield running


@contextmanager
def stored(site: Site, model: str, **named: Any) -> Iterator[Any]:
    """Yield something of Canaille's, and save what is changed of it."""
    with site.app.app_context(), Backend.instance.session():
        found = Backend.instance.get(getattr(models, model), **named)
        yield found
        Backend.instance.save(found)


def test_groups_are_told(site: Site) -> None:
    assert site.find_person("ana").groups == {"staff"}
    assert site.find_person("eve").groups == set()


def test_whoever_may_not_sign_in_at_clients_has_no_agents(site: Site) -> None:
    browser = site.browser("eve")
    assert browser.get(authorize_url(site.metadata, "planner", pkce()[1])).status_code == 303


def test_a_permission_that_was_withdrawn_is_read_at_once(site: Site) -> None:
    """Also where a user object, on which Canaille keeps what it found, lives on in the thread."""
    key, host = site.find_person("ana").key, site.context.host
    hold = site.hold()
    with site.app.app_context(), Backend.instance.session():
        ana = Backend.instance.get(models.User, id=key)
        assert ana.can_use_oidc
        assert host.is_active(key)
        members = list(Backend.instance.get(models.Group, display_name="staff").members)
    try:
        with stored(site, "Group", display_name="staff") as staff:
            staff.members = [user for user in staff.members if user.user_name != "ana"]
        with site.app.app_context(), Backend.instance.session():
            assert not host.is_active(key)
        refused = site.agent("planner").exchange(hold, resource=CALENDAR)
        assert outcome(refused) == (400, "invalid_request")
    finally:
        with stored(site, "Group", display_name="staff") as staff:
            ids = [user.id for user in members]
            staff.members = [Backend.instance.get(models.User, id=each) for each in ids]
    assert site.agent("planner").exchange(hold, resource=CALENDAR).status_code == 200


def test_a_new_user_name_is_the_same_person(site: Site) -> None:
    key = site.find_person("ana").key
    with stored(site, "User", user_name="ana") as ana:
        ana.user_name = "ana.ruiz"
    assert site.find_person("ana.ruiz").key == key
    assert decode(site.hold())[1]["sub"] == key
    with stored(site, "User", user_name="ana.ruiz") as ana:
        ana.user_name = "ana"


def test_in_anothers_name_nothing_is_told_of_how_they_signed_in(site: Site) -> None:
    """An administrator who acts as ana has not shown ana's password."""
    with Browser(site.url) as browser:
        site.hosting.sign_in(browser, "ben", browser.get("/login"))
        assert browser.get("/impersonate/ana").status_code == 302
        site._browsers[site.url, "ana"], kept = browser, site.browser("ana")
        claims = decode(site.hold())[1]
        site._browsers[site.url, "ana"] = kept
    assert claims["sub"] == site.find_person("ana").key
    assert {"auth_time", "acr", "amr"}.isdisjoint(claims)

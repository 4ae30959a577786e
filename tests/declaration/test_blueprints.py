"""A blueprint and its instances: edited once, stopped once, and nobody that acts itself."""

from dataclasses import replace

import pytest

from declaration.house import OTHER_SECRET, SCOPES, SECRET, SERVER, House
from deputize.agents.declare import declare_agent
from deputize.agents.lifecycle import Status
from deputize.agents.models import Agent
from deputize.agents.rotate import rotate_secret
from deputize.core.db import Database
from deputize.core.secrets import digest
from deputize.endings.edit_agent import edit_agent, instances_of
from deputize.endings.stop_agent import start_agent, stop_agent

FLEET = """
[[agents]]
client_id = "fleet"
is_blueprint = true
owner = "ben"
purpose = "Answers letters"
scopes = ["calendar:read", "calendar:write", "tasks"]
delegates_to = ["spawned"]
expires_in = "90d"
task_heartbeat = "5m"
"""

ONE = f"""
[[agents]]
client_id = "fleet-1"
name = "The first"
blueprint = "fleet"
client_secret = "{SECRET}"
"""

TWO = ONE.replace("fleet-1", "fleet-2").replace(SECRET, OTHER_SECRET)

ALL = SERVER + SCOPES + ONE + TWO + FLEET


@pytest.fixture
def fleet(house: House) -> House:
    house.apply(ALL)
    return house


class TestInstances:
    def test_have_all_of_their_blueprint_but_name_and_credential(self, fleet: House) -> None:
        one, two = fleet.agent("fleet-1"), fleet.agent("fleet-2")
        for name in ("owner", "purpose", "scope", "resources", "expires_at", "task_heartbeat"):
            assert getattr(one, name) == getattr(fleet.agent("fleet"), name), name
        assert (one.name, one.blueprint) == ("The first", "fleet")
        assert one.secret_digest != two.secret_digest

    def test_follow_an_edit_whatever_file_they_stand_in(self, fleet: House) -> None:
        narrower = FLEET.replace('"calendar:write", ', "").replace('"5m"', '"1m"')
        fleet.apply(SERVER + SCOPES + narrower)
        for name in ("fleet", "fleet-1", "fleet-2"):
            assert fleet.agent(name).scope == {"calendar:read", "tasks"}, name
            assert fleet.agent(name).task_heartbeat == 60
        assert fleet.apply(SERVER + SCOPES + ONE + TWO + narrower)[-1] == "6 unchanged"

    @pytest.mark.parametrize("target", [Status.SUSPENDED, Status.RETIRED])
    def test_are_stopped_with_it(self, fleet: House, target: Status) -> None:
        stop_agent(fleet.context.db, "fleet", target, why="ended_by_operator")
        assert {fleet.agent(name).status for name in ("fleet", "fleet-1", "fleet-2")} == {target}

    def test_none_starts_again_before_it(self, fleet: House) -> None:
        db = fleet.context.db
        stop_agent(db, "fleet", Status.SUSPENDED, why="ended_by_operator")
        assert not start_agent(db, "fleet-1")
        assert start_agent(db, "fleet")
        assert fleet.agent("fleet-1").status == Status.SUSPENDED
        assert start_agent(db, "fleet-1")

    @pytest.mark.parametrize("target", [Status.SUSPENDED, Status.RETIRED])
    def test_none_is_born_below_one_that_was_stopped(self, fleet: House, target: Status) -> None:
        stop_agent(fleet.context.db, "fleet", target, why="ended_by_operator")
        three = ONE.replace("fleet-1", "fleet-3")
        (line,) = fleet.refused(SERVER + SCOPES + three)
        assert line.endswith(f'"fleet-3": blueprint: "fleet" is {target}: nothing is born of it')

    def test_those_of_one_that_is_suspended_are_edited_still(self, fleet: House) -> None:
        stop_agent(fleet.context.db, "fleet", Status.SUSPENDED, why="ended_by_operator")
        fleet.apply(SERVER + SCOPES + ONE.replace("The first", "The foremost"))
        one = fleet.agent("fleet-1")
        assert (one.name, one.status) == ("The foremost", Status.SUSPENDED)

    @pytest.mark.parametrize("target", [Status.SUSPENDED, Status.RETIRED])
    def test_one_that_is_declared_behind_a_stop_is_stopped_too(
        self, house: House, target: Status
    ) -> None:
        """Whoever applied a file read the blueprint before it was stopped."""
        house.apply(SERVER + SCOPES + ONE + FLEET)
        two = replace(house.agent("fleet-1"), client_id="fleet-2")
        stop_agent(house.context.db, "fleet", target, why="ended_by_operator")
        declare_agent(house.context.db, two, by="administrator")
        assert house.agent("fleet-2").status == Status.SUSPENDED
        assert not start_agent(house.context.db, "fleet-2")

    def test_one_whose_secret_is_replaced_while_they_follow_keeps_the_new_one(
        self, fleet: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """An edit of all takes nobody's credential back to what it was when it began."""
        db, rotated = fleet.context.db, []

        def then_rotated(db: Database, blueprint: str) -> list[Agent]:
            found = instances_of(db, blueprint)
            rotated.append(rotate_secret(db, "fleet-1", 0) or "")
            return found

        monkeypatch.setattr("deputize.endings.edit_agent.instances_of", then_rotated)
        assert edit_agent(db, replace(fleet.agent("fleet"), max_delegation_depth=2))
        assert fleet.agent("fleet-1").max_delegation_depth == 2
        assert [fleet.agent("fleet-1").secret_digest] == [digest(one) for one in rotated]

    def test_one_can_be_stopped_alone(self, fleet: House) -> None:
        stop_agent(fleet.context.db, "fleet-1", Status.RETIRED, why="ended_by_operator")
        assert fleet.agent("fleet-2").status == Status.ACTIVE

    def test_are_exported_as_they_were_declared(self, fleet: House) -> None:
        before = fleet.rows()
        assert fleet.apply(fleet.export(), "--prune") == ["6 unchanged"]
        assert fleet.rows() == before


class TestABlueprint:
    def test_is_nobody_that_acts(self, fleet: House) -> None:
        blueprint = fleet.agent("fleet")
        assert blueprint.status == Status.ACTIVE
        assert not blueprint.is_live(blueprint.created_at)
        client = fleet.app.test_client()
        for form in (
            {"client_id": "fleet"},
            {"client_id": "fleet", "client_secret": SECRET},
            {"client_id": "fleet", "client_secret": ""},
        ):
            sent = {"grant_type": "client_credentials"} | form
            assert client.post("/oauth/token", data=sent).status_code == 401


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        (ONE, 'blueprint: "fleet" is none that is known'),
        (FLEET + ONE.replace('"fleet"', '"fleet-1"'), "none that is known"),
        (FLEET + ONE + 'scopes = ["calendar:read"]', "scopes: stand with the blueprint"),
        (FLEET + ONE + 'owner = "ana"', "owner: stand with the blueprint"),
        (FLEET + f'client_secret = "{SECRET}"', "a blueprint has no credential"),
        (FLEET + 'blueprint = "fleet"', "exclude each other"),
        (FLEET.replace('owner = "ben"', ""), "owner: is missing"),
        (FLEET + ONE.replace(f'client_secret = "{SECRET}"', ""), "needs client_secret"),
    ],
)
@pytest.mark.sqlite_only
def test_mistakes_are_told(house: House, declared: str, said: str) -> None:
    assert any(said in line for line in house.refused(SERVER + SCOPES + declared))

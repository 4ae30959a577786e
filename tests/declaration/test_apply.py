"""Applying a declaration: what it makes, that the same again changes nothing, what it ends."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from declaration.house import (
    BOOKER,
    EVERYTHING,
    OTHER_SECRET,
    PLANNER,
    SCOPES,
    SECRET,
    SERVER,
    House,
    details_type,
)
from deputize.agents.lifecycle import Status
from deputize.agents.models import Agent
from deputize.agents.register import store_agent
from deputize.audit.record import Event
from deputize.core.secrets import digest
from deputize.endings.stop_agent import stop_agent

DAY = 86400


class TestDeclaring:
    def test_it_makes_what_is_declared(self, house: House) -> None:
        assert house.apply(EVERYTHING) == [
            "+ resource server https://calendar.example: added",
            "+ scope calendar:read: added",
            "+ scope calendar:write: added",
            "+ agent planner: added",
            "+ agent booker: added",
            "5 added",
        ]
        planner = house.agent("planner")
        assert (planner.status, planner.origin) == (Status.ACTIVE, "declared")
        assert (planner.owner, planner.sponsor) == ("key-of-ben", "key-of-ana")
        assert planner.scope == {"calendar:read", "calendar:write", "agents:spawn", "tasks"}
        assert planner.delegates_to == {"booker", "spawned"}
        assert planner.expires_at == planner.created_at + 90 * DAY
        assert planner.token_endpoint_auth_method == "client_secret_basic"
        assert house.catalogue().callers["calendar-api"].name == "Calendar"

    def test_what_is_left_out_has_a_default(self, house: House) -> None:
        house.apply(EVERYTHING)
        booker = house.agent("booker")
        assert booker.name == "booker"
        assert booker.resources == {"https://calendar.example"}
        assert booker.delegates_to == {"spawned"}
        assert "authorization_code" not in booker.grant_types
        assert booker.expires_at == booker.created_at + 90 * DAY

    def test_secrets_are_kept_as_hashes_only(self, house: House) -> None:
        house.apply(EVERYTHING)
        assert SECRET not in str(house.rows())
        assert house.agent("planner").secret_digest == digest(SECRET)

    def test_the_same_again_changes_nothing_at_all(self, house: House) -> None:
        house.apply(EVERYTHING)
        before = house.rows()
        assert house.apply(EVERYTHING) == ["5 unchanged"]
        assert house.rows() == before

    def test_expires_in_counts_from_the_first_declaration(self, house: House) -> None:
        house.apply(EVERYTHING)
        house.pass_time(30 * DAY)
        before = house.rows()
        assert house.apply(EVERYTHING) == ["5 unchanged"]
        house.pass_time(70 * DAY)
        assert house.apply(EVERYTHING) == ["5 unchanged"], "an expired agent is not revived"
        assert house.rows() == before

    def test_a_dry_run_tells_everything_and_writes_nothing(self, house: House) -> None:
        house.apply(SERVER + SCOPES + BOOKER)
        before = house.rows()
        changed = EVERYTHING.replace('scopes = ["calendar:read"]', 'scopes = ["calendar:write"]')
        told = house.apply(changed, "--dry-run", "--prune")
        assert told == [
            "+ agent planner: added",
            "~ agent booker: changed",
            "    scope: calendar:read → calendar:write",
            "1 added, 1 changed, 3 unchanged: nothing was written, this was a dry run",
        ]
        assert house.rows() == before


class TestChanging:
    def test_each_difference_is_told_and_made(self, house: House) -> None:
        house.apply(EVERYTHING)
        made = house.agent("planner").created_at
        changed = (
            EVERYTHING.replace('"90d"', '"30d"')
            .replace('"Read your calendar"', '"See your calendar"')
            .replace('delegates_to = ["booker", "spawned"]', "delegates_to = []")
        )
        assert house.apply(changed) == [
            "~ scope calendar:read: changed",
            "    description: Read your calendar → See your calendar",
            "~ agent planner: changed",
            f"    expires_at: {day(made + 90 * DAY)} → {day(made + 30 * DAY)}",
            "    delegates_to: booker spawned → none",
            "2 changed, 3 unchanged",
        ]
        assert house.catalogue().describe("calendar:read") == "See your calendar"
        assert house.agent("planner").delegates_to == frozenset()
        assert house.apply(changed) == ["5 unchanged"]

    def test_an_agent_is_declared_to_push_its_requests(self, house: House) -> None:
        """RFC 9126 §6; left out of the file, it is not required."""
        house.apply(EVERYTHING)
        key = "require_pushed_authorization_requests = true"
        pushing = EVERYTHING.replace('expires_in = "90d"', f'expires_in = "90d"\n{key}')
        told = house.apply(pushing)
        assert "    require_pushed_authorization_requests: False → True" in told
        assert house.agent("planner").require_pushed_authorization_requests is True
        assert key in house.export()
        assert house.apply(house.export()) == ["5 unchanged"]
        house.apply(EVERYTHING)
        assert house.agent("planner").require_pushed_authorization_requests is False

    def test_another_secret_is_a_change_that_shows_no_secret(self, house: House) -> None:
        house.apply(EVERYTHING)
        told = house.apply(EVERYTHING.replace(SECRET, OTHER_SECRET))
        assert "~ agent planner: changed" in told
        assert "    secret_digest: … → another" in told
        assert digest(SECRET) not in "".join(told)
        assert house.agent("planner").secret_digest == digest(OTHER_SECRET)

    def test_a_secret_that_is_left_out_stays(self, house: House) -> None:
        house.apply(EVERYTHING)
        silent = "\n".join(x for x in EVERYTHING.splitlines() if not x.startswith("client_secret"))
        assert house.apply(silent) == ["5 unchanged"]

    def test_what_was_retired_can_be_declared_anew_but_for_agents(self, house: House) -> None:
        house.apply(EVERYTHING)
        house.apply(SERVER, "--prune")
        assert house.apply(SERVER + SCOPES)[-1] == "2 added, 1 unchanged"
        assert house.refused(EVERYTHING) == [
            f'[[agents]] "{name}": client_id: that agent was retired, which is final: '
            "declare another client_id"
            for name in ("planner", "booker")
        ]


class TestPruning:
    def test_without_it_nothing_is_retired(self, house: House) -> None:
        house.apply(EVERYTHING)
        assert house.apply(SERVER) == ["1 unchanged"]
        assert house.agent("planner").status == Status.ACTIVE

    def test_what_is_no_longer_declared_is_retired(self, house: House) -> None:
        house.apply(EVERYTHING)
        assert house.apply("", "--prune") == [
            "- agent booker: retired",
            "- agent planner: retired",
            "- scope calendar:read: retired",
            "- scope calendar:write: retired",
            "- resource server https://calendar.example: retired",
            "5 retired",
        ]
        assert house.agent("planner").status == Status.RETIRED
        assert not house.catalogue().scopes
        assert house.apply("", "--prune") == ["nothing is declared"]

    def test_a_scope_that_is_pruned_in_the_same_run_is_no_ceiling(self, house: House) -> None:
        house.apply(EVERYTHING)
        scopes = SCOPES.partition("\n\n")[0]
        (line,) = house.refused(SERVER + scopes + PLANNER + BOOKER, "--prune")
        assert line.startswith('[[agents]] "planner": scopes: "calendar:write" is no scope')

    def test_who_waits_or_was_spawned_is_left_alone(self, house: House) -> None:
        house.apply(EVERYTHING)
        _store(house, _itself(house))
        _store(house, replace(_itself(house), client_id="a-child", origin="spawned",
                              status=Status.ACTIVE))  # fmt: skip
        assert house.apply(EVERYTHING, "--prune") == ["5 unchanged"]


class TestTypesOfDetails:
    """RFC 9396 types are declared as all else is: told, kept, and retired with `--prune`."""

    WITHOUT = SERVER + SCOPES
    WITH = WITHOUT + details_type()

    def test_each_difference_is_told_and_made(self, house: House) -> None:
        assert house.apply(self.WITH)[-2:] == [
            "+ type of authorization details entry: added",
            "4 added",
        ]
        assert house.catalogue().types["entry"].scope == "calendar:write"
        assert house.apply(self.WITH) == ["4 unchanged"]
        assert house.apply(self.WITHOUT + details_type(template="Add {amount}")) == [
            "~ type of authorization details entry: changed",
            "    template: Add {amount} entries → Add {amount}",
            "1 changed, 3 unchanged",
        ]

    def test_a_schema_in_a_file_is_the_same_as_one_written_out(self, house: House) -> None:
        house.apply(self.WITH)
        house.write('{"required": ["amount"],\n "type": "object"}', "entry.schema.json")
        assert house.apply(self.WITHOUT + details_type(schema="entry.schema.json")) == [
            "4 unchanged"
        ]

    def test_a_dry_run_writes_nothing(self, house: House) -> None:
        house.apply(self.WITHOUT)
        before = house.rows()
        (told, _) = house.apply(self.WITH, "--dry-run")
        assert told == "+ type of authorization details entry: added"
        assert house.rows() == before

    def test_it_is_retired_when_it_is_pruned_and_may_come_back(self, house: House) -> None:
        house.apply(self.WITH)
        assert house.apply(self.WITHOUT) == ["3 unchanged"]
        assert house.apply(self.WITHOUT, "--prune")[0] == (
            "- type of authorization details entry: retired"
        )
        assert not house.catalogue().types
        assert house.apply(self.WITH)[-1] == "1 added, 3 unchanged"

    def test_a_scope_is_not_pruned_from_under_a_type_that_stays(self, house: House) -> None:
        house.apply(self.WITH)
        scopes = SCOPES.partition("\n\n")[0]
        (line,) = house.refused(SERVER + scopes + details_type(), "--prune")
        assert line.startswith(
            '[[authorization_details_types]] "entry": scope: "calendar:write" is no scope'
        )


class TestKillSwitches:
    def test_a_suspended_agent_stays_suspended(self, house: House) -> None:
        house.apply(EVERYTHING)
        stop_agent(house.context.db, "planner", Status.SUSPENDED, why="suspended")
        assert house.apply(EVERYTHING) == ["5 unchanged"]
        assert house.agent("planner").status == Status.SUSPENDED

    def test_even_when_it_is_edited(self, house: House) -> None:
        house.apply(EVERYTHING)
        stop_agent(house.context.db, "planner", Status.SUSPENDED, why="suspended")
        house.apply(EVERYTHING.replace("Books trips", "Books longer trips"))
        planner = house.agent("planner")
        assert (planner.status, planner.purpose) == (Status.SUSPENDED, "Books longer trips")


class TestAdoption:
    """An agent that registered itself waits until an administrator declares it."""

    DECLARED = (
        SERVER
        + SCOPES
        + """
        [[agents]]
        client_id = "a-waiting"
        owner = "ana"
        scopes = ["calendar:read"]
        """
    )

    def test_it_gets_an_owner_and_a_ceiling_and_starts(self, house: House) -> None:
        waiting = _itself(house)
        _store(house, waiting)
        told = house.apply(self.DECLARED)
        assert "~ agent a-waiting: adopted" in told
        assert "    owner: none → key-of-ana" in told
        adopted = house.agent("a-waiting")
        assert adopted.status == Status.ACTIVE
        assert adopted.scope == {"calendar:read"}, "what it asked for itself is no ceiling"
        assert (adopted.name, adopted.redirect_uris) == (waiting.name, waiting.redirect_uris)
        assert adopted.secret_digest == waiting.secret_digest
        assert adopted.expires_at == waiting.expires_at

    def test_the_same_again_changes_nothing(self, house: House) -> None:
        _store(house, _itself(house))
        house.apply(self.DECLARED)
        before = house.rows()
        assert house.apply(self.DECLARED) == ["4 unchanged"]
        assert house.rows() == before

    def test_a_spawned_agent_is_nobodys_to_declare(self, house: House) -> None:
        _store(house, replace(_itself(house), origin="spawned", status=Status.ACTIVE))
        (line,) = house.refused(self.DECLARED)
        assert line.endswith("that agent was spawned: its parent and its task declare it")

    def test_from_the_command_line(self, house: House) -> None:
        house.apply(SERVER + SCOPES)
        _store(house, _itself(house))
        adopt = ("agents", "adopt", "a-waiting", "--scope", "calendar:read", "--owner")
        assert house.run(*adopt, "nobody").exit_code == 1
        assert house.agent("a-waiting").status == Status.PENDING
        assert house.run(*adopt, "ana").exit_code == 0
        adopted = house.agent("a-waiting")
        assert (adopted.status, adopted.owner) == (Status.ACTIVE, "key-of-ana")
        assert adopted.resources == {"https://calendar.example"}
        again = house.run(*adopt, "eve")
        assert (again.exit_code, again.stderr) == (1, "a-waiting: is active, not pending\n")


def test_every_change_leaves_an_event(house: House) -> None:
    house.apply(EVERYTHING)
    house.apply(EVERYTHING.replace("Books trips", "Books longer trips"))
    house.apply("", "--prune")
    events = house.run("audit", "list", "--json").stdout
    for kind in ("catalogue.declared", "agent.declared", "agent.edited", "agent.retired"):
        assert f'"kind": "{kind}"' in events
    assert '"by": "command line"' in events
    assert SECRET not in events


@pytest.mark.sqlite_only
def test_a_host_declares_its_own_people(house: House) -> None:
    assert house.refused('[[people]]\nusername = "ana"\n') == [
        "[[people]]: are this host's own to declare"
    ]


def day(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def _itself(house: House) -> Agent:
    with house.context.db.read() as tx:
        now = tx.now
    return Agent(
        client_id="a-waiting",
        name="Waiting",
        purpose="Asks for much",
        origin="self",
        created_at=now,
        expires_at=now + 90 * DAY,
        token_endpoint_auth_method="client_secret_basic",
        status=Status.PENDING,
        scope=frozenset({"calendar:read", "calendar:write"}),
        redirect_uris=("http://127.0.0.1/waiting",),
        secret_digest=digest(OTHER_SECRET),
    )


def _store(house: House, registered: Agent) -> None:
    with house.context.db.write() as tx:
        store_agent(tx, registered, Event("agent.registered", agent=registered.client_id))

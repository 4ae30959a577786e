"""What an operator sees and stops from the command line, while the server runs."""

import json
import re
from pathlib import Path

import pytest

from cli.running import DEMO, Inside, Operator, Served
from support.agents_http import decode, http


class TestAgents:
    def test_a_suspended_agent_is_out_at_once_and_comes_back_with_nothing(
        self, served: Served
    ) -> None:
        token = served.hold()["access_token"]
        told = served.operator.done("agents", "suspend", "planner")
        assert re.match(r"planner is suspended; [1-9]\d* delegations? ended\n", told)
        planner = served.agent("planner")
        for _ in range(6):
            answer = planner.post("token_endpoint", grant_type="client_credentials")
            assert answer.status_code == 401
        assert "suspended" in served.operator.done("agents", "show", "planner")
        assert served.operator.failed("agents", "suspend", "planner") == (
            "planner: is suspended: it can't become suspended"
        )
        served.operator.done("agents", "resume", "planner")
        assert planner.introspect(token).json() == {"active": False}
        assert planner.introspect(served.hold()["access_token"]).json()["active"]

    def test_retired_is_final(self, served: Served) -> None:
        served.operator.done("agents", "retire", "mallory")
        assert served.operator.failed("agents", "resume", "mallory") == (
            "mallory: is retired, not suspended"
        )
        line = served.operator.failed("apply", str(DEMO))
        assert '[[agents]] "mallory": client_id: that agent was retired, which is final' in line

    def test_the_list_says_who_answers_for_each(self, served: Served) -> None:
        rows = served.operator.done("agents", "list").splitlines()
        assert rows[0].startswith("client_id")
        (booker,) = (row for row in rows if row.startswith("booker"))
        assert "Ben Ode" in booker
        listed = served.operator.done("agents", "list", "--status", "pending")
        assert len(listed.splitlines()) == 1

    @pytest.mark.parametrize("command", ["show", "suspend", "resume", "retire"])
    def test_one_that_there_is_not(self, served: Served, command: str) -> None:
        line = served.operator.failed("agents", command, "nobody")
        assert line == "nobody: there is no such agent"


class TestTokens:
    def test_the_chain_is_a_tree(self, served: Served) -> None:
        token = served.hold()["access_token"]
        handed = served.hand_over(token, "planner", "booker", "flights:search")
        told = served.operator.done("token", "inspect", handed)
        person, planner, booker = told.splitlines()[:3]
        assert re.fullmatch(r"Ana Ruiz \(p-\w+\)", person)
        assert planner.endswith("└── planner (Planner, active)")
        assert booker.endswith("    └── booker (Booker, active), acts now")
        assert re.search(r"scope +flights:search", told)
        assert told.endswith("\nalive\n")

    def test_it_says_why_one_is_not_alive(self, served: Served) -> None:
        token = served.hold()["access_token"]
        _, claims = decode(token)
        served.operator.done("delegations", "end", claims["delegation_id"])
        told = served.operator.done("token", "inspect", input=token)
        assert told.endswith("\nnot alive: The delegation has ended. (ended_by_operator)\n")

    def test_an_agents_own(self, served: Served) -> None:
        token = served.own_token("booker")
        told = served.operator.done("token", "inspect", "-", input=f"{token}\n")
        assert told.startswith("for itself\n")
        assert told.endswith("\nalive\n")
        served.agent("booker").revoke(token)
        told = served.operator.done("token", "inspect", token)
        assert told.endswith("\nnot alive: It was revoked, or its agent is not active.\n")

    def test_a_refresh_token(self, served: Served) -> None:
        answer = served.hold()
        told = served.operator.done("token", "inspect", answer["refresh_token"])
        assert told.endswith("\nalive\n")
        served.agent("planner").revoke(answer["refresh_token"])
        told = served.operator.done("token", "inspect", answer["refresh_token"])
        assert "\nnot alive: The delegation has ended." in told

    @pytest.mark.parametrize("token", ["nonsense", "", "a.b.c", "drft_x", "dspw_x", "x" * 20_000])
    def test_one_that_is_none_of_ours(self, served: Served, token: str) -> None:
        assert served.operator.failed("token", "inspect", input=token).startswith("this is ")


class TestDelegations:
    def test_they_are_listed_shown_and_ended_with_all_below(self, served: Served) -> None:
        token = served.hold()["access_token"]
        handed = served.hand_over(token, "planner", "booker", "flights:search")
        _, claims = decode(token)
        of_task = ("delegations", "list", "--task", claims["task_id"])
        listed = served.operator.done(*of_task)
        assert len(listed.splitlines()) > 2
        assert "planner → booker" in listed
        shown = served.operator.done("delegations", "show", claims["delegation_id"])
        assert re.search(r"state +live", shown)
        assert "booker: flights:search at" in shown
        told = served.operator.done("delegations", "end", claims["delegation_id"])
        assert re.match(r"\d delegations ended\n", told)
        assert served.agent("booker").introspect(handed).json() == {"active": False}
        assert len(served.operator.done(*of_task).splitlines()) == 1
        assert "delegation.ended (ended_by_operator)" in served.operator.done(*of_task, "--all")
        again = served.operator.done("delegations", "end", claims["delegation_id"])
        assert again == "it had ended already\n"

    def test_by_person_and_by_agent(self, served: Served) -> None:
        served.hold()
        mine = served.operator.done("delegations", "list", "--person", "ana", "--agent", "planner")
        assert len(mine.splitlines()) > 1
        bens = served.operator.done("delegations", "list", "--person", "ben")
        assert len(bens.splitlines()) == 1
        assert served.operator.failed("delegations", "list", "--person", "zoe") == (
            "zoe: nobody signs in by that name"
        )

    @pytest.mark.parametrize("command", ["show", "end"])
    def test_one_that_there_is_not(self, served: Served, command: str) -> None:
        line = served.operator.failed("delegations", command, "-nothing")
        assert line == "-nothing: there is no such delegation"


class TestKeys:
    def test_a_new_key_waits_until_others_know_it(self, served: Served) -> None:
        token = served.own_token("booker")
        kid = served.operator.done("keys", "rotate").split()[0]
        assert re.search(rf"{re.escape(kid)} .* waits", served.operator.done("keys", "list"))
        header, _ = decode(served.own_token("booker"))
        assert header["kid"] == decode(token)[0]["kid"]
        assert kid in [key["kid"] for key in _keys(served)]

    def test_a_retired_key_takes_its_tokens_with_it(self, served: Served) -> None:
        token = served.own_token("booker")
        kid = served.operator.done("keys", "rotate", "--now").split()[0]
        fresh = served.own_token("booker")
        assert decode(fresh)[0]["kid"] == kid
        assert served.agent("booker").introspect(token).json()["active"]
        old = decode(token)[0]["kid"]
        served.operator.done("keys", "retire", old)
        for _ in range(6):
            assert served.agent("booker").introspect(token).json() == {"active": False}
            assert served.agent("booker").introspect(fresh).json()["active"]
        assert old not in [key["kid"] for key in _keys(served)]
        assert served.operator.failed("keys", "retire", old) == (
            f"{old}: there is no such key that is not retired"
        )

    def test_no_private_part_is_ever_shown(self, served: Served) -> None:
        shown = served.operator.done("keys", "list") + served.operator.done("audit", "list")
        assert '"d"' not in shown

    def test_the_only_key_stays(self, operator: Operator) -> None:
        kid = operator.inside.done("keys", "list").splitlines()[1].split()[0]
        assert operator.failed("keys", "retire", kid) == f"{kid}: is the only key: rotate first"


class TestAudit:
    def test_it_is_filtered_and_printed_as_json(self, served: Served) -> None:
        served.own_token("booker")
        lines = served.operator.done(
            "audit", "list", "--agent", "booker", "--kind", "agent.token_issued", "--json"
        ).splitlines()
        events = [json.loads(line) for line in lines]
        assert events
        assert {(e["agent"], e["kind"]) for e in events} == {("booker", "agent.token_issued")}
        assert [e["at"] for e in events] == sorted(e["at"] for e in events)

    def test_a_family_of_kinds_of_one_task(self, served: Served) -> None:
        _, claims = decode(served.hold()["access_token"])
        told = served.operator.done(
            "audit", "list", "--task", claims["task_id"], "--kind", "delegation"
        )
        assert "delegation." in told
        assert "consent." not in told

    def test_the_newest_are_kept_when_there_are_too_many(self, tmp_path: Path) -> None:
        clock = tmp_path / "clock"
        clock.write_text("0")
        environ = {"DEPUTIZE__TEST_MODE": "true", "DEPUTIZE__CLOCK_FILE": str(clock)}
        operator = Inside(tmp_path / "data", environ=environ)
        operator.done("apply", str(DEMO))
        for seconds, command in ((10, "suspend"), (20, "resume")):
            clock.write_text(str(seconds))
            operator.done("agents", command, "booker")
        lines = operator.done("audit", "list", "--json", "--limit", "2").splitlines()
        assert [json.loads(line)["kind"] for line in lines] == ["agent.suspended", "agent.active"]


def test_the_parts_that_are_on(served: Served) -> None:
    told = served.operator.done("plugins")
    assert re.search(r"^delegation +.*token-exchange", told, re.MULTILINE)
    assert "deputize_delegation" in told


def test_who_can_sign_in(served: Served) -> None:
    told = served.operator.done("people", "list")
    assert re.search(r"^ana +p-\w+ +Ana Ruiz +finance", told, re.MULTILINE)


def _keys(served: Served) -> list[dict[str, str]]:
    return list(http.get(served.metadata["jwks_uri"]).json()["keys"])

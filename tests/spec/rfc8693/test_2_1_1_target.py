"""For whom the token will be: one target, known, canonical, and within the delegation."""

import pytest

from support.agents_http import Agent, decode, outcome
from support.world import CALENDAR, FLIGHTS, PAY, World

pytestmark = pytest.mark.section("RFC 8693", "2.1.1")

REFUSED = (400, "invalid_target")
NOT_NAMEABLE = (*REFUSED, "target.not_nameable")


def audience(token: str) -> str:
    return str(decode(token)[1]["aud"])


class TestThreeKinds:
    """A token names one audience: a resource server, the issuer, or another agent."""

    @pytest.mark.parametrize("resource", [CALENDAR, FLIGHTS])
    def test_a_resource_server(self, planner: Agent, hold: str, resource: str) -> None:
        token = planner.exchange(hold, resource=resource).json()["access_token"]
        assert audience(token) == resource

    def test_the_issuer(self, world: World, hold: str) -> None:
        planner, issuer = world.agent("planner"), world.metadata["issuer"]
        for_calendar = planner.exchange(hold, resource=CALENDAR).json()["access_token"]
        answer = planner.exchange(for_calendar, resource=issuer).json()
        assert audience(answer["access_token"]) == issuer
        assert answer["scope"] == "calendar:read calendar:write"

    def test_another_agent(self, planner: Agent, hold: str) -> None:
        answer = planner.exchange(hold, audience="booker", scope="calendar:read").json()
        assert audience(answer["access_token"]) == "booker"


class TestOmitted:
    """Omitted, it is the subject token's own audience; for a hand-over, the issuer."""

    def test_a_token_for_a_resource_server_is_renewed(self, planner: Agent, hold: str) -> None:
        token = planner.exchange(hold, resource=CALENDAR).json()["access_token"]
        assert audience(planner.exchange(token).json()["access_token"]) == CALENDAR

    def test_a_hold_is_renewed(self, world: World, planner: Agent, hold: str) -> None:
        token = planner.exchange(hold).json()["access_token"]
        assert audience(token) == world.metadata["issuer"]

    def test_a_hand_over_is_held(self, world: World, planner: Agent, hold: str) -> None:
        given = planner.exchange(hold, audience="booker", scope="calendar:read").json()
        taken = world.agent("booker").exchange(given["access_token"]).json()
        assert audience(taken["access_token"]) == world.metadata["issuer"]

    def test_a_hand_over_is_used_at_once(self, world: World, planner: Agent, hold: str) -> None:
        given = planner.exchange(hold, audience="booker", scope="calendar:read").json()
        taken = world.agent("booker").exchange(given["access_token"], resource=CALENDAR).json()
        assert audience(taken["access_token"]) == CALENDAR
        assert world.is_active(taken["access_token"])


@pytest.mark.parametrize(
    "resource",
    [
        "https://unknown.example",
        f"{CALENDAR}/",
        f"{CALENDAR}#fragment",
        f"{CALENDAR}#",
        f"{CALENDAR}?query",
        "https://user@calendar.example",
        "https://user:secret@calendar.example",
        "HTTPS://calendar.example",
        "https://CALENDAR.example",
        "https://calendar.example:443",
        "http://calendar.example",
        "calendar.example",
        "calendar-api",
        "//calendar.example",
        "urn:calendar",
        " https://calendar.example",
        "https://calendar.example ",
        "https://cälendar.example",
        "https://[::1",
        "booker",
        "ana",
    ],
)
def test_a_resource_that_is_unknown_or_not_canonical_is_refused(
    world: World, hold: str, resource: str
) -> None:
    refusal = world.refused(world.agent("planner").exchange, hold, resource=resource)
    assert refusal == (*REFUSED, "target.unknown")


class TestWithinTheDelegation:
    """A delegation has the resources that were consented, and no others."""

    def test_what_was_not_consented_is_out_of_reach(self, world: World) -> None:
        root = world.hold(resource=[CALENDAR])
        refusal = world.refused(world.agent("planner").exchange, root, resource=FLIGHTS)
        assert refusal == (*REFUSED, "target.beyond_delegation")

    def test_none_consented_is_none(self, world: World) -> None:
        root = world.hold(resource=None)
        for resource in (CALENDAR, FLIGHTS, PAY):
            assert outcome(world.agent("planner").exchange(root, resource=resource)) == REFUSED

    def test_a_token_for_one_resource_server_leads_to_no_other(
        self, planner: Agent, hold: str
    ) -> None:
        token = planner.exchange(hold, resource=CALENDAR).json()["access_token"]
        assert outcome(planner.exchange(token, resource=FLIGHTS)) == REFUSED

    def test_not_by_way_of_the_issuer_either(self, world: World, planner: Agent, hold: str) -> None:
        issuer = world.metadata["issuer"]
        token = planner.exchange(hold, resource=CALENDAR).json()["access_token"]
        back = planner.exchange(token, resource=issuer).json()["access_token"]
        assert outcome(planner.exchange(back, resource=FLIGHTS)) == REFUSED

    def test_the_takers_own_resources_bind(self, world: World) -> None:
        world.register("calendar-only", resources=frozenset({CALENDAR}))
        world.register("giver", delegates_to=frozenset({"calendar-only"}))
        taken = world.hand_over(
            world.hold("giver"), "giver", "calendar-only", "calendar:read flights:search"
        )
        refused = world.agent("calendar-only").exchange(taken, resource=FLIGHTS)
        assert outcome(refused) == REFUSED


class TestMoreThanOne:
    """One target for one token."""

    @pytest.mark.parametrize(
        "targets",
        [
            {"resource": [CALENDAR, FLIGHTS]},
            {"resource": [CALENDAR, CALENDAR]},
            {"audience": ["booker", "checker"]},
            {"audience": ["booker", "booker"]},
            {"resource": CALENDAR, "audience": "booker"},
            {"resource": CALENDAR, "audience": CALENDAR},
        ],
    )
    def test_is_refused(
        self, planner: Agent, hold: str, targets: dict[str, str | list[str]]
    ) -> None:
        assert outcome(planner.exchange(hold, scope="calendar:read", **targets)) == REFUSED


class TestNamedAgent:
    """Whom it may name: its `delegates_to` ∩ what the person let be passed on to."""

    @pytest.mark.parametrize(
        "name",
        [
            "planner",  # itself, though its own list has it
            "mallory",  # not listed
            "nobody",
            "ana",  # a person
            "spawned",  # a word of the list, no agent
            "calendar-api",  # a resource server's client id
            CALENDAR,
            "\u200bbooker",
        ],
    )
    def test_nobody_else_can_be_named(self, world: World, hold: str, name: str) -> None:
        asked = {"audience": name, "scope": "calendar:read"}
        assert world.refused(world.agent("planner").exchange, hold, **asked) == NOT_NAMEABLE

    def test_nor_the_issuer(self, world: World, hold: str) -> None:
        asked = {"audience": world.metadata["issuer"], "scope": "calendar:read"}
        assert outcome(world.agent("planner").exchange(hold, **asked)) == REFUSED

    @pytest.mark.parametrize("status", ["pending", "suspended", "retired"])
    def test_nor_an_agent_that_is_not_active(self, world: World, status: str) -> None:
        name = f"taker-{status}"
        world.register(name, status=status)
        world.register(f"giver-{status}", delegates_to=frozenset({name}))
        root = world.hold(f"giver-{status}")
        asked = {"audience": name, "scope": "calendar:read"}
        giver = world.agent(f"giver-{status}")
        assert world.refused(giver.exchange, root, **asked) == NOT_NAMEABLE

    def test_nor_one_that_expired(self, world: World) -> None:
        world.register("expired", expires_at=1_700_000_001)
        world.register("giver-expired", delegates_to=frozenset({"expired"}))
        root = world.hold("giver-expired")
        asked = {"audience": "expired", "scope": "calendar:read"}
        giver = world.agent("giver-expired")
        assert world.refused(giver.exchange, root, **asked) == NOT_NAMEABLE

    def test_what_the_person_did_not_allow_is_not_nameable(self, world: World) -> None:
        root = world.hold(pass_on=("checker",))
        asked = {"audience": "booker", "scope": "calendar:read"}
        planner = world.agent("planner")
        assert world.refused(planner.exchange, root, **asked) == NOT_NAMEABLE
        assert planner.exchange(root, audience="checker", scope="calendar:read").status_code == 200

    def test_what_the_person_did_not_allow_stays_so_down_the_chain(self, world: World) -> None:
        root = world.hold(pass_on=("booker",))
        taken = world.hand_over(root, "planner", "booker", "calendar:read")
        asked = {"audience": "checker", "scope": "calendar:read"}
        assert world.refused(world.agent("booker").exchange, taken, **asked) == NOT_NAMEABLE

    def test_nobody_allowed_is_nobody(self, world: World) -> None:
        root = world.hold(pass_on=())
        for name in ("booker", "checker"):
            asked = {"audience": name, "scope": "calendar:read"}
            assert outcome(world.agent("planner").exchange(root, **asked)) == REFUSED

    def test_a_list_without_the_agent_binds_whatever_the_person_allowed(self, world: World) -> None:
        world.register("unlisted", delegates_to=frozenset({"booker", "checker"}))
        root = world.hold("unlisted")
        world.edit("unlisted", delegates_to=frozenset({"checker"}))
        asked = {"audience": "booker", "scope": "calendar:read"}
        assert world.refused(world.agent("unlisted").exchange, root, **asked) == NOT_NAMEABLE

    def test_a_list_that_shrank_and_grew_again_gives_nothing_back(self, world: World) -> None:
        world.register("wavering", delegates_to=frozenset({"booker", "checker"}))
        root = world.hold("wavering")
        world.edit("wavering", delegates_to=frozenset({"checker"}))
        world.edit("wavering", delegates_to=frozenset({"booker", "checker"}))
        asked = {"audience": "booker", "scope": "calendar:read"}
        assert outcome(world.agent("wavering").exchange(root, **asked)) == REFUSED

    def test_a_hand_over_is_taken_before_it_is_passed_on(self, world: World, hold: str) -> None:
        given = world.agent("planner").exchange(hold, audience="booker", scope="calendar:read")
        asked = {"audience": "checker", "scope": "calendar:read"}
        refusal = world.refused(
            world.agent("booker").exchange, given.json()["access_token"], **asked
        )
        assert refusal == (*REFUSED, "target.not_the_actor")

    def test_a_token_for_a_resource_server_can_be_handed_over_no_wider(
        self, world: World, hold: str
    ) -> None:
        planner = world.agent("planner")
        narrow = planner.exchange(hold, resource=CALENDAR).json()["access_token"]
        taken = world.hand_over(narrow, "planner", "booker", "calendar:read")
        assert outcome(world.agent("booker").exchange(taken, resource=FLIGHTS)) == REFUSED


class TestSpawnedAgents:
    """`spawned` names the agents that it spawned in this task."""

    def test_its_own_child_can_be_named(self, world: World, hold: str) -> None:
        child = world.spawn("planner", hold, "calendar:read")
        assert world.hand_over(hold, "planner", child, "calendar:read")

    def test_a_child_of_another_task_cannot(self, world: World, hold: str) -> None:
        child = world.spawn("planner", hold, "calendar:read")
        asked = {"audience": child, "scope": "calendar:read"}
        other_task = world.hold()
        planner = world.agent("planner")
        assert world.refused(planner.exchange, other_task, **asked) == NOT_NAMEABLE

    def test_a_child_of_another_agent_cannot(self, world: World, hold: str) -> None:
        child = world.spawn("planner", hold, "calendar:read")
        taken = world.hand_over(hold, "planner", "booker", "calendar:read")
        asked = {"audience": child, "scope": "calendar:read"}
        assert world.refused(world.agent("booker").exchange, taken, **asked) == NOT_NAMEABLE

    def test_no_child_can_where_the_person_did_not_allow_it(self, world: World) -> None:
        root = world.hold(pass_on=("booker",))
        child = world.spawn("planner", root, "calendar:read")
        asked = {"audience": child, "scope": "calendar:read"}
        assert world.refused(world.agent("planner").exchange, root, **asked) == NOT_NAMEABLE

    def test_its_client_id_in_the_list_is_not_enough(self, world: World, hold: str) -> None:
        child = world.spawn("planner", hold, "calendar:read")
        world.register("lister", delegates_to=frozenset({child}))
        asked = {"audience": child, "scope": "calendar:read"}
        assert outcome(world.agent("lister").exchange(world.hold("lister"), **asked)) == REFUSED

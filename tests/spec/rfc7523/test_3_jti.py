"""A `jti` is used once across all endpoints and workers, by a refused request as well."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from support.agents_http import Agent, new_key, outcome, unix_time
from support.world import World, present

pytestmark = pytest.mark.section("RFC 7523", "3")

FAILED = (401, "invalid_client")
ENDPOINTS = ("token_endpoint", "introspection_endpoint", "revocation_endpoint")


@pytest.fixture(scope="module")
def world(world_on_each_engine: World) -> World:
    return world_on_each_engine


@pytest.mark.parametrize("first", ENDPOINTS)
@pytest.mark.parametrize("second", ENDPOINTS)
def test_at_whatever_two_endpoints(world: World, first: str, second: str) -> None:
    assertion = world.agent("planner").client_assertion()
    assert present(world, assertion, first).status_code == 200
    assert outcome(present(world, assertion, second)) == FAILED


def test_another_assertion_with_the_same_jti_is_a_repeat(world: World) -> None:
    planner = world.agent("planner")
    first = planner.client_assertion(jti="the same one")
    second = planner.client_assertion(jti="the same one", exp=unix_time() + 200)
    assert present(world, first).status_code == 200
    assert outcome(present(world, second)) == FAILED


def test_two_agents_may_choose_the_same(world: World) -> None:
    for name in ("booker", "checker"):
        assertion = world.agent(name).client_assertion(jti="nobody's own")
        assert present(world, assertion).status_code == 200


@pytest.mark.parametrize(
    "form",
    [
        {"scope": "unknown"},
        {"resource": "https://unknown.example"},
        {"grant_type": "refresh_token", "refresh_token": "unknown"},
        {"grant_type": "urn:ietf:params:oauth:grant-type:token-exchange"},
        {"grant_type": "password"},
        {"grant_type": ""},
        {"scope": "a\x00"},
    ],
    ids=str,
)
def test_a_refused_request_uses_it_up(world: World, form: dict[str, str]) -> None:
    assertion = world.agent("planner").client_assertion()
    assert present(world, assertion, **form).status_code == 400
    assert outcome(present(world, assertion)) == FAILED


def test_so_does_one_whose_parameters_are_malformed(world: World) -> None:
    planner = world.agent("planner")
    assertion = planner.client_assertion()
    repeated = planner.post(
        "token_endpoint",
        grant_type=["client_credentials"] * 2,
        client_assertion=assertion,
    )
    assert repeated.status_code == 400
    assert outcome(present(world, assertion)) == FAILED


def test_so_does_one_of_an_agent_that_is_suspended(world: World) -> None:
    world.register("paused")
    assertion = world.agent("paused").client_assertion()
    world.stop("paused")
    assert outcome(present(world, assertion)) == FAILED
    world.start("paused")
    assert outcome(present(world, assertion)) == FAILED


def test_a_failed_authentication_uses_up_nobodys(world: World) -> None:
    stranger = Agent("planner", world.metadata, key=new_key())
    assert outcome(present(world, stranger.client_assertion(jti="planned"))) == FAILED
    assertion = world.agent("planner").client_assertion(jti="planned")
    assert present(world, assertion).status_code == 200


def test_of_many_at_once_one_wins(world: World) -> None:
    assertion = world.agent("planner").client_assertion()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: present(world, assertion).status_code, range(8)))
    assert sorted(answers) == [200, *[401] * 7]


def test_it_stays_used_for_as_long_as_it_would_be_believed(world: World) -> None:
    assertion = world.agent("planner").client_assertion(exp=unix_time() + 290)
    assert present(world, assertion).status_code == 200
    world.pass_time(280)
    assert outcome(present(world, assertion)) == FAILED

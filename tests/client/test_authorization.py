"""What comes back through the browser is believed only if it answers what was asked."""

from collections.abc import Callable
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from client.asking import answer, ask
from deputize.client import AgentClient, AuthorizationRequest, OAuthError, ProtocolError
from support.world import World

Agents = Callable[[str], AgentClient]


def changed(url: str, **changes: str | None) -> str:
    """Return `url` with query parameters replaced, or taken out by None."""
    query = {name: value[0] for name, value in parse_qs(urlsplit(url).query).items()} | changes
    kept = {name: value for name, value in query.items() if value is not None}
    return f"{url.partition('?')[0]}?{urlencode(kept)}"


@pytest.fixture
def came_back(world: World, agent: Agents) -> tuple[AuthorizationRequest, str]:
    url, asked = ask(agent("planner"))
    return asked, answer(world, url)


def test_each_request_has_a_state_and_a_challenge_of_its_own(agent: Agents) -> None:
    planner = agent("planner")
    first, second = (parse_qs(urlsplit(ask(planner)[0]).query) for _ in range(2))
    assert first["code_challenge_method"] == ["S256"]
    assert first["state"] != second["state"]
    assert first["code_challenge"] != second["code_challenge"]


def test_what_is_kept_meanwhile_shows_no_secret(agent: Agents) -> None:
    _, asked = ask(agent("planner"))
    assert asked.code_verifier not in repr(asked)
    assert asked.state not in repr(asked)


@pytest.mark.parametrize("state", ["another", "ä", None])
def test_another_state_is_refused(
    came_back: tuple[AuthorizationRequest, str], state: str | None
) -> None:
    asked, url = came_back
    with pytest.raises(ProtocolError, match="state"):
        asked.code_in(changed(url, state=state))


@pytest.mark.parametrize("iss", ["https://evil.example", None])
def test_another_issuer_is_refused(
    came_back: tuple[AuthorizationRequest, str], iss: str | None
) -> None:
    asked, url = came_back
    with pytest.raises(ProtocolError, match="iss"):
        asked.code_in(changed(url, iss=iss))


def test_a_repeated_parameter_is_refused(came_back: tuple[AuthorizationRequest, str]) -> None:
    asked, url = came_back
    with pytest.raises(ProtocolError, match="code"):
        asked.code_in(f"{url}&code=another")


def test_a_person_who_says_no_is_an_error_with_a_name(world: World, agent: Agents) -> None:
    url, asked = ask(agent("planner"))
    with pytest.raises(OAuthError) as refused:
        asked.code_in(answer(world, url, "deny"))
    assert (refused.value.error, refused.value.status) == ("access_denied", None)


def test_a_code_is_redeemed_once(
    agent: Agents, came_back: tuple[AuthorizationRequest, str]
) -> None:
    asked, url = came_back
    planner = agent("planner")
    planner.redeem(asked.code_in(url), asked)
    with pytest.raises(OAuthError) as refused:
        planner.redeem(asked.code_in(url), asked)
    assert refused.value.error == "invalid_grant"

"""An agent asks its person in the middle of a task, and comes back for their word.

The person decides in the real inbox; the pauses between two looks move the world's clock.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import httpx
import pytest

from client.asking import SCOPE, answer
from client.deciding import Waiting, decide, inbox
from deputize.client import (
    AgentClient,
    Hold,
    OAuthError,
    Question,
    Token,
)
from support.agents_http import unix_time
from support.world import CALENDAR, CALLBACK, FLIGHTS, PAY, World

MESSAGE = "TP1234, seat 14C"
ALL = [CALENDAR, FLIGHTS, PAY]
LATER = 700  # seconds: what the test before asked has expired, and no `no` is remembered


@pytest.fixture(autouse=True)
def waiting(world: World) -> Waiting:
    """How agents wait here."""
    world.pass_time(LATER)
    return Waiting(world)


@pytest.fixture
def polls() -> list[int]:
    """How the token endpoint answered each request that came back for an answer."""
    return []


@pytest.fixture
def make(world: World, waiting: Waiting, polls: list[int]) -> Iterator[Callable[[], AgentClient]]:
    """Start planner, in one process or in another."""
    key, made = world.keys["planner"], []

    def note(answer: httpx.Response) -> None:
        if b"auth_req_id" in answer.request.content:
            polls.append(answer.status_code)

    def start() -> AgentClient:
        http = httpx.Client(timeout=10, event_hooks={"response": [note]})
        agent = AgentClient.discover(
            world.url, "planner", key=key, clock=unix_time, sleep=waiting, http=http
        )
        made.append(agent)
        return agent

    yield start
    for agent in made:
        agent.close()


@pytest.fixture
def planner(make: Callable[[], AgentClient]) -> AgentClient:
    return make()


@pytest.fixture
def token(world: World, planner: AgentClient) -> Token:
    """Planner's hold, with nothing of what it will ask for."""
    url, asked = planner.authorization_url(CALLBACK, scope=SCOPE, resource=ALL)
    return planner.redeem(asked.code_in(answer(world, url)), asked)


def refusal(ask: Callable[[], object]) -> str:
    with pytest.raises(OAuthError) as refused:
        ask()
    return refused.value.error


class TestAsking:
    def test_yes_is_a_token_for_what_was_asked(
        self, world: World, token: Token, waiting: Waiting
    ) -> None:
        waiting.at(1, partial(decide, world, "approve"))
        paying = token.ask("pay:transfer", PAY, message=MESSAGE)
        assert (paying.scope, paying.audience) == ({"pay:transfer"}, PAY)
        assert paying.chain() == ("planner",)
        assert paying.agent is token.agent
        assert paying.refresh_token is None
        assert world.is_active(paying.value, "pay-api")

    def test_the_person_reads_the_agents_own_words(
        self, world: World, token: Token, waiting: Waiting
    ) -> None:
        read: list[str] = []
        waiting.at(1, lambda: read.extend(inbox(world)))
        waiting.at(2, partial(decide, world, "approve"))
        token.ask("pay:transfer", message=MESSAGE)
        assert len(read) == 1
        assert MESSAGE in read[0]

    def test_an_agent_that_must_sign_what_it_asks_signs_it(
        self, world: World, token: Token, waiting: Waiting
    ) -> None:
        """CIBA Core §7.1.1: unsigned, the server asks nobody for it any more."""
        world.edit("planner", request_signing_alg="ES256")
        try:
            assert refusal(lambda: token.put_question("pay:transfer")) == "invalid_request"
            signing = partial(AgentClient.discover, world.url, "planner", signs_requests=True)
            waiting.at(1, partial(decide, world, "approve"))
            key = world.keys["planner"]
            with signing(key=key, clock=unix_time, sleep=waiting) as planner:
                hold = replace(token, agent=planner)
                assert hold.ask("pay:transfer", PAY, message=MESSAGE).scope == {"pay:transfer"}
        finally:
            world.edit("planner", request_signing_alg=None)

    def test_nobody_signs_without_a_key(self, world: World) -> None:
        with pytest.raises(ValueError, match="signed by a key"):
            AgentClient.discover(world.url, "planner", secret="x" * 30, signs_requests=True)

    def test_it_looks_as_often_as_the_server_allows(
        self, world: World, token: Token, waiting: Waiting, polls: list[int]
    ) -> None:
        waiting.at(4, partial(decide, world, "approve"))
        token.ask("pay:transfer")
        assert waiting.pauses == [5, 5, 5, 5]
        assert polls == [400, 400, 400, 200]

    def test_told_to_slow_down_it_does(
        self,
        world: World,
        token: Token,
        waiting: Waiting,
        polls: list[int],
        make: Callable[[], AgentClient],
    ) -> None:
        question = token.put_question("pay:transfer")
        # The same agent in another process looks as well, a moment before.
        waiting.at(1, Question(make(), question._asked).poll)
        waiting.at(2, partial(decide, world, "approve"))
        assert question.wait().scope == {"pay:transfer"}
        assert polls == [400, 400, 200]
        assert waiting.pauses == [5, 10]

    def test_no_is_no(self, world: World, token: Token, waiting: Waiting) -> None:
        waiting.at(1, partial(decide, world, "deny"))
        assert refusal(lambda: token.ask("pay:transfer")) == "access_denied"

    def test_nothing_in_time_is_no_token(self, token: Token, waiting: Waiting) -> None:
        assert refusal(lambda: token.ask("pay:transfer")) == "expired_token"
        assert 298 <= sum(waiting.pauses) <= 310

    def test_what_nobody_is_asked_is_refused_at_once(self, token: Token, waiting: Waiting) -> None:
        assert refusal(lambda: token.ask("calendar:read", CALENDAR)) == "invalid_scope"
        assert waiting.pauses == []

    def test_when_the_person_ends_the_delegation_meanwhile_that_is_a_no(
        self, token: Token, waiting: Waiting
    ) -> None:
        waiting.at(1, token.revoke)
        assert refusal(lambda: token.ask("pay:transfer")) == "access_denied"

    def test_the_token_makes_no_other(self, world: World, token: Token, waiting: Waiting) -> None:
        waiting.at(1, partial(decide, world, "approve"))
        paying = token.ask("pay:transfer", PAY)
        assert refusal(lambda: paying.hand_over("booker", "pay:transfer")) == "invalid_scope"
        assert refusal(paying.renew) == "invalid_scope"

    def test_no_secret_stands_in_what_it_shows(self, token: Token) -> None:
        question = token.put_question("pay:transfer")
        assert question._asked.auth_req_id not in repr(question)


class TestWithoutWaiting:
    def test_the_question_waits_while_the_agent_goes_on(
        self, world: World, token: Token, waiting: Waiting
    ) -> None:
        question = token.put_question("pay:transfer", message=MESSAGE)
        assert question.poll() is None
        decide(world, "approve")
        world.pass_time(5)
        found = question.poll()
        assert found is not None
        assert found.scope == {"pay:transfer"}
        assert waiting.pauses == []

    def test_looked_for_again_too_soon_it_asks_nobody(
        self, world: World, token: Token, polls: list[int]
    ) -> None:
        question = token.put_question("pay:transfer")
        assert [question.poll() for _ in range(3)] == [None] * 3
        assert polls == [400]
        world.pass_time(5)
        assert question.poll() is None
        assert polls == [400, 400]

    def test_asked_twice_it_is_one_card(self, world: World, token: Token) -> None:
        for _ in range(2):
            token.put_question("pay:transfer", PAY, message=MESSAGE)
        assert len(inbox(world)) == 1

    def test_a_wait_ends_when_the_caller_says_and_can_be_taken_up_again(
        self, world: World, token: Token, waiting: Waiting
    ) -> None:
        question = token.put_question("pay:transfer")
        with pytest.raises(TimeoutError):
            question.wait(timeout=12)
        assert sum(waiting.pauses) == 12
        decide(world, "approve")
        assert question.wait(timeout=12).scope == {"pay:transfer"}

    def test_an_interrupted_wait_can_be_taken_up_again(
        self, world: World, token: Token, waiting: Waiting
    ) -> None:
        def interrupt() -> None:
            raise KeyboardInterrupt

        question = token.put_question("pay:transfer")
        waiting.at(2, interrupt)
        with pytest.raises(KeyboardInterrupt):
            question.wait()
        decide(world, "approve")
        assert question.wait().scope == {"pay:transfer"}

    def test_an_answer_whose_reply_was_lost_is_given_again(
        self, world: World, token: Token
    ) -> None:
        question = token.put_question("pay:transfer")
        decide(world, "approve")
        found, again = question.poll(), question.poll()
        assert found is not None
        assert again is not None
        assert again.claims["jti"] == found.claims["jti"]

    def test_a_server_that_is_away_for_a_moment_is_asked_again(
        self, world: World, token: Token, waiting: Waiting, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        question = token.put_question("pay:transfer")
        decide(world, "approve")
        metadata = token.agent._connection.metadata
        there = metadata.get_endpoint("token_endpoint")
        addresses = iter(["http://127.0.0.1:1/away", there])
        monkeypatch.setattr(
            type(metadata), "get_endpoint", lambda _, name: next(addresses), raising=True
        )
        assert question.wait().scope == {"pay:transfer"}
        assert waiting.pauses == [5, 10]


class TestFromAnExchange:
    def test_by_itself_it_is_refused_and_nobody_is_asked(self, world: World, token: Token) -> None:
        assert refusal(lambda: token.narrow(PAY, "pay:transfer")) == "interaction_required"
        assert inbox(world) == []

    def test_with_a_message_the_person_is_asked(
        self, world: World, token: Token, waiting: Waiting
    ) -> None:
        waiting.at(1, partial(decide, world, "approve"))
        paying = token.narrow(PAY, "pay:transfer", message=MESSAGE)
        assert (paying.scope, paying.audience) == ({"pay:transfer"}, PAY)

    def test_where_nothing_needs_their_word_nobody_is_asked(
        self, world: World, token: Token, waiting: Waiting
    ) -> None:
        read = token.narrow(CALENDAR, "calendar:read", message=MESSAGE)
        assert read.scope == {"calendar:read"}
        assert (inbox(world), waiting.pauses) == ([], [])

    def test_no_is_no(self, world: World, token: Token, waiting: Waiting) -> None:
        waiting.at(1, partial(decide, world, "deny"))
        asking = partial(token.narrow, PAY, "pay:transfer", message=MESSAGE)
        assert refusal(asking) == "access_denied"


class TestByAHold:
    def test_it_asks_and_goes_on(self, world: World, token: Token, waiting: Waiting) -> None:
        hold = Hold(token)
        waiting.at(1, partial(decide, world, "approve"))
        assert hold.ask("pay:transfer", PAY, message=MESSAGE).scope == {"pay:transfer"}
        assert hold.token().scope == token.scope
        assert refusal(lambda: hold.narrow(PAY, "pay:transfer")) == "interaction_required"

    def test_it_asks_by_a_token_that_is_fresh(
        self, world: World, token: Token, waiting: Waiting
    ) -> None:
        hold = Hold(token)
        world.pass_time(LATER)
        question = hold.put_question("pay:transfer")
        decide(world, "approve")
        assert question.wait().scope == {"pay:transfer"}

    def test_a_helper_asks_for_its_part(self, world: World, token: Token, waiting: Waiting) -> None:
        scout = token.spawn(scope="flights:search calendar:write", purpose="Compare fares")
        given = token.hand_over(scout.client_id, "flights:search")
        waiting.at(1, partial(decide, world, "approve"))
        taken = scout.take(given.value)
        assert taken.ask("calendar:write", CALENDAR).chain() == (scout.client_id, "planner")

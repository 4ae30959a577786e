"""The host's signing keys: published before use, kept while what they signed lives, and
gone at once when they may have leaked.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from joserfc import jws, jwt
from joserfc.errors import InvalidKeyIdError
from joserfc.jwk import KeySet

from cli.running import Inside, Operator
from deputize_idp.keys import (
    KEYS_MAX_AGE,
    NOTICE,
    NoSuchKeyError,
    retire_signing_key,
    rotate_signing_key,
)
from idp.browser import Application, Browser, query_of
from idp.conftest import Idp


def published(idp: Idp) -> list[str]:
    """The `kid`s of the key set, oldest first."""
    answer = httpx.get(f"{idp.url}/oauth/jwks")
    assert answer.headers["cache-control"] == f"max-age={KEYS_MAX_AGE}"
    keys = answer.json()["keys"]
    assert all("d" not in key for key in keys)
    return [key["kid"] for key in keys]


def key_set(idp: Idp) -> KeySet:
    return KeySet.import_key_set(httpx.get(f"{idp.url}/oauth/jwks").json())


def rotate(idp: Idp, notice: int = NOTICE) -> str:
    with idp.app.app_context():
        return rotate_signing_key(notice).kid


def retire(idp: Idp, kid: str) -> str | None:
    with idp.app.app_context():
        made = retire_signing_key(kid)
    return made.kid if made else None


def kid_of(token: str) -> str:
    return str(jws.extract_compact(token.encode()).headers()["kid"])


@pytest.fixture
def sign(idp: Idp, ana: Browser, webapp: Application) -> Iterator[Callable[[], str]]:
    """An ID token of now; afterwards the clock and the keys are as if nothing had been."""
    yield lambda: str(webapp.tokens(ana)["id_token"])
    idp.clock.ahead = 0
    current = rotate(idp, notice=0)
    for kid in set(published(idp)) - {current}:
        retire(idp, kid)


class TestRotation:
    def test_a_new_key_is_published_before_it_signs(
        self, idp: Idp, sign: Callable[[], str]
    ) -> None:
        old = kid_of(sign())
        new = rotate(idp)
        assert published(idp)[-2:] == [old, new]
        idp.clock.ahead += NOTICE - 5
        assert kid_of(sign()) == old
        idp.clock.ahead += 5
        assert kid_of(sign()) == new

    def test_whoever_keeps_the_key_set_as_long_as_it_may_knows_each_key_in_time(self) -> None:
        assert NOTICE > KEYS_MAX_AGE

    def test_the_old_one_is_kept_until_its_last_token_is_over(
        self, idp: Idp, sign: Callable[[], str]
    ) -> None:
        rotate(idp)
        idp.clock.ahead += NOTICE - 5
        last = sign()
        idp.clock.ahead += 3600 - 5  # the token has ten seconds left
        jwt.decode(last, key_set(idp), algorithms=["RS256"])
        idp.clock.ahead += 10
        assert kid_of(last) not in published(idp)

    def test_it_is_possible_to_sign_at_once(self, idp: Idp, sign: Callable[[], str]) -> None:
        waiting, new = rotate(idp), rotate(idp, notice=0)
        assert kid_of(sign()) == new
        idp.clock.ahead += NOTICE + 1
        assert kid_of(sign()) == new
        assert waiting in published(idp)

    def test_two_that_wait_sign_one_after_the_other(
        self, idp: Idp, sign: Callable[[], str]
    ) -> None:
        first = rotate(idp)
        idp.clock.ahead += 300
        second = rotate(idp)
        idp.clock.ahead += 301
        assert kid_of(sign()) == first
        idp.clock.ahead += 300
        assert kid_of(sign()) == second


class TestRetirement:
    """For a key that may have leaked."""

    def test_it_is_gone_and_nothing_it_signed_verifies(
        self, idp: Idp, sign: Callable[[], str]
    ) -> None:
        token = sign()
        made = retire(idp, kid_of(token))
        assert kid_of(token) not in published(idp)
        with pytest.raises(InvalidKeyIdError):
            jwt.decode(token, key_set(idp), algorithms=["RS256"])
        assert kid_of(sign()) == made

    def test_no_token_of_it_is_taken_as_a_hint(
        self, idp: Idp, ana: Browser, webapp: Application, sign: Callable[[], str]
    ) -> None:
        token = sign()
        quiet = webapp.request_parameters(prompt="none", id_token_hint=token)
        assert "code" in query_of(ana.get("/oauth/authorize", params=quiet).headers["location"])
        retire(idp, kid_of(token))
        refused = query_of(ana.get("/oauth/authorize", params=quiet).headers["location"])
        assert refused["error"] == "invalid_request"
        assert ana.get("/end-session", params={"id_token_hint": token}).status_code == 400

    def test_a_key_that_waited_signs_at_once_in_its_place(
        self, idp: Idp, sign: Callable[[], str]
    ) -> None:
        older = kid_of(sign())
        signing, waiting = rotate(idp, notice=0), rotate(idp)
        retire(idp, signing)
        assert kid_of(sign()) == waiting
        assert older in published(idp)

    def test_one_that_only_waited_is_replaced_by_one_that_waits_as_long(
        self, idp: Idp, sign: Callable[[], str]
    ) -> None:
        signing, waiting = kid_of(sign()), rotate(idp)
        made = retire(idp, waiting)
        assert published(idp)[-2:] == [signing, made]
        idp.clock.ahead += NOTICE - 5
        assert kid_of(sign()) == signing
        idp.clock.ahead += 5
        assert kid_of(sign()) == made
        idp.clock.ahead += 3500
        assert signing in published(idp)

    def test_one_that_is_over_does_not_come_back_when_its_successor_goes(
        self, idp: Idp, sign: Callable[[], str]
    ) -> None:
        over = kid_of(sign())
        successor = rotate(idp, notice=0)
        idp.clock.ahead += 3601
        assert over not in published(idp)
        made = retire(idp, successor)
        assert published(idp) == [made]

    def test_it_is_final(self, idp: Idp, sign: Callable[[], str]) -> None:
        kid = kid_of(sign())
        retire(idp, kid)
        with pytest.raises(NoSuchKeyError):
            retire(idp, kid)


class TestCommands:
    """`deputize idp-keys`."""

    @pytest.fixture
    def operator(self, tmp_path: Path) -> Operator:
        return Inside(tmp_path / "data")

    def states(self, operator: Operator) -> dict[str, str]:
        rows = [line.split() for line in operator.done("idp-keys", "list").splitlines()[1:]]
        return {row[0]: row[5] for row in rows}

    def test_a_rotation_with_notice_and_one_without(self, operator: Operator) -> None:
        ((first, _),) = self.states(operator).items()
        second = operator.done("idp-keys", "rotate").split()[0]
        assert self.states(operator) == {first: "signs", second: "waits"}
        third = operator.done("idp-keys", "rotate", "--now").split()[0]
        assert self.states(operator) == {first: "verifies", second: "waits", third: "signs"}

    def test_a_retired_key_is_replaced_and_stays_retired(self, operator: Operator) -> None:
        ((first, _),) = self.states(operator).items()
        told = operator.done("idp-keys", "retire", first).splitlines()
        assert told[0] == f"{first} is retired"
        second = told[1].split()[0]
        assert self.states(operator) == {first: "retired", second: "signs"}
        failed = operator.failed("idp-keys", "retire", first)
        assert failed == f"{first}: there is no such key that is not retired"

    def test_the_plugins_keys_are_others(self, operator: Operator) -> None:
        plugins = operator.done("keys", "list").splitlines()[1].split()[0]
        assert plugins not in self.states(operator)
        assert operator.failed("idp-keys", "retire", plugins).startswith(plugins)

"""An agent that says yes to itself: the id that it polls with was the id that decides.

Whoever holds the request's id, or any token of the person's, could press the button.
"""

import httpx
import pytest

from support.agents_http import outcome
from support.asking import Asking


@pytest.fixture
def asked(asking: Asking) -> str:
    return asking.asked()


def test_the_id_that_it_holds_opens_no_page(asking: Asking, asked: str) -> None:
    page = asking.world.metadata["approvals_page"]
    browser = asking.world.browser(asking.person)
    assert asked not in browser.get(page).text
    with_token = {"Authorization": f"Bearer {asking.hold}"}
    answer = httpx.post(
        f"{page}/{asked}", data={"decision": "approve"}, headers=with_token, trust_env=False
    )
    assert answer.status_code in (303, 404)
    assert asking.cards()[0].status == "pending"
    assert outcome(asking.poll(asked)) == (400, "authorization_pending")


def test_nor_does_the_cards_own_id_with_any_token_of_its(asking: Asking, asked: str) -> None:
    (card,) = asking.cards()
    page = f"{asking.world.metadata['approvals_page']}/{card.id}"
    pressed = {"decision": "approve", "shown": card.content_hash, "scope": "pay:transfer"}
    own = asking.agent.post("token_endpoint", grant_type="client_credentials").json()
    for token in (asking.hold, own["access_token"], asked):
        headers = {"Authorization": f"Bearer {token}"}
        answer = httpx.post(page, data=pressed, headers=headers, trust_env=False)
        assert "/sign-in" in answer.headers["Location"]
    assert asking.cards()[0].status == "pending"

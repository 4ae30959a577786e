"""A binding message with characters that no eye sees, or that turn the line around.

A right-to-left override shows another amount than was sent; a zero-width space tells two
equal messages apart; a new line writes below the agent's words, in the server's place.
"""

import pytest

from support.agents_http import outcome
from support.asking import Asking
from support.world import PAY

BIDI = [chr(c) for c in (*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C)]
ZERO_WIDTH = list("\u200b\u200c\u200d\u2060\ufeff\u00ad\u180e\U000e0041")
LINES = list("\n\r\t\v\f\x1b\x7f\x85\u2028\u2029")
#: No format characters, and yet drawn as nothing: Unicode's Default_Ignorable_Code_Point, and
#: the blank of Braille.
BLANK = list("\u034f\u115f\u1160\u17b4\u17b5\u180b\u2800\u3164\ufe0f\uffa0\U000e0100")


def names(characters: list[str]) -> list[str]:
    return [f"U+{ord(c):04X}" for c in characters]


@pytest.mark.parametrize(
    "what",
    [BIDI, ZERO_WIDTH, LINES, BLANK],
    ids=["bidi", "zero width", "lines", "blank"],
)
def test_is_refused_and_nobody_sees_it(asking: Asking, what: list[str]) -> None:
    let_pass = []
    for character in what:
        message = f"Pay 10{character}0 to Ana"
        answer = asking.ask(binding_message=message)
        if outcome(answer) != (400, "invalid_binding_message"):
            let_pass.append(character)
        stepped = asking.agent.exchange(
            asking.hold, resource=PAY, scope="pay:transfer", binding_message=message
        )
        if outcome(stepped) != (400, "invalid_binding_message"):
            let_pass.append(character)
    assert names(let_pass) == []
    assert asking.cards() == []


def test_what_is_written_from_right_to_left_stays_in_its_own_box(asking: Asking) -> None:
    """Letters of Hebrew or Arabic are good words: isolated, they turn nothing around them."""
    asking.asked(binding_message="\u05e9\u05dc\u05d5\u05dd 1234 (TP)")
    browser = asking.world.browser(asking.person)
    page = browser.get(asking.world.metadata["approvals_page"]).text
    before = page[: page.index("\u05e9\u05dc\u05d5\u05dd")]
    tag = before[before.rindex("<") :]
    assert tag.startswith("<bdi") or 'dir="auto"' in tag


@pytest.mark.parametrize("message", [b"\x00", b"a\x00b", b"\xed\xa0\x80", b"\xff"])
def test_what_is_no_text_is_refused(asking: Asking, message: bytes) -> None:
    answer = asking.ask(binding_message=message)
    assert answer.status_code in (200, 400)
    for card in asking.cards():
        assert card.binding_message.isprintable()

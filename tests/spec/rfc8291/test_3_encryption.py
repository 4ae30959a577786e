"""What a browser is told is encrypted for it alone: the key is agreed anew for each message."""

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from deputize.core.web_push import LONGEST, RECORD, Receiver, encrypt, encrypt_with
from support.push_service import PushBrowser, from_b64

pytestmark = pytest.mark.section("RFC 8291", "3")

# Appendix A.
MESSAGE = b"When I grow up, I want to be a watermelon"
SENDER = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"
RECEIVER = "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"
SALT = from_b64("DGv6ra1nlYgDCS1FRnbzlw")
AUTH = from_b64("BTBZMqHH6r4Tts7J_aSIgg")
BODY = from_b64(
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27ml"
    "mlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPT"
    "pK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
)


def browser(private: str | None = None, auth: bytes = AUTH) -> PushBrowser:
    key = _key(private) if private else ec.generate_private_key(ec.SECP256R1())
    return PushBrowser("https://push.example/x", key, auth)


def _key(private: str) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(from_b64(private), "big"), ec.SECP256R1())


def receiver_of(one: PushBrowser) -> Receiver:
    return Receiver(one.p256dh, one.auth)


def test_the_example_of_appendix_a() -> None:
    theirs = browser(RECEIVER)
    assert encrypt_with(MESSAGE, receiver_of(theirs), _key(SENDER), SALT) == BODY
    assert theirs.read(BODY) == MESSAGE


@given(message=st.binary(max_size=LONGEST), auth=st.binary(min_size=16, max_size=16))
def test_the_browser_reads_what_was_written(message: bytes, auth: bytes) -> None:
    theirs = browser(RECEIVER, auth)
    assert theirs.read(encrypt(message, receiver_of(theirs))) == message


@pytest.mark.parametrize("other", [browser(), browser(RECEIVER, auth=b"another secret  ")])
def test_nobody_else_reads_it(other: PushBrowser) -> None:
    body = encrypt(MESSAGE, receiver_of(browser(RECEIVER)))
    with pytest.raises(InvalidTag):
        other.read(body)


def test_each_message_has_a_key_and_a_salt_of_its_own() -> None:
    bodies = [encrypt(MESSAGE, receiver_of(browser(RECEIVER))) for _ in range(20)]
    assert len({body[:16] for body in bodies}) == 20
    assert len({body[21:86] for body in bodies}) == 20


def test_the_longest_message_is_one_record_and_a_longer_one_is_none() -> None:
    theirs = browser(RECEIVER)
    assert len(encrypt(b"x" * LONGEST, receiver_of(theirs))) == RECORD
    with pytest.raises(ValueError, match="at most"):
        encrypt(b"x" * (LONGEST + 1), receiver_of(theirs))


@pytest.mark.parametrize(
    ("p256dh", "auth"),
    [
        (b"\4" + b"\1" * 64, AUTH),  # not on the curve
        (b"\0", AUTH),  # the point at infinity
        (b"\2" + browser(RECEIVER).p256dh[1:33], AUTH),  # compressed
        (browser(RECEIVER).p256dh, b""),
        (browser(RECEIVER).p256dh, AUTH + b"\0"),
    ],
)
def test_what_are_no_keys_of_a_subscription(p256dh: bytes, auth: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the library has words of its own
        Receiver(p256dh, auth)

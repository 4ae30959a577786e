"""Who sends is told to each push service by a token for it alone."""

import pytest
from joserfc.jwk import ECKey

from deputize.core.vapid import authorization, origin_of, public_key
from support.push_service import Arrived, from_b64

pytestmark = pytest.mark.section("RFC 8292", "2")

ENDPOINT = "https://updates.push.services.mozilla.com/wpush/v2/gAAAA-x_y?z=1"
ORIGIN = "https://updates.push.services.mozilla.com"
KEY = ECKey.generate_key("P-256", private=True)
NOW = 1_790_000_000


def said(endpoint: str = ENDPOINT) -> Arrived:
    header = authorization(endpoint, KEY, "mailto:ops@example.com", NOW)
    return Arrived("", {"Authorization": header}, b"")


def test_the_token_names_the_push_service_a_contact_and_an_end_within_a_day() -> None:
    header, claims, _ = said().token(ORIGIN)
    assert header == {"typ": "JWT", "alg": "ES256"}
    assert claims["sub"] == "mailto:ops@example.com"
    assert set(claims) == {"aud", "exp", "sub"}
    assert NOW < claims["exp"] <= NOW + 86_400


def test_the_key_is_the_one_that_browsers_are_told() -> None:
    _, _, told = said().token(ORIGIN)
    assert told == public_key(KEY)
    point = from_b64(told)
    assert (len(point), point[0]) == (65, 4)


@pytest.mark.parametrize(
    ("endpoint", "origin"),
    [
        (ENDPOINT, ORIGIN),
        ("https://push.example:8443/x", "https://push.example:8443"),
        ("http://127.0.0.1:4711/push/x", "http://127.0.0.1:4711"),
    ],
)
def test_the_audience_is_the_origin_of_the_endpoint(endpoint: str, origin: str) -> None:
    assert origin_of(endpoint) == origin

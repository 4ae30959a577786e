"""What a JWT says of itself is looked at before the server is asked (RFC 9068 §4, RFC 8725)."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from joserfc import jws
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from deputize.resource import Introspector, UntilExpiry
from support.world import CALENDAR

NOW = 1_764_000_000
WELL_KNOWN = "/.well-known/oauth-authorization-server"


def forged(issuer: Any) -> str:
    return issuer.sign(key=ECKey.generate_key("P-256"))


def by_the_public_key(issuer: Any) -> str:
    public = json.dumps(issuer.public()[0])
    return issuer.sign({"alg": "HS256"}, OctKey.import_key(public))


def unsigned(issuer: Any) -> str:
    payload = issuer.sign().split(".")[1]
    header = b'{"alg": "none", "typ": "at+jwt", "kid": "k1"}'
    return f"{base64.urlsafe_b64encode(header).rstrip(b'=').decode()}.{payload}."


def with_crit(issuer: Any) -> str:
    key = issuer.keys["k1"]
    header = {"alg": "ES256", "typ": "at+jwt", "kid": "k1", "crit": ["b64"], "b64": True}
    return jws.serialize_compact(header, json.dumps(issuer.claims()), key, ["ES256"])


def changed(issuer: Any) -> str:
    header, _, signature = issuer.sign().split(".")
    return f"{header}.{issuer.sign(sub='ben').split('.')[1]}.{signature}"


GARBAGE: dict[str, Callable[[Any], str]] = {
    "no JWT at all": lambda _: "a.b.c",
    "dots": lambda _: "....",
    "nested beyond reason": lambda _: "W1tb" * 3000 + ".e30.c2ln",
    "another signer": forged,
    "HMAC with the public key": by_the_public_key,
    "no signature": unsigned,
    "changed afterwards": changed,
    "an extension that must be understood": with_crit,
    "an ID token": lambda issuer: issuer.sign({"typ": "JWT"}),
    "a logout token": lambda issuer: issuer.sign({"typ": "logout+jwt"}),
    "the long form of typ": lambda issuer: issuer.sign({"typ": "application/at+jwt"}),
    "no typ": lambda issuer: issuer.sign({"typ": None}),
    "no kid": lambda issuer: issuer.sign({"kid": None}),
    "an unknown kid": lambda issuer: issuer.sign({"kid": "k9"}),
    "another issuer's": lambda issuer: issuer.sign(iss="https://other.example"),
    "for another API": lambda issuer: issuer.sign(aud="https://flights.example"),
    "for nobody": lambda issuer: issuer.sign(aud=None),
    "expired": lambda issuer: issuer.sign(exp=NOW - 11),
    "without an end": lambda issuer: issuer.sign(exp=None),
    "with an end in words": lambda issuer: issuer.sign(exp="tomorrow"),
    "with an end that is true": lambda issuer: issuer.sign(exp=True),
    "not good yet": lambda issuer: issuer.sign(nbf=NOW + 11),
    "bound to a key": lambda issuer: issuer.sign(cnf={"jkt": "x"}),
    "without a scope": lambda issuer: issuer.sign(scope=None),
    "with a broken chain": lambda issuer: issuer.sign(act={"sub": "planner"}),
}


class TestGarbage:
    @pytest.mark.parametrize("make", GARBAGE.values(), ids=GARBAGE.keys())
    def test_is_refused_without_asking(
        self, issuer: Any, counted: Introspector, make: Callable[[Any], str]
    ) -> None:
        assert counted.check(make(issuer), CALENDAR) is None
        assert issuer.asked["/introspect"] == 0

    @pytest.mark.parametrize("make", GARBAGE.values(), ids=GARBAGE.keys())
    def test_is_refused_offline(
        self, issuer: Any, offline: UntilExpiry, make: Callable[[Any], str]
    ) -> None:
        assert offline.check(make(issuer), CALENDAR) is None

    def test_is_what_it_differs_from_good_tokens_in(
        self, issuer: Any, counted: Introspector, offline: UntilExpiry
    ) -> None:
        for checker in (counted, offline):
            for token in (issuer.sign(), issuer.sign(aud=["https://a.example", CALENDAR])):
                assert str(checker.check(token, CALENDAR)) == "planner acts for ana"
        assert issuer.asked["/introspect"] == 2


class TestAnExpiredToken:
    def test_is_accepted_within_the_leeway_and_no_longer(self, issuer: Any) -> None:
        verifier = UntilExpiry(issuer.url, leeway=30, clock=lambda: issuer.now)
        token = issuer.sign()
        for late, is_in in ((299, True), (329, True), (330, False)):
            issuer.now = NOW + late
            assert (verifier.check(token, CALENDAR) is not None) is is_in
        verifier.close()


class TestAnOpaqueToken:
    def test_is_asked_about(self, issuer: Any, counted: Introspector) -> None:
        assert counted.check("an-opaque-one", CALENDAR) is not None
        assert issuer.asked == {WELL_KNOWN: 1, "/introspect": 1}

    def test_is_refused_offline_without_asking_anything(
        self, issuer: Any, offline: UntilExpiry
    ) -> None:
        assert offline.check("an-opaque-one", CALENDAR) is None
        assert not issuer.asked


class TestAlgorithms:
    @pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
    @pytest.mark.parametrize(
        ("algorithm", "key"),
        [
            ("EdDSA", OKPKey.generate_key("Ed25519")),
            ("Ed25519", OKPKey.generate_key("Ed25519")),
            ("RS256", RSAKey.generate_key(2048)),
            ("PS256", RSAKey.generate_key(2048)),
        ],
        ids=["EdDSA", "Ed25519", "RS256", "PS256"],
    )
    def test_are_those_that_are_allowed(self, issuer: Any, algorithm: str, key: Any) -> None:
        issuer.keys["k2"] = key
        token = issuer.sign({"alg": algorithm, "kid": "k2"}, key)
        for allowed, is_in in ((["ES256"], False), (["ES256", algorithm], True)):
            verifier = UntilExpiry(issuer.url, algorithms=allowed, clock=lambda: issuer.now)
            assert (verifier.check(token, CALENDAR) is not None) is is_in
            verifier.close()

    def test_are_the_keys_own_where_it_names_one(self, issuer: Any) -> None:
        key = RSAKey.generate_key(2048, {"alg": "PS256"})
        issuer.keys["k2"] = key
        both = UntilExpiry(issuer.url, algorithms=["RS256", "PS256"], clock=lambda: issuer.now)
        unnamed = RSAKey.import_key(
            {k: v for k, v in key.as_dict(private=True).items() if k != "alg"}
        )
        for algorithm, is_in in (("RS256", False), ("PS256", True)):
            token = issuer.sign({"alg": algorithm, "kid": "k2"}, unnamed)
            assert (both.check(token, CALENDAR) is not None) is is_in
        both.close()

    @pytest.mark.parametrize("names", [["HS256"], ["none"], ["ES256", "HS256"], []])
    def test_that_prove_nothing_are_no_choice(self, names: list[str]) -> None:
        with pytest.raises(ValueError, match="algorithms are of ES256"):
            UntilExpiry("https://id.example", algorithms=names)

    def test_of_a_key_for_encryption_are_none(self, issuer: Any, offline: UntilExpiry) -> None:
        issuer.uses["k1"] = "enc"
        assert offline.check(issuer.sign(), CALENDAR) is None

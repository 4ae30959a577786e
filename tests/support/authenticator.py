"""An authenticator in software (Web Authentication Level 3 §6), and a person who uses it.

It signs whatever it is asked, for whatever origin and domain it is told: what a browser would
never let happen is what the server must refuse.
"""

import base64
import hashlib
import json
import re
import secrets
from dataclasses import dataclass, field
from html import unescape
from typing import Any

import cbor2
import httpx
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from support.agents_http import unix_time
from support.world import World

PASSKEYS = "/deputize/passkeys"
_PRESENT, _VERIFIED, _ATTESTED = 0x01, 0x04, 0x40


@dataclass
class Authenticator:
    """One key pair, and what its owner can be made to claim.

    :param is_verified: whether it looked at the person, and not only for one
    """

    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    counted: int = 0
    is_verified: bool = True
    origin: str | None = None
    rp_id: str | None = None
    is_framed: bool = False

    @property
    def cose_key(self) -> bytes:
        """The public half (RFC 9053 §7.1.1)."""
        point = self.key.public_key().public_numbers()
        x, y = point.x.to_bytes(32, "big"), point.y.to_bytes(32, "big")
        return cbor2.dumps({1: 2, 3: -7, -1: 1, -2: x, -3: y})

    def create(self, options: dict[str, Any], origin: str) -> str:
        """Answer `navigator.credentials.create`."""
        named = len(self.credential_id).to_bytes(2, "big") + self.credential_id
        data = self._data(options["rp"]["id"], _ATTESTED) + bytes(16) + named + self.cose_key
        attested = {"fmt": "none", "attStmt": {}, "authData": data}
        said = self._client_data("webauthn.create", options, origin)
        return self._credential(clientDataJSON=said, attestationObject=cbor2.dumps(attested))

    def get(self, options: dict[str, Any], origin: str) -> str:
        """Answer `navigator.credentials.get`."""
        self.counted += 1
        data = self._data(options["rpId"])
        said = self._client_data("webauthn.get", options, origin)
        signed = self.key.sign(data + hashlib.sha256(said).digest(), ec.ECDSA(hashes.SHA256()))
        return self._credential(clientDataJSON=said, authenticatorData=data, signature=signed)

    def _data(self, rp_id: str, flags: int = 0) -> bytes:
        flags |= _PRESENT | (_VERIFIED if self.is_verified else 0)
        domain = hashlib.sha256((self.rp_id or rp_id).encode()).digest()
        return domain + bytes([flags]) + self.counted.to_bytes(4, "big")

    def _client_data(self, kind: str, options: dict[str, Any], origin: str) -> bytes:
        said = {
            "type": kind,
            "challenge": options["challenge"],
            "origin": self.origin or origin,
            "crossOrigin": self.is_framed,
        }
        return json.dumps(said).encode()

    def _credential(self, **response: bytes) -> str:
        name = _base64url(self.credential_id)
        told = {member: _base64url(value) for member, value in response.items()}
        return json.dumps({"id": name, "rawId": name, "type": "public-key", "response": told})


@dataclass
class Form:
    """The form of a page that a passkey signs, as a browser would post it."""

    action: str
    options: dict[str, Any]
    fields: list[tuple[str, str]]

    def data(self, credential: str, **changed: str) -> dict[str, Any]:
        """Return what is posted; `changed` are members that somebody wrote into it."""
        data: dict[str, Any] = {}
        for name, value in self.fields:
            data.setdefault(name, []).append(value)
        return data | {"credential": credential} | changed


def read_signing_form(html: str) -> Form:
    """Return the form that waits for a passkey."""
    form = re.search(r"<form[^>]*data-passkey[^>]*>.*?</form>", html, re.S)
    assert form is not None, html
    action, options = (re.search(rf'{a}="([^"]*)"', form[0]) for a in ("action", "data-options"))
    assert action is not None
    assert options is not None
    inputs = (
        [re.search(rf'{a}="([^"]*)"', tag) for a in ("name", "value")]
        for tag in re.findall(r"<input[^>]*>", form[0])
    )
    fields = [(n[1], unescape(v[1]) if v else "") for n, v in inputs if n]
    return Form(unescape(action[1]), json.loads(unescape(options[1])), fields)


def fresh_browser(world: World, person: str) -> httpx.Client:
    """Return a browser in which the person has signed in just now."""
    browser = world.browser(None)
    browser.get("/sign-in", params={"person": person, "at": unix_time()}).raise_for_status()
    return browser


def enrol(
    world: World,
    person: str,
    *,
    shown: Authenticator | None = None,
    browser: httpx.Client | None = None,
    **claims: Any,
) -> tuple[Authenticator, httpx.Response]:
    """Let the person add a passkey on the real pages; return it, and the last answer.

    :param shown: what they have already
    :param claims: what the new one claims
    """
    browser = browser or fresh_browser(world, person)
    page = browser.get(f"{PASSKEYS}/new")
    assert page.status_code == 200, page.text
    form = read_signing_form(page.text)
    if shown is not None:
        page = browser.post(form.action, data=form.data(shown.get(form.options, world.url)))
        assert page.status_code == 200, page.text
        form = read_signing_form(page.text)
    made = Authenticator(**claims)
    data = form.data(made.create(form.options, world.url), name="My phone")
    return made, browser.post(form.action, data=data)


def enrolled(world: World, person: str, **claims: Any) -> Authenticator:
    """Return a passkey of the person's that counts by now."""
    made, answer = enrol(world, person, **claims)
    assert answer.status_code == 303, answer.text
    world.pass_time(world.context.settings.approvals.passkey_delay)
    return made


def _base64url(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()

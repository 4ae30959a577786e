"""This server as authenticators know it (Web Authentication Level 3 §7): what it asks of
them, and how it verifies what they answer.

Its id and origin are those of the issuer, and never those of a request's `Host` header. The
person is always verified, by their device, and not only present; attestation is not asked for.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import (
    base64url_to_bytes,
    bytes_to_base64url,
    parse_authentication_credential_json,
)
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.structs import (
    AuthenticationCredential,
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from ..core.refusal import Refusal
from ..core.secrets import new_id
from ..settings import Settings
from .challenge import LIFETIME, Challenge
from .models import Passkey

#: Characters of what a browser answers.
_LONGEST = 20_000

#: Bytes of a credential's id. §5.1, step 14 of `create`, and §7.1, step 25.
_LONGEST_ID = 1023

_ALGORITHMS = [
    COSEAlgorithmIdentifier.EDDSA,
    COSEAlgorithmIdentifier.ECDSA_SHA_256,
    COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_256,
]


@dataclass(frozen=True, slots=True)
class Created:
    """A key pair that an authenticator has made: the public half."""

    credential_id: str
    public_key: bytes
    sign_count: int


@dataclass(frozen=True, slots=True)
class Assertion:
    """A signature by a passkey about a challenge, verified. Not used up yet.

    :param id: of the evidence, where it is kept
    """

    challenge: Challenge
    passkey: Passkey
    client_data: bytes
    authenticator_data: bytes
    signature: bytes
    sign_count: int
    id: str = field(default_factory=new_id)


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """Who asks.

    :param id: a domain: the issuer's host, or one above it
    :param origin: where the pages are: the issuer itself
    """

    id: str
    origin: str
    name: str

    def creation_options(self, asked: Challenge, person: str, known: Sequence[Passkey]) -> str:
        """Return what `navigator.credentials.create` is given, as JSON. §5.4.

        :param person: what the person is called
        :param known: what they have: no authenticator makes a second one
        """
        options = generate_registration_options(
            rp_id=self.id,
            rp_name=self.name,
            user_id=asked.person_id.encode(),
            user_name=person or self.name,
            challenge=asked.value,
            timeout=LIFETIME * 1000,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.PREFERRED,
                user_verification=UserVerificationRequirement.REQUIRED,
            ),
            exclude_credentials=_named(known),
            supported_pub_key_algs=_ALGORITHMS,
        )
        return options_to_json(options)

    def request_options(self, asked: Challenge, allowed: Sequence[Passkey]) -> str:
        """Return what `navigator.credentials.get` is given, as JSON. §5.5."""
        options = generate_authentication_options(
            rp_id=self.id,
            challenge=asked.value,
            timeout=LIFETIME * 1000,
            allow_credentials=_named(allowed),
            user_verification=UserVerificationRequirement.REQUIRED,
        )
        return options_to_json(options)

    def verify_creation(self, said: str, asked: Challenge) -> Created:
        """Verify a new credential. §7.1.

        :param said: the credential as JSON, as the browser gave it
        :raises Refusal: `passkey.not_good`
        """
        with _refusing():
            made = verify_registration_response(
                credential=_read(said),
                expected_challenge=asked.value,
                expected_rp_id=self.id,
                expected_origin=self.origin,
                require_user_verification=True,
                supported_pub_key_algs=_ALGORITHMS,
            )
            if len(made.credential_id) > _LONGEST_ID:
                raise ValueError("the credential's id is too long")
            name = bytes_to_base64url(made.credential_id)
            return Created(name, made.credential_public_key, made.sign_count)

    def verify_assertion(
        self, said: str, asked: Challenge, allowed: Sequence[Passkey]
    ) -> Assertion:
        """Verify a signature about `asked`, by one of `allowed`. §7.2.

        :param said: the credential as JSON, as the browser gave it
        :raises Refusal: `passkey.not_good`, `passkey.unknown`, `passkey.counter`
        """
        with _refusing():
            credential = parse_authentication_credential_json(_read(said))
        passkey = next((one for one in allowed if one.credential_id == credential.id), None)
        if passkey is None:
            raise Refusal("passkey.unknown", "That passkey is not one that counts.")
        told, counted = credential.response, self._count_of(credential, asked, passkey)
        if told.user_handle not in (None, b"", asked.person_id.encode()):
            raise Refusal("passkey.unknown", "That passkey is somebody else's.")
        if not is_ahead(counted, passkey.sign_count):
            detail = f"{passkey.id}: {counted} after {passkey.sign_count}"
            raise Refusal("passkey.counter", "That passkey has been copied.", detail=detail)
        return Assertion(
            asked,
            passkey,
            told.client_data_json,
            told.authenticator_data,
            told.signature,
            counted,
        )

    def _count_of(
        self, credential: AuthenticationCredential, asked: Challenge, passkey: Passkey
    ) -> int:
        """Verify the signature; return what the authenticator has counted."""
        with _refusing():
            verified = verify_authentication_response(
                credential=credential,
                expected_challenge=asked.value,
                expected_rp_id=self.id,
                expected_origin=self.origin,
                credential_public_key=passkey.public_key,
                # Looked at by the caller, once the signature is known to be good: whoever has
                # no key must not make it look as if this one had been copied.
                credential_current_sign_count=0,
                require_user_verification=True,
            )
        return verified.new_sign_count


def relying_party(settings: Settings) -> RelyingParty:
    """Return this server as its settings say."""
    host = urlsplit(settings.issuer).hostname or ""
    named = settings.approvals.passkey_rp_id
    return RelyingParty(named or host, settings.issuer, settings.web.organisation or host)


def is_ahead(counted: int, before: int) -> bool:
    """Tell whether a counter goes on; one that stays at 0 is none. §7.2, step 22."""
    return counted > before or counted == before == 0


def _named(passkeys: Sequence[Passkey]) -> list[PublicKeyCredentialDescriptor]:
    ids = (base64url_to_bytes(one.credential_id) for one in passkeys)
    return [PublicKeyCredentialDescriptor(id=credential_id) for credential_id in ids]


def _read(said: str) -> dict[str, object]:
    if len(said) > _LONGEST:
        raise ValueError("too long")
    read = json.loads(said)
    if not isinstance(read, dict):
        raise TypeError("not an object")
    _refuse_frames(read)
    return read


def _refuse_frames(read: dict[str, object]) -> None:
    """Refuse what was signed inside another origin's page. §7.2, step 14: ours are in none."""
    response = read["response"]
    if not isinstance(response, dict):
        raise TypeError("not an object")
    if json.loads(base64url_to_bytes(response["clientDataJSON"])).get("crossOrigin"):
        raise ValueError("signed in a frame")


@contextmanager
def _refusing() -> Iterator[None]:
    """Refuse whatever the library says no to, or stumbles over: nothing of it is to be believed."""
    try:
        yield
    except Exception as error:  # noqa: BLE001
        # It may quote what was sent: as ASCII, whatever that was can be stored.
        why = ascii(str(error))[:200]
        raise Refusal("passkey.not_good", "That is not good.", detail=why) from None

"""Encrypting what one browser is to be told, so that the push service can't read it.

:rfc:`8291`: a key agreed between the browser's key and one made for this message alone, and the
secret that only the browser and we know. The body is one record of `aes128gcm` (:rfc:`8188`).
"""

import os
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDH,
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

#: Bytes of the authentication secret (:rfc:`8291#section-3.2`), of a point that is not
#: compressed, and of the salt (:rfc:`8188#section-2.1`).
AUTH_LENGTH, POINT_LENGTH, SALT_LENGTH = 16, 65, 16

#: Bytes of a record: a push service takes 4096 (:rfc:`8030#section-7.2`).
RECORD = 4096

#: Bytes of a message, so that one record holds it with its header, delimiter and tag.
LONGEST = RECORD - SALT_LENGTH - 4 - 1 - POINT_LENGTH - 1 - 16

#: :rfc:`8188#section-2`: what ends the last record.
_LAST = b"\x02"


@dataclass(frozen=True, slots=True)
class Receiver:
    """The keys of one subscription (:rfc:`8291#section-3.1`).

    :param p256dh: the browser's public key, as a point that is not compressed
    :param auth: its authentication secret
    :raises ValueError: for what is no such point, and no such secret
    """

    p256dh: bytes
    auth: bytes

    def __post_init__(self) -> None:
        if len(self.p256dh) != POINT_LENGTH or len(self.auth) != AUTH_LENGTH:
            raise ValueError("the keys of a subscription have 65 and 16 bytes")
        _point(self.p256dh)


def encrypt(message: bytes, receiver: Receiver) -> bytes:
    """Return the body of a push message that only `receiver` can read.

    :raises ValueError: for a message that is longer than `LONGEST` bytes
    """
    # "The application server MUST use a fresh ECDH key pair for each message" (§3.1), and by it
    # the content encryption key is another each time, as RFC 8188 §4.3 asks for.
    return encrypt_with(message, receiver, generate_private_key(SECP256R1()), os.urandom(16))


def encrypt_with(
    message: bytes, receiver: Receiver, private_key: EllipticCurvePrivateKey, salt: bytes
) -> bytes:
    """Do what `encrypt` does, by a key pair and a salt that are never used again."""
    if len(message) > LONGEST:
        raise ValueError(f"a push message has at most {LONGEST} bytes")
    sender = uncompressed(private_key.public_key())
    agreed = private_key.exchange(ECDH(), _point(receiver.p256dh))
    # RFC 8291 §3.3, then RFC 8188 §2.2 and §2.3.
    info = b"WebPush: info\x00" + receiver.p256dh + sender
    keying = _derive(receiver.auth, agreed, info, 32)
    key = _derive(salt, keying, b"Content-Encoding: aes128gcm\x00", 16)
    nonce = _derive(salt, keying, b"Content-Encoding: nonce\x00", 12)
    # RFC 8291 §4: "the application server MUST include its public key in the header", as `keyid`.
    header = salt + RECORD.to_bytes(4, "big") + len(sender).to_bytes(1, "big") + sender
    return header + AESGCM(key).encrypt(nonce, message + _LAST, None)


def uncompressed(key: EllipticCurvePublicKey) -> bytes:
    """Return the point as browsers name it: `0x04`, x, y."""
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _point(encoded: bytes) -> EllipticCurvePublicKey:
    return EllipticCurvePublicKey.from_encoded_point(SECP256R1(), encoded)


def _derive(salt: bytes, secret: bytes, info: bytes, length: int) -> bytes:
    return HKDF(algorithm=SHA256(), length=length, salt=salt, info=info).derive(secret)

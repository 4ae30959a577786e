"""Keys that an agent keeps at its own URL (`jwks_uri`, RFC 7591 §2), for declared agents.

Fetched when they are first needed, kept for a few minutes, and fetched again at most
twice a minute when an assertion does not verify: so a rotated key is found, and a
stranger's rubbish makes nobody fetch. What cannot be fetched verifies nothing.
"""

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from joserfc.jwk import KeySet

from ..core.guarded_http import FetchError
from ..core.refusal import Refusal
from .jwks import read_jwks

KEPT_SECONDS = 300
AGAIN_SECONDS = 30
MAX_KEPT = 1000


@dataclass
class _Kept:
    """One URL's keys; None while they could not be had."""

    keys: KeySet | None = None
    fetched_at: float = float("-inf")
    lock: threading.Lock = field(default_factory=threading.Lock)


class RemoteKeys:
    """The keys of all URLs, in this worker's memory.

    :param fetch: returns the body of a URL, or raises FetchError
    """

    def __init__(self, fetch: Callable[[str], bytes]) -> None:
        self._fetch = fetch
        self._kept: dict[str, _Kept] = {}
        self._lock = threading.Lock()

    def get(self, uri: str, *, again: bool = False) -> KeySet | None:
        """Return the keys at `uri`, None where they cannot be had.

        :param again: what is kept did not verify: fetch anew, if the last time is long ago
        """
        kept = self._entry(uri)
        with kept.lock:
            age = time.monotonic() - kept.fetched_at
            if age > (AGAIN_SECONDS if again or kept.keys is None else KEPT_SECONDS):
                kept.keys = self._read(uri)
                kept.fetched_at = time.monotonic()
            return kept.keys

    def _entry(self, uri: str) -> _Kept:
        with self._lock:
            if len(self._kept) >= MAX_KEPT:
                self._kept.clear()
            return self._kept.setdefault(uri, _Kept())

    def _read(self, uri: str) -> KeySet | None:
        try:
            return KeySet.import_key_set(json.loads(read_jwks(json.loads(self._fetch(uri)))))
        except (FetchError, Refusal, ValueError, RecursionError):
            return None

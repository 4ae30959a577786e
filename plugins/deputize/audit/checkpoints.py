"""Compares the trail with checkpoints that lay elsewhere.

Whoever holds the database, even with its key, cannot change what has left the machine: a trail
that was rolled back lacks a seal that a checkpoint names, one that was rewritten has another.
"""

import json
from collections import defaultdict
from collections.abc import Sequence

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from .findings import Found, Verdict
from .statement import NotAStatement, Statement, read


class Checkpoints:
    """Those that one examination has to compare.

    :param signed: statements; None for what should have been one
    """

    def __init__(
        self, signed: Sequence[str | None], keys: dict[str, ECKey], verdict: Verdict
    ) -> None:
        self._keys = keys
        self._verdict = verdict
        self._by_number: dict[int, set[str]] = defaultdict(set)
        for each in signed:
            number = _number(each)
            if each is None or number is None:
                verdict.add(Found.CHECKPOINT, "what was given is no checkpoint")
            else:
                self._by_number[number].add(each)

    def compare(self, number: int, stored: str, statement: Statement | None) -> None:
        """Compare the seal of that number: `stored`, which says `statement`."""
        for signed in self._by_number.pop(number, ()):
            self._verdict.checkpoints += 1
            if signed != stored and self._is_signed(signed, number) != statement:
                text = "the trail was rewritten: the seal is not what this checkpoint says"
                self._verdict.add(Found.CHECKPOINT, text, seal=number)

    def finish(self, newest: int) -> None:
        """Tell of checkpoints for seals that the trail does not have."""
        for number, all_signed in sorted(self._by_number.items()):
            for signed in all_signed:
                self._verdict.checkpoints += 1
                self._is_signed(signed, number)
                text = f"the trail was cut or rolled back: it ends with seal {newest}"
                self._verdict.add(Found.CHECKPOINT, text, seal=number)

    def _is_signed(self, signed: str, number: int) -> Statement | None:
        try:
            return read(signed, self._keys)[0]
        except NotAStatement as error:
            self._verdict.add(Found.CHECKPOINT, f"the checkpoint {error}", seal=number)
            return None


def _number(signed: str | None) -> int | None:
    """Return the seal that a checkpoint names, unverified."""
    try:
        claims = json.loads(jws.extract_compact((signed or "").encode()).payload)
        return int(claims["seal"])
    except (JoseError, ValueError, TypeError, KeyError, RecursionError, OverflowError):
        return None

"""An API that wants the person's word says so (RFC 9470); this reads it.

The API names the scope, and how the person should have signed in. Whether the scope is one of
that API's is the server's to judge, and the person's to see.
"""

import re
from dataclasses import dataclass

import httpx

from .details import Details
from .presenting import can_be_sent_again

# RFC 6749 §3.3: scope-token, separated by single spaces.
_WORDS = re.compile(r"[\x21\x23-\x5B\x5D-\x7E]+(?: [\x21\x23-\x5B\x5D-\x7E]+)*")

# RFC 9110 §11.2: auth-param; those of another scheme's challenge are not among them.
_PARAM = r'([\w-]+)\s*=\s*(?:"([^"]*)"|([^\s",]+))'
_BEARER = re.compile(rf"\bBearer\s+({_PARAM}(?:\s*,\s*{_PARAM})*)", re.IGNORECASE)

#: The status that goes with each error, RFC 9470 §3 and RFC 6750 §3.1.
_ERRORS = {"insufficient_user_authentication": 401, "insufficient_scope": 403}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an API wants the person to be asked for.

    :param acr_values: how they should sign in, the preferred way first; `max_age` is left to
        the server, as CIBA Core §7.1 has no parameter for it
    """

    scope: str
    acr_values: str | None


@dataclass(frozen=True, slots=True)
class StepUp:
    """What is done about such an answer at one API.

    :param scope: asked for where the answer names none
    :param ask: the agent's words to the person; None to ask nobody
    :param details: asked for with the scope: an API's challenge names none
    """

    scope: str | None
    ask: str | None
    details: Details

    @property
    def message(self) -> str:
        return self.ask or ""

    def find_wanted(self, request: httpx.Request, answer: httpx.Response) -> Wanted | None:
        """Return what the person is to be asked for, so that `request` can be sent once more."""
        if self.ask is None or not can_be_sent_again(request):
            return None
        told = _bearer_challenge(answer)
        if _ERRORS.get(told.get("error", "")) != answer.status_code:
            return None
        scope = told.get("scope") or self.scope or ""
        if not _WORDS.fullmatch(scope):
            return None
        acr_values = told.get("acr_values", "")
        return Wanted(scope, acr_values if _WORDS.fullmatch(acr_values) else None)


def _bearer_challenge(answer: httpx.Response) -> dict[str, str]:
    said = ", ".join(answer.headers.get_list("WWW-Authenticate"))
    found = _BEARER.search(said)
    pairs = re.findall(_PARAM, found[1]) if found else []
    return {name.lower(): quoted or bare for name, quoted, bare in pairs}

"""An API that wants the person's word says so (RFC 9470); this reads it.

The API names the scope. Whether it is one of that API's is the server's to judge, and the
person's to see.
"""

import re
from dataclasses import dataclass

import httpx

from .presenting import can_be_sent_again

# RFC 6749 §3.3: scope-token, separated by single spaces.
_SCOPE = re.compile(r"[\x21\x23-\x5B\x5D-\x7E]+(?: [\x21\x23-\x5B\x5D-\x7E]+)*")

# RFC 9110 §11.2: auth-param; those of another scheme's challenge are not among them.
_PARAM = r'([\w-]+)\s*=\s*(?:"([^"]*)"|([^\s",]+))'
_BEARER = re.compile(rf"\bBearer\s+({_PARAM}(?:\s*,\s*{_PARAM})*)", re.IGNORECASE)

#: The status that goes with each error, RFC 9470 §3 and RFC 6750 §3.1.
_ERRORS = {"insufficient_user_authentication": 401, "insufficient_scope": 403}


@dataclass(frozen=True, slots=True)
class StepUp:
    """What is done about such an answer at one API.

    :param scope: asked for where the answer names none
    :param ask: the agent's words to the person; None to ask nobody
    """

    scope: str | None
    ask: str | None

    @property
    def message(self) -> str:
        return self.ask or ""

    def find_scope(self, request: httpx.Request, answer: httpx.Response) -> str | None:
        """Return what the person is to be asked for, so that `request` can be sent once more."""
        if self.ask is None or not can_be_sent_again(request):
            return None
        told = _bearer_challenge(answer)
        if _ERRORS.get(told.get("error", "")) != answer.status_code:
            return None
        scope = told.get("scope") or self.scope or ""
        return scope if _SCOPE.fullmatch(scope) else None


def _bearer_challenge(answer: httpx.Response) -> dict[str, str]:
    said = ", ".join(answer.headers.get_list("WWW-Authenticate"))
    found = _BEARER.search(said)
    pairs = re.findall(_PARAM, found[1]) if found else []
    return {name.lower(): quoted or bare for name, quoted, bare in pairs}

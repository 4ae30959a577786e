"""Must the person sign in again before being asked? (OpenID Connect Core §3.1.2.1)

Whoever is sent to the host's sign-in page comes back with a mark: when they were sent,
signed by the app, because `prompt=login` asks for a sign-in after that. One who comes back
no fresher than before is not sent again.
"""

import hashlib
from collections.abc import Mapping

from flask import current_app, request
from itsdangerous import BadSignature, URLSafeSerializer

from .authorize import AuthorizationRequest
from .context import Context

#: The parameter that comes back with the person.
MARK = "deputize_sent_at"
_MARK_LASTS = 900  # seconds: to sign in, and to read the page
_ANEW = frozenset({"login", "select_account"})


def must_sign_in(
    context: Context, asked: AuthorizationRequest, now: int, sent_at: int | None
) -> bool:
    """Tell whether somebody who is signed in has to sign in again for this request.

    :param sent_at: when they were sent to sign in for it; None where they were not
    """
    authentication = context.host.authentication()
    auth_time = authentication.auth_time if authentication else None
    # A host that does not tell when has shown its page, and that is all that can be known.
    is_back = sent_at is not None and (auth_time is None or auth_time >= sent_at)
    anew = not asked.prompt.isdisjoint(_ANEW) and not is_back
    if asked.max_age is None:
        return anew
    return anew or auth_time is None or (now - auth_time > asked.max_age and not is_back)


def sign_in_url(context: Context, path: str) -> str:
    """Return where the host signs somebody in who then comes back to a page of ours.

    :param path: of that page, below where the app is mounted
    """
    return context.host.sign_in_url(request.root_path + path)


def with_mark(url: str, now: int) -> str:
    """Return where to come back to, with the mark of having been sent at `now` (seconds)."""
    return f"{url}&{MARK}={_signer().dumps([_digest(url), now])}"


def find_mark(parameters: Mapping[str, list[str]], url: str, now: int) -> int | None:
    """Return when the person was sent to sign in, by a recent mark for exactly this `url`."""
    try:
        of_url, sent_at = _signer().loads(parameters.get(MARK, [""])[0])
    except (BadSignature, ValueError, TypeError):
        return None
    is_good = of_url == _digest(url) and now - sent_at <= _MARK_LASTS
    return int(sent_at) if is_good else None


def _digest(url: str) -> str:
    return hashlib.sha256(url.encode()).hexdigest()


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(current_app.secret_key or "", salt="deputize sign-in")

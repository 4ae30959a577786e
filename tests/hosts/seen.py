"""What a client can tell of two servers' answers, so that they can be compared: all but what is
random, or said by the server under the app.
"""

import re
from typing import Any

import httpx

#: Said anew each time, or by the server under the app.
DIFFERING = {"date", "content-length", "set-cookie", "server", "location", "allow"}
#: Members of an answer whose values are random or are the time.
RANDOM = {
    "access_token", "refresh_token", "id_token", "iat", "exp", "client_id_issued_at", "sub", "iss",
    "updated_at",
}  # fmt: skip


def allowed(answer: httpx.Response) -> set[str]:
    """The methods of `Allow`, in whatever order."""
    return set(answer.headers.get("allow", "").split(", "))


def seen(answer: httpx.Response, url: str) -> dict[str, Any]:
    """What a client can tell of an answer of the server at `url`, but for what is random."""
    headers = {k: v for k, v in answer.headers.items() if k not in DIFFERING}
    return {
        "status": answer.status_code,
        "headers": headers,
        "allow": allowed(answer),
        "location": without_values(answer.headers.get("location")),
        "cookies": sorted(answer.cookies),
        "body": body(answer, url),
    }


def without_values(location: str | None) -> Any:
    if location is None:
        return None
    url = httpx.URL(location)
    return url.path, sorted(url.params)


def body(answer: httpx.Response, url: str) -> Any:
    if not answer.headers.get("content-type", "").startswith("application/json"):
        # CSRF tokens, ids in hidden fields and PKCE challenges in links differ each time.
        return re.sub(r"[A-Za-z0-9_%.-]{20,}", "…", answer.text.replace(url, "URL"))
    told = answer.json()
    assert isinstance(told, dict)
    return {name: type(v) if name in RANDOM else v for name, v in told.items()}

"""How an API tells clients which server lets them in: protected resource metadata (RFC 9728).

A client that is refused finds the document's address in the challenge, and the server's in
the document.
"""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

_WELL_KNOWN = "/.well-known/oauth-protected-resource"


def resource_metadata(
    identifier: str, issuer: str, scopes: Sequence[str], *, name: str | None = None
) -> dict[str, Any]:
    """Return the document. :rfc:`9728#section-2`.

    :param identifier: the API's, as tokens name it in `aud`
    :param name: what people call the API
    """
    document = {
        "resource": identifier,
        "authorization_servers": [issuer],
        "scopes_supported": list(scopes),
        "bearer_methods_supported": ["header"],
    }
    return document | ({"resource_name": name} if name else {})


def resource_metadata_url(identifier: str) -> str:
    """Return where the document is to be served. :rfc:`9728#section-3.1`.

    The well-known path is inserted between host and path, and a query stays behind them.
    """
    url = urlsplit(identifier)
    path = "" if url.path == "/" else url.path
    query = f"?{url.query}" if url.query else ""
    return f"{url.scheme}://{url.netloc}{_WELL_KNOWN}{path}{query}"

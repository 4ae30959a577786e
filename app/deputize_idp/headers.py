"""Security headers on every answer: nothing is loaded from elsewhere, no script runs, no
page is framed, and nothing but the stylesheet is cached.
"""

import re
from urllib.parse import urlsplit

from flask import Flask, Response, g, request

from .settings import current_settings

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Authorization requests, with what they say, are not told to other origins.
    "Referrer-Policy": "same-origin",
}
HOST = re.compile(r"[A-Za-z0-9.-]+(:\d+)?")
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)


def init_headers(app: Flask) -> None:
    """Add the headers to every answer that does not have its own."""
    app.after_request(add_headers)


def allow_form_redirect(redirect_uri: str | None) -> None:
    """Let a form of this page end at a client's registered redirect URI.

    Chromium holds `form-action` against the whole chain of redirects after a form was sent.
    """
    parts = urlsplit(redirect_uri or "")
    is_web = parts.scheme in ("http", "https") and HOST.fullmatch(parts.netloc)
    source = f"{parts.scheme}://{parts.netloc}" if is_web else f"{parts.scheme}:"
    if parts.scheme:
        g.setdefault("form_redirects", []).append(source)


def add_headers(response: Response) -> Response:
    """Complete one answer."""
    own = response.headers
    policy = " ".join([POLICY, *g.get("form_redirects", [])])
    missing = {"Content-Security-Policy": policy, **HEADERS}
    if request.endpoint != "static":
        missing["Cache-Control"] = "no-store"
    if current_settings().is_secure:
        missing["Strict-Transport-Security"] = "max-age=31536000"
    present = {name.lower() for name, _ in own}
    for name, value in missing.items():
        if name.lower() not in present:
            own.add(name, value)
    return response

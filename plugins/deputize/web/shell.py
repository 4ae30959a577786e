"""The frame of every page: static files, the organisation's look, templates and headers.

Templates come from an environment of our own, so that a host's Jinja settings can neither turn
escaping off nor add to our pages. A page where a passkey signs runs the one script that asks
for it, a live page the one that asks for it again, and the page where a browser is subscribed the
one that asks for that; on all others the CSP allows none at all.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from flask import Blueprint, Response, current_app, request, session, url_for
from flask_wtf.csrf import ValidationError, generate_csrf, validate_csrf
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from werkzeug.datastructures import Headers

from .pages import NAME_LENGTH, PURPOSE_LENGTH, SENTENCE_LENGTH, SHORT_NAME_LENGTH, Page
from .words import neutralise

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

BLUEPRINT: Final = "deputize_web"
STATIC: Final = Path(__file__).parent / "static"
HEADERS: Final[Mapping[str, str]] = {
    "Cache-Control": "no-store",
    # Not "no-referrer": browsers then send `Origin: null` and no Referer with our own forms, and
    # Flask-WTF refuses those over https. This one tells other origins nothing either.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Resource-Policy": "same-origin",
}
POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; "
    "form-action {}; frame-ancestors 'none'; base-uri 'none'"
)
#: Added where a passkey signs.
RUNS_A_SCRIPT: Final = "; script-src 'self'"
#: Added where the page asks for itself again.
ASKS_AGAIN: Final = "; script-src 'self'; connect-src 'self'"
#: Added where a browser is subscribed.
REGISTERS_A_WORKER: Final = "; script-src 'self'; worker-src 'self'"
COLOUR: Final = re.compile(r"#[0-9a-fA-F]{6}")
LOGO: Final = re.compile(r"/(?![/\\])\S*|data:image/\S+")
# What CSP's grammar takes for a source; a ";" or a space would write directives of its own.
WEB_ORIGIN: Final = re.compile(r"https?://[a-z0-9.-]+(:[0-9]{1,5})?")
APP_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]*")


@dataclass(frozen=True)
class Brand:
    """The organisation as its people know it, from the `[web]` settings.

    Raises ValueError for an accent that is not `#rrggbb`, and for a logo that the CSP would
    not load: it is a path of this server or a `data:image/` URL.
    """

    name: str
    logo: str = ""
    accent: str = ""

    def __post_init__(self) -> None:
        if self.accent and not COLOUR.fullmatch(self.accent):
            raise ValueError(f"web.accent: write it as #rrggbb, not {self.accent!r}")
        if self.logo and not LOGO.fullmatch(self.logo):
            raise ValueError("web.logo: use a path of this server, or a data:image/ URL")

    @property
    def stylesheet(self) -> str:
        """The accent as CSS custom properties, with black or white upon it: at least 4.5:1."""
        ink = "#000000" if _luminance(self.accent) > 0.179 else "#ffffff"
        return f":root {{ --accent: {self.accent}; --on-accent: {ink}; }}\n"


def web_blueprint(brand: Brand, url_prefix: str = "/deputize") -> Blueprint:
    """Make the blueprint that serves the stylesheets and holds the brand for `render`."""
    blueprint = Blueprint(BLUEPRINT, __name__, static_folder="static", url_prefix=url_prefix)
    blueprint.record_once(lambda state: state.app.extensions.update({BLUEPRINT: brand}))
    blueprint.add_url_rule("/brand.css", "brand", _brand_stylesheet)
    return blueprint


def render(
    template: str, page: Page, *, status: int = 200, redirect_uri: str | None = None
) -> "PageResponse":
    """Answer with `template` (a name in `templates/deputize/`) filled from `page`.

    `redirect_uri` is where the page's form leads by a redirect, if that is another origin:
    browsers hold the redirects that follow a form to `form-action` as well.
    """
    brand: Brand = current_app.extensions[BLUEPRINT]
    html = _environment.get_template(f"deputize/{template}").render(
        page=page, brand=brand, csrf=CsrfField, url_for=url_for
    )
    response = PageResponse(html, status, mimetype="text/html")
    response.policy = _policy_of(page, redirect_uri)
    return response


def render_live(template: str, page: Page) -> Response:
    """Answer as `render` does; with 304 who has just this (RFC 9110 §13.1.2).

    The tag is weak: the form fields against CSRF are written otherwise each time.
    """
    tag = _tag_of(page)
    is_known = request.if_none_match.contains_weak(tag)
    response = PageResponse(status=304) if is_known else render(template, page)
    response.policy = _policy_of(page)
    response.set_etag(tag, weak=True)
    return response


class PageResponse(Response):
    """A page of ours: its headers are said last, whatever a host's hooks say on every answer."""

    policy = ""

    def get_wsgi_headers(self, environ: "WSGIEnvironment") -> Headers:
        headers = super().get_wsgi_headers(environ)
        headers.update(HEADERS)
        headers["Content-Security-Policy"] = self.policy
        return headers


class CsrfField:
    """The hidden field of each form, under the name that the host's own protection reads."""

    def __init__(self) -> None:
        self.field = current_app.config.get("WTF_CSRF_FIELD_NAME", "csrf_token")
        self.token = generate_csrf()


def is_own_form() -> bool:
    """Tell whether the posted form is one that this session was shown."""
    name = current_app.config.get("WTF_CSRF_FIELD_NAME", "csrf_token")
    try:
        validate_csrf(request.form.get(name))
    except ValidationError:
        return False
    return True


def see_other(location: str) -> Response:
    """Send the browser on with a GET, whatever it came with (RFC 9110 §15.4.4)."""
    return Response(status=303, headers={"Location": location, "Cache-Control": "no-store"})


def form_action(redirect_uri: str | None) -> str:
    """Name the origins that forms may lead to: ours, and that of `redirect_uri`.

    A redirect URI that CSP can't express adds nothing: the browser then stops there.
    """
    source = _source_of(redirect_uri) if redirect_uri else None
    return f"'self' {source}" if source else "'self'"


def _policy_of(page: Page, redirect_uri: str | None = None) -> str:
    policy = POLICY.format(form_action(redirect_uri))
    policy += RUNS_A_SCRIPT if page.signing else ""
    policy += REGISTERS_A_WORKER if page.worker_url else ""
    return policy + (ASKS_AGAIN if page.is_live else "")


def _tag_of(page: Page) -> str:
    """Name what is told, and the session whose forms tell it: those of another would be refused."""
    field = CsrfField().field
    return hashlib.sha256(repr((session[field], page)).encode()).hexdigest()


def _source_of(redirect_uri: str) -> str | None:
    try:
        parts = urlsplit(redirect_uri)
    except ValueError:
        return None
    if parts.scheme not in ("http", "https"):
        return f"{parts.scheme}:" if APP_SCHEME.fullmatch(parts.scheme) else None
    if parts.hostname == "::1":
        return f"{parts.scheme}:"  # RFC 8252 §7.3 allows it, CSP has no way to write it
    origin = f"{parts.scheme}://{parts.netloc.lower()}"
    return origin if WEB_ORIGIN.fullmatch(origin) else None


def _brand_stylesheet() -> Response:
    brand: Brand = current_app.extensions[BLUEPRINT]
    response = Response(brand.stylesheet if brand.accent else "", mimetype="text/css")
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def _luminance(colour: str) -> float:
    # WCAG 2.2, relative luminance. At 0.179 black and white are equally far: 4.58:1.
    red, green, blue = (_linear(int(colour[at : at + 2], 16) / 255) for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else float(((channel + 0.055) / 1.055) ** 2.4)


_environment = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_environment.filters.update(
    name=partial(neutralise, limit=NAME_LENGTH),
    short_name=partial(neutralise, limit=SHORT_NAME_LENGTH),
    purpose=partial(neutralise, limit=PURPOSE_LENGTH),
    plain=partial(neutralise, limit=SENTENCE_LENGTH),
)

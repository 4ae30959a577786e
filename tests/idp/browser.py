"""A person's browser and a client, as small as the stories need them: cookies, forms,
redirects that are looked at rather than followed, and PKCE.
"""

import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from hashlib import sha256
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx

CALLBACK = "http://127.0.0.1/callback"
SIGNED_OUT = "https://app.example/signed-out?from=idp"
SECRET = "webapp-secret-0123456789-abc"
PASSWORD = "correct horse battery"


@dataclass
class Form:
    """One form of a page: where it goes and what it already holds."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form":
            self.forms.append(Form(given.get("action") or ""))
        elif tag == "input" and self.forms and given.get("name"):
            self.forms[-1].fields[given["name"] or ""] = given.get("value") or ""


def forms(response: httpx.Response) -> list[Form]:
    """The forms of a page."""
    parser = _Forms()
    parser.feed(response.text)
    return parser.forms


def query_of(location: str) -> dict[str, str]:
    """The parameters of a URL, each once."""
    return {name: value[0] for name, value in parse_qs(urlsplit(location).query).items()}


class Browser(httpx.Client):
    """A browser that shows each redirect instead of following it."""

    def __init__(self, url: str, **how: Any) -> None:
        super().__init__(base_url=url, headers={"Accept": "text/html"}, timeout=30, **how)

    def submit(self, page: httpx.Response, **typed: str) -> httpx.Response:
        """Send the first form of a page with what was typed."""
        form = forms(page)[0]
        target = urljoin(str(page.url), form.action)
        return self.post(target, data=form.fields | typed)

    def sign_in(
        self, username: str = "ana", password: str = PASSWORD, next_url: str = "/account"
    ) -> httpx.Response:
        """Fill in the sign-in page."""
        page = self.get("/sign-in", params={"next": next_url})
        return self.submit(page, username=username, password=password)

    def allow(self, page: httpx.Response) -> httpx.Response:
        """Say yes on the consent page."""
        assert page.status_code == 200, (page.status_code, page.headers.get("location"))
        return self.submit(page, decision="allow")


class Application(httpx.Client):
    """A client at the server's endpoints; `credentials` go into each form unless it signs in
    with HTTP Basic."""

    def __init__(self, url: str, client_id: str = "webapp", secret: str | None = SECRET) -> None:
        super().__init__(base_url=url, timeout=30)
        self.client_id, self.secret = client_id, secret
        self.verifier = secrets.token_urlsafe(48)

    def request_parameters(self, **changes: Any) -> dict[str, str]:
        """A sound authorization request, with changes; None takes a parameter away."""
        sound = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": CALLBACK,
            "scope": "openid profile",
            "state": "a state",
            "nonce": "a nonce",
            "code_challenge": s256(self.verifier),
            "code_challenge_method": "S256",
        }
        return {name: value for name, value in (sound | changes).items() if value is not None}

    def code(self, browser: Browser, **changes: Any) -> str:
        """A code for a browser that is signed in, whatever it takes."""
        answer = browser.get("/oauth/authorize", params=self.request_parameters(**changes))
        if answer.status_code == 200:
            answer = browser.allow(answer)
        return query_of(answer.headers["location"])["code"]

    def call(self, path: str, **parameters: Any) -> httpx.Response:
        """POST a form as this client."""
        if self.secret is None:
            return self.post(path, data={"client_id": self.client_id} | parameters)
        return self.post(path, data=parameters, auth=(self.client_id, self.secret))

    def redeem(self, code: str, /, **changes: Any) -> httpx.Response:
        """Exchange a code for tokens."""
        sound = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": CALLBACK,
            "code_verifier": self.verifier,
        }
        kept = {name: value for name, value in (sound | changes).items() if value is not None}
        return self.call("/oauth/token", **kept)

    def tokens(self, browser: Browser, **changes: Any) -> dict[str, Any]:
        """Tokens for a browser that is signed in."""
        answer = self.redeem(self.code(browser, **changes))
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def refresh(self, token: str, **more: str) -> httpx.Response:
        """Use a refresh token."""
        return self.call("/oauth/token", grant_type="refresh_token", refresh_token=token, **more)

    def is_active(self, token: str) -> bool:
        """What introspection says of a token."""
        return bool(self.call("/oauth/introspect", token=token).json()["active"])


def s256(verifier: str) -> str:
    """The PKCE challenge of a verifier (RFC 7636, section 4.2)."""
    return urlsafe_b64encode(sha256(verifier.encode()).digest()).decode().rstrip("=")

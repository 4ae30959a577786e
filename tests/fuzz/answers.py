"""What every answer to garbage has in common, and how the garbage is sent."""

import re
from dataclasses import dataclass, field

import httpx
from hypothesis import HealthCheck, settings

from fuzz.garbage import Pairs, encoded
from support.agents_http import JWT_BEARER
from support.world import World

TOKEN, INTROSPECT, REVOKE = "/oauth/token", "/oauth/introspect", "/oauth/revoke"
REGISTER, AUTHORIZE, JWKS = "/oauth/register", "/oauth/authorize", "/oauth/jwks"
PUSH = "/oauth/par"
BACKCHANNEL, APPROVALS = "/oauth/bc-authorize", "/deputize/approvals"
OAUTH = "/.well-known/oauth-authorization-server"
OPENID = "/.well-known/openid-configuration"

#: Programs meet these: their errors are JSON that nobody may store (RFC 6749 §5.2).
FOR_PROGRAMS = (TOKEN, INTROSPECT, REVOKE, REGISTER, BACKCHANNEL, PUSH)
PAGES = (AUTHORIZE, "/deputize/agents", "/deputize/agents/x/end", "/deputize/agents/%00/end",
         "/deputize/agents/%ff/end", APPROVALS, f"{APPROVALS}/x", f"{APPROVALS}/%00",
         "/deputize/graph", "/deputize/graph/%00/end", "/deputize/register",
         "/deputize/register/%ff", "/deputize/register/x/suspend",
         "/deputize/tasks/%00")  # fmt: skip
OUR_HOSTS = ("/sign-in", "/sign-out", "/consent", "/account", "/account/withdraw",
             "/oauth/userinfo", "/health/ready", "/")  # fmt: skip
OTHERS = (JWKS, OAUTH, OPENID, "/deputize/brand.css", "/deputize/static/none", "/nowhere/%00")

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
ERROR = re.compile(r"[a-z_]+")
#: RFC 6749 §5.2: %x20-21 / %x23-5B / %x5D-7E.
DESCRIPTION = re.compile(r"[\x20\x21\x23-\x5b\x5d-\x7e]*")


def tried(times: int) -> settings:
    """Try garbage so many times, and as often again as the profile asks for more than usual.

    A server answers in its own time, and the fixtures are as good after an example as before.
    """
    usual = 20
    return settings(
        max_examples=times * settings.default.max_examples // usual,
        suppress_health_check=list(HealthCheck),
        deadline=None,
    )


@dataclass(eq=False)
class Target:
    """A server, and a client that sends it garbage."""

    world: World
    client: httpx.Client
    alone: bool
    _cookies: dict[str, str] = field(default_factory=dict)

    @property
    def paths(self) -> tuple[str, ...]:
        return (*FOR_PROGRAMS, *PAGES, *OTHERS, *(() if self.alone else OUR_HOSTS))

    @property
    def cookie(self) -> str:
        """The session of Ana, signed in."""
        if "ana" not in self._cookies:
            cookies = self.world.browser("ana").cookies
            self._cookies["ana"] = "; ".join(f"{k}={v}" for k, v in cookies.items())
        return self._cookies["ana"]

    def as_planner(self) -> Pairs:
        """Return good credentials, to be used once."""
        assertion = self.world.agent("planner").client_assertion()
        return [
            ("client_assertion_type", JWT_BEARER.encode()),
            ("client_assertion", assertion.encode()),
        ]

    def post(self, path: str, parameters: Pairs, **headers: str) -> httpx.Response:
        sent = FORM | headers
        return sound(self.client.post(path, content=encoded(parameters), headers=sent))

    def browse(self, method: str, path: str, parameters: Pairs, body: Pairs) -> httpx.Response:
        """Ask as Ana's browser does."""
        headers = FORM | {"Accept": "text/html", "Cookie": self.cookie}
        url = f"{path}?{encoded(parameters)}"
        return sound(self.client.request(method, url, content=encoded(body), headers=headers))


def sound(answer: httpx.Response) -> httpx.Response:
    """Return the answer, having looked at what every answer must be."""
    request = answer.request
    told = (request.method, str(request.url)[:300], request.headers, answer.status_code)
    assert answer.status_code < 500, (told, request.stream, answer.text[:300])
    path = request.url.path
    if answer.status_code >= 400 and path in FOR_PROGRAMS and request.method != "HEAD":
        assert answer.headers["content-type"] == "application/json", told
        assert answer.headers["cache-control"] == "no-store", told
        error = answer.json()
        assert ERROR.fullmatch(error["error"]), told
        assert DESCRIPTION.fullmatch(error.get("error_description", "")), (told, error)
    if path in PAGES and "text/html" in request.headers.get("accept", ""):
        assert answer.is_redirect or answer.headers["content-type"].startswith("text/html"), told
    assert "x" not in answer.headers, (told, "a header was smuggled in")
    return answer

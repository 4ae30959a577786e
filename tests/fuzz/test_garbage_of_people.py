"""Garbage in front of people, and from clients of the host: forms, links, the host's own pages."""

from functools import cache

import httpx
from hypothesis import example, given
from hypothesis import strategies as st

from fuzz import garbage
from fuzz.answers import (
    APPROVALS,
    AUTHORIZE,
    FORM,
    INTROSPECT,
    REVOKE,
    TOKEN,
    Target,
    sound,
    tried,
)
from fuzz.garbage import Pairs, changes, encoded
from idp.browser import SECRET
from support.asking import Asking
from support.world import CALENDAR, CALLBACK, read_form

ASKED: dict[str, bytes] = {
    "response_type": b"code",
    "client_id": b"planner",
    "redirect_uri": CALLBACK.encode(),
    "scope": b"calendar:read",
    "resource": CALENDAR.encode(),
    "state": b"state",
    "code_challenge": b"A" * 43,
    "code_challenge_method": b"S256",
}

NOTIFICATIONS = "/deputize/notifications"
CHOICES = ("press", "channel", "starts", "ends", "zone", "csrf_token")


class TestPages:
    """A person's browser, led by a link that somebody made."""

    @tried(60)
    @given(
        method=st.sampled_from(["GET", "GET", "POST", "HEAD"]),
        changed=changes,
        more=garbage.pairs,
    )
    def test_the_authorization_request(
        self, target: Target, method: str, changed: dict[str, bytes], more: Pairs
    ) -> None:
        asked = list((ASKED | changed).items())
        answer = target.browse(method, AUTHORIZE, [*asked, *more[:2]], more[2:])
        assert answer.status_code in (200, 302, 303, 400)
        location = answer.headers.get("location", "")
        if "code=" in location:
            raise AssertionError(f"a code without a press: {location}")
        own = location.startswith(("/", target.world.url, "http://127.0.0.1"))
        assert not location or own, location

    @tried(30)
    @given(changed=changes, more=garbage.pairs, forge=st.booleans())
    def test_the_decision(
        self, target: Target, changed: dict[str, bytes], more: Pairs, forge: bool
    ) -> None:
        """Pressed on the real page, with its token or without, and with something changed."""
        page = target.browse("GET", AUTHORIZE, list(ASKED.items()), [])
        form = read_form(page.text)
        action = form.pop("action")[0]
        assert action.startswith(AUTHORIZE)
        pressed = {name: values[0].encode() for name, values in form.items() if values}
        pressed |= {"decision": b"allow", **({} if forge else changed)}
        if forge:
            pressed["csrf_token"] = b"forged"
        answer = target.browse("POST", AUTHORIZE, list(ASKED.items()), [*pressed.items(), *more])
        assert answer.status_code in (303, 400)
        location = answer.headers.get("location", "")
        assert location.startswith("http://127.0.0.1/callback?") or not location
        if forge:
            assert "code=" not in location

    @tried(15)
    @given(
        name=st.sampled_from([b"x", b"%00", b"%ff", b"a%2Fb", b"a" * 5000, b"%ED%A0%80", b"%27"]),
        form=garbage.pairs,
        method=st.sampled_from(["GET", "POST"]),
    )
    def test_the_page_that_stops_an_agent(
        self, target: Target, name: bytes, form: Pairs, method: str
    ) -> None:
        path = f"/deputize/agents/{name.decode()}/end"
        answer = target.browse(method, path, [], form)
        assert answer.status_code in (303, 400, 404)

    @tried(25)
    @given(written=st.lists(st.tuples(st.sampled_from(CHOICES), garbage.values), max_size=6))
    @example([("starts", "\u0662\u0662:00".encode())])
    @example([("zone", b"../../etc/passwd")])
    @example([("press", b"test"), ("channel", b"\0")])
    def test_how_one_is_told(self, target: Target, written: Pairs) -> None:
        """Pressed with a token of this session, and with garbage in the fields."""
        browser = _asked(target)
        token = read_form(browser.get(APPROVALS).text)["csrf_token"][0].encode()
        usual = {"starts": b"22:00", "ends": b"07:00", "zone": b"UTC", "press": b"quiet"}
        pressed = [*({"csrf_token": token} | usual | dict(written)).items(), *written]
        answer = sound(browser.post(NOTIFICATIONS, content=encoded(pressed), headers=FORM))
        assert answer.status_code in (303, 400)

    @tried(40)
    @given(changed=changes, more=garbage.pairs, decision=st.sampled_from([b"approve", b"deny"]))
    @example({"shown": b"\0"}, [], b"deny")
    @example({"shown": "\u00e9".encode() * 64}, [], b"approve")
    @example({"lifetime": b"9" * 5000}, [], b"approve")
    def test_the_answer_to_an_agent(
        self, target: Target, changed: dict[str, bytes], more: Pairs, decision: bytes
    ) -> None:
        """Pressed on the real page, about another content than was shown."""
        browser = _asked(target)
        page = browser.get(APPROVALS)
        form = read_form(page.text)
        pressed = {name: values[0].encode() for name, values in form.items() if values}
        path = pressed.pop("action").decode()
        assert path.startswith(APPROVALS)
        pressed |= {"decision": decision, "shown": b"x" * 64, **changed}
        content = encoded([*pressed.items(), *more])
        answer = sound(browser.post(path, content=content, headers=FORM))
        assert answer.status_code in (303, 400, 404, 409, 410)

    @tried(15)
    @given(query=garbage.pairs, form=garbage.pairs)
    def test_signing_in_and_what_is_behind(self, target: Target, query: Pairs, form: Pairs) -> None:
        """The host's own pages go through the plugin's hooks as well."""
        paths = ["/sign-in", "/consent", "/account/withdraw", "/deputize/agents"]
        for path in paths[3:] if target.alone else paths:
            target.browse("POST", path, query, form)
            target.browse("GET", path, query, [])


@cache
def _asked(target: Target) -> httpx.Client:
    """Return the browser of somebody whom an agent asks something."""
    world = target.world
    hold = str(world.consent().json()["access_token"])
    Asking(world, world.agent("planner"), hold).asked()
    return world.browser("ana")


@tried(30)
@given(changed=changes, more=garbage.pairs)
def test_a_client_of_the_host(target: Target, changed: dict[str, bytes], more: Pairs) -> None:
    """Whose garbage falls through to the host, unless it names us."""
    basic = garbage.basic("webapp", SECRET)
    usual = {"grant_type": b"client_credentials", "token": b"x"}
    for path in (TOKEN, INTROSPECT, REVOKE):
        parameters = [*(usual | changed).items(), *more]
        answer = target.post(path, parameters, Authorization=basic)
        assert answer.status_code in (200, 400, 401), encoded(parameters)

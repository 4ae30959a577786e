"""In which browsers a person is told: they add and remove them, at allowed push services alone."""

import json
from concurrent.futures import ThreadPoolExecutor
from html import unescape
from pathlib import Path
from threading import Barrier

import pytest
from sqlalchemy import select

from deputize import Deputize
from deputize.core.refusal import Refusal
from deputize.settings import Settings, WebPush
from deputize.web_push.add import MOST, add_browser
from deputize.web_push.application_server import vapid_key
from deputize.web_push.models import browser
from deputize.web_push.read_subscription import is_allowed, read_subscription
from support.push_service import PushBrowser, PushService, application_server, b64
from support.world import World, bare_app, people
from web_push.conftest import PAGE, Visit

NOTHING = "Nothing was changed."


class TestAdding:
    def test_a_browser_is_added_under_the_name_that_its_person_gives_it(
        self, ana: Visit, ben: Visit, service: PushService
    ) -> None:
        answer = ana.add(service.browser("a"), "My phone")
        assert (answer.status_code, answer.headers["Location"]) == (303, PAGE)
        assert ana.names() == ["My phone"]
        assert "My phone" in ana.page()
        assert "not told anything yet" in ana.page()
        assert "My phone" not in ben.page()
        (told,) = ana.world.events("browser.added")
        assert told["facts"]["service"] == service.url

    def test_one_without_a_name_has_a_neutral_one(self, ana: Visit, service: PushService) -> None:
        ana.add(service.browser("a"), " \u202e\u200b ")
        assert ana.names() == ["A browser"]

    def test_once_more_and_it_has_its_new_name(self, ana: Visit, service: PushService) -> None:
        phone = service.browser("a")
        ana.add(phone, "My phone")
        ana.add(phone, "The old phone")
        assert ana.names() == ["The old phone"]

    def test_what_is_kept_is_found_by_a_hash(self, ana: Visit, service: PushService) -> None:
        phone = service.browser("a-secret-place")
        ana.add(phone)
        with ana.world.context.db.read() as tx:
            row = tx.execute(select(browser)).mappings().one()
        assert phone.endpoint not in (row["endpoint_hash"], row["id"])
        assert "a-secret-place" not in json.dumps(ana.world.events(), default=str)

    def test_no_more_than_a_few(self, ana: Visit, service: PushService) -> None:
        for number in range(MOST):
            assert ana.add(service.browser(f"{number}")).status_code == 303
        answer = ana.add(service.browser("more"))
        assert answer.status_code == 400
        assert f"There are {MOST} browsers already." in answer.text
        assert len(ana.browsers()) == MOST
        (refused,) = ana.world.events("browser.refused")
        assert refused["rule"] == "browser.too_many"

    def test_however_many_come_at_once(self, world: World, service: PushService) -> None:
        barrier, server = Barrier(MOST + 5), application_server(world.context)

        def add(number: int) -> bool:
            barrier.wait()
            said = service.browser(f"{number}").subscription()
            try:
                return bool(add_browser(server, "eve", said, ""))
            except Refusal:
                return False

        with ThreadPoolExecutor(MOST + 5) as pool:
            assert list(pool.map(add, range(MOST + 5))).count(True) == MOST

    def test_it_is_with_whoever_is_signed_in_there(
        self, ana: Visit, ben: Visit, service: PushService
    ) -> None:
        """Two people at one browser: it has one subscription."""
        shared = service.browser("kitchen")
        ana.add(shared)
        ben.add(shared)
        assert (ana.names(), ben.names()) == ([], ["My phone"])
        (told,) = ana.world.events("browser.removed")
        assert told["facts"]["why"] == "moved"

    @pytest.mark.parametrize("key", [True, False])
    def test_who_knows_where_it_is_reached_does_not_take_it_away(
        self, ana: Visit, ben: Visit, service: PushService, key: bool
    ) -> None:
        theirs = service.browser("a")
        ana.add(theirs)
        guessed = PushBrowser(theirs.endpoint)
        guessed = PushBrowser(theirs.endpoint, theirs.key, b"x" * 16) if key else guessed
        answer = ben.add(guessed)
        assert answer.status_code == 400
        assert "known already" in answer.text
        assert (ana.names(), ben.names()) == (["My phone"], [])

    def test_without_the_forms_own_token_nothing_happens(
        self, ana: Visit, service: PushService
    ) -> None:
        assert ana.add(service.browser("a"), csrf_token="none").status_code == 303
        assert ana.names() == []

    def test_who_is_not_signed_in_is_asked_to(self, world: World) -> None:
        for answer in (
            world.browser(None).get(PAGE),
            world.browser(None).post(PAGE),
            world.browser(None).post(f"{PAGE}/x/remove"),
        ):
            assert answer.status_code == 303
            assert answer.headers["Location"].startswith("/sign-in")


class TestWhatABrowserSays:
    @pytest.mark.parametrize(
        "said",
        [
            "",
            "null",
            "[]",
            "[" * 4000,
            "{" * 5000,
            '"\\ud800"',
            '{"endpoint": 1}',
            PushBrowser("https://fcm.googleapis.com/x").subscription(keys=None),
            PushBrowser("https://fcm.googleapis.com/x").subscription(keys=[]),
            PushBrowser("https://fcm.googleapis.com/x").subscription(
                keys={"p256dh": "BA", "auth": 1}
            ),
            PushBrowser("https://fcm.googleapis.com/x").subscription(
                keys={"p256dh": b64(b"\4" + b"\1" * 64), "auth": b64(b"x" * 16)}
            ),
            PushBrowser("https://fcm.googleapis.com/" + "x" * 2100).subscription(),
        ],
    )
    def test_what_is_no_subscription_is_refused(self, ana: Visit, said: str) -> None:
        answer = ana.add(said)
        assert answer.status_code == 400
        assert NOTHING in answer.text
        assert ana.names() == []
        (refused,) = ana.world.events("browser.refused")
        assert refused["rule"] == "browser.malformed"

    @pytest.mark.parametrize(
        "endpoint",
        [
            "https://evil.example/x",
            "https://fcm.googleapis.com.evil.example/x",
            "https://evilfcm.googleapis.com/x",
            "https://notify.windows.com/x",
            "https://evilnotify.windows.com/x",
            "https://.notify.windows.com/x",
            "https://fcm.googleapis.com@evil.example/x",
            "https://evil.example#fcm.googleapis.com/x",
            "https://fcm.googleapis.com:8443/x",
            "https://fcm.googleapis.com\\@evil.example/x",
            "http://fcm.googleapis.com/x",
            "https://FCM.googleapis.com/x",
            "https://fcm.googleapis.com/\r\nX: y",
            "https://fcm.googleapis.com/\N{SNOWMAN}",
            "https://fcm.googleapis.com/\ud800",
            "https://fcm.googleapis.com/\0",
            "https://169.254.169.254/latest",
            "https://[::1]/",
            "https://[",
            "file:///etc/passwd",
            "//fcm.googleapis.com/x",
            "",
        ],
    )
    def test_a_push_service_that_nobody_allowed_is_refused(self, endpoint: str) -> None:
        with pytest.raises(Refusal) as refused:
            read_subscription(PushBrowser(endpoint).subscription(), WebPush())
        assert refused.value.rule == "browser.service"

    @pytest.mark.parametrize(
        "endpoint",
        [
            "https://fcm.googleapis.com/fcm/send/x:y-z",
            "https://updates.push.services.mozilla.com/wpush/v2/x",
            "https://wns2-par02p.notify.windows.com/w/?token=x%3d",
            "https://web.push.apple.com/QH",
        ],
    )
    def test_those_of_the_usual_browsers_are_allowed(self, endpoint: str) -> None:
        assert is_allowed(endpoint, WebPush())

    def test_the_refused_one_is_told_why_and_leaves_an_event(self, ana: Visit) -> None:
        answer = ana.add(PushBrowser("https://evil.example/x"))
        assert answer.status_code == 400
        assert "push service is not allowed here. Nothing was changed." in unescape(answer.text)
        (refused,) = ana.world.events("browser.refused")
        assert refused["rule"] == "browser.service"


class TestRemoving:
    def test_the_person_removes_it(self, ana: Visit, service: PushService) -> None:
        ana.add(service.browser("a"))
        (mine,) = ana.browsers()
        assert ana.remove(mine.id, csrf_token="none").status_code == 303
        assert len(ana.browsers()) == 1
        assert ana.remove(mine.id).status_code == 303
        assert ana.browsers() == []
        (told,) = ana.world.events("browser.removed")
        assert told["facts"]["why"] == "removed"
        assert ana.add(service.browser("a")).status_code == 303

    def test_nobody_removes_anothers(self, ana: Visit, ben: Visit, service: PushService) -> None:
        ana.add(service.browser("a"))
        (hers,) = ana.browsers()
        for browser_id in (hers.id, "x", "%00", "\ud800".encode("utf-8", "surrogatepass").hex()):
            assert ben.remove(browser_id).status_code == 303
        assert len(ana.browsers()) == 1

    def test_who_leaves_is_told_nothing_any_more(self, ana: Visit, service: PushService) -> None:
        ana.add(service.browser("a"))
        ana.world.leave("ana")
        assert ana.browsers() == []
        (told,) = ana.world.events("browser.removed")
        assert told["facts"]["why"] == "left"


class TestTheServersKey:
    def test_there_is_one_however_many_make_it_at_once(self, world: World) -> None:
        server, barrier = application_server(world.context), Barrier(8)
        with server.db.write() as tx:
            tx.execute(vapid_key.delete())

        def make(_: int) -> str:
            barrier.wait()
            return server.key().thumbprint()

        with ThreadPoolExecutor(8) as pool:
            assert len(set(pool.map(make, range(8)))) == 1
        with server.db.read() as tx:
            assert len(tx.execute(select(vapid_key)).all()) == 1

    def test_it_signs_no_token(self, ana: Visit) -> None:
        key = application_server(ana.world.context).key()
        told = ana.http.get("/oauth/jwks").json()["keys"]
        assert key.as_dict(private=False)["x"] not in [one["x"] for one in told]


class TestThePage:
    def test_it_alone_may_register_a_worker(self, ana: Visit) -> None:
        policy = ana.http.get(PAGE).headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; style-src 'self'")
        assert policy.endswith("; script-src 'self'; worker-src 'self'")
        other = ana.http.get("/deputize/user-code").headers["Content-Security-Policy"]
        assert "script-src" not in other
        assert "worker-src" not in other

    def test_the_worker_has_a_say_about_our_pages_alone(self, ana: Visit) -> None:
        answer = ana.world.browser(None).get("/deputize/worker.js")
        assert answer.headers["Content-Type"].startswith("text/javascript")
        assert answer.headers["Cache-Control"] == "no-cache"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "Service-Worker-Allowed" not in answer.headers

    def test_where_the_channel_is_off_there_is_none(self, tmp_path: Path) -> None:
        app = bare_app(people())
        database = f"sqlite:///{tmp_path}/deputize.sqlite3"
        settings = Settings(issuer="http://127.0.0.1", database_url=database)
        Deputize(host=people(), settings=settings).init_app(app)
        for path in (PAGE, "/deputize/worker.js"):
            assert app.test_client().get(path).status_code == 404

"""The frame: the organisation's look, and where forms may lead."""

from collections.abc import Iterator

import httpx
import pytest

from deputize.web.shell import Brand, form_action
from support.serving import serving
from web.samples import Markup, make_app


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving(lambda _: make_app(Brand("<b>Bank", "/logo.svg", "#ffd84d"))) as base:
        yield base


class TestFormAction:
    """The redirect that follows a form is held to `form-action` as well."""

    @pytest.mark.parametrize(
        ("redirect_uri", "sources"),
        [
            (None, "'self'"),
            ("https://Agent.example/cb?x=1", "'self' https://agent.example"),
            ("http://127.0.0.1:4711/cb", "'self' http://127.0.0.1:4711"),
            ("http://[::1]:4711/cb", "'self' http:"),
            ("com.example.app:/cb", "'self' com.example.app:"),
        ],
    )
    def test_names_the_redirect_uris_origin(self, redirect_uri: str | None, sources: str) -> None:
        assert form_action(redirect_uri) == sources

    @pytest.mark.parametrize(
        "redirect_uri",
        [
            "https://a.example; script-src *",
            "https://a.example script-src",
            "https://a.example,b.example",
            "https://*/cb",
            "https://user@a.example/cb",
            "https://[a",
            "//a.example",
            "",
        ],
    )
    def test_takes_nothing_that_could_write_a_directive(self, redirect_uri: str) -> None:
        assert form_action(redirect_uri) == "'self'"

    def test_reaches_the_header(self, url: str) -> None:
        answer = httpx.get(
            f"{url}/page/consent.html", params={"redirect_uri": "https://agent.example/cb"}
        )
        policy = answer.headers["Content-Security-Policy"]
        assert "form-action 'self' https://agent.example;" in policy


class TestBrand:
    def test_the_accent_is_a_stylesheet_of_our_own_with_readable_text_on_it(self, url: str) -> None:
        answer = httpx.get(f"{url}/deputize/brand.css")
        assert answer.headers["Content-Type"].startswith("text/css")
        assert answer.text == ":root { --accent: #ffd84d; --on-accent: #000000; }\n"

    @pytest.mark.parametrize(
        ("accent", "ink"),
        [("#2747b8", "#ffffff"), ("#ffffff", "#000000"), ("#000000", "#ffffff")],
    )
    def test_the_text_on_the_accent_is_black_or_white(self, accent: str, ink: str) -> None:
        assert f"--on-accent: {ink};" in Brand("Bank", accent=accent).stylesheet

    def test_the_stylesheet_is_served(self, url: str) -> None:
        page = Markup(httpx.get(f"{url}/page/message.html").text)
        for link in page.named("link"):
            assert httpx.get(f"{url}{link['href']}").status_code == 200

    @pytest.mark.parametrize("accent", ["red", "#fff", "#12345g", "#123456; } body {"])
    def test_another_form_of_colour_is_refused(self, accent: str) -> None:
        with pytest.raises(ValueError, match=r"web\.accent"):
            Brand("Bank", accent=accent)

    @pytest.mark.parametrize(
        "logo", ["https://cdn.example/logo.png", "//cdn.example/l.png", "/\\cdn", "logo.png"]
    )
    def test_a_logo_that_the_policy_would_block_is_refused(self, logo: str) -> None:
        with pytest.raises(ValueError, match=r"web\.logo"):
            Brand("Bank", logo=logo)

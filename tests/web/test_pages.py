"""The pages as HTML: text stays text, forms post what they say, and "stop" says what ends."""

from collections.abc import Iterator

import httpx
import pytest

from deputize.web.pages import AgentFace, ChainLink, EndPage
from deputize.web.shell import Brand
from support.serving import serving
from web.samples import AGENT, HOSTILE, PAGES, Markup, make_app


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving(lambda _: make_app(Brand("<b>Bank", "/logo.svg", "#ffd84d"))) as base:
        yield base


@pytest.mark.parametrize("template", PAGES)
class TestEveryPage:
    def test_forbids_scripts_frames_caches_and_foreign_content(
        self, url: str, template: str
    ) -> None:
        answer = httpx.get(f"{url}/page/{template}")
        assert answer.status_code == 400
        assert answer.headers["Content-Security-Policy"] == (
            "default-src 'none'; style-src 'self'; img-src 'self' data:; "
            "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
        )
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] == "same-origin"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["X-Frame-Options"] == "DENY"

    def test_shows_hostile_text_as_text(self, url: str, template: str) -> None:
        html = httpx.get(f"{url}/page/{template}").text
        page = Markup(html)
        assert "&lt;script&gt;" in html
        assert "{{ 7*7 }}" in html
        assert not page.named("script")
        assert not page.named("style")
        assert not page.named("b")
        assert not [name for _, attributes in page.tags for name in attributes if name == "style"]

    def test_has_one_heading_a_language_and_a_way_past_the_header(
        self, url: str, template: str
    ) -> None:
        page = Markup(httpx.get(f"{url}/page/{template}").text)
        assert len(page.named("h1")) == 1
        assert page.named("html")[0]["lang"] == "en"
        assert page.named("main")[0]["id"] == "main"
        assert {"class": "skip", "href": "#main"} in page.named("a")

    def test_decides_by_post_alone_and_carries_a_csrf_token(self, url: str, template: str) -> None:
        page = Markup(httpx.get(f"{url}/page/{template}").text)
        tokens = [field for field in page.named("input") if field["name"] == "csrf_token"]
        assert all(form["method"] == "post" for form in page.named("form"))
        assert len(tokens) == len(page.named("form"))
        assert all(token["value"] for token in tokens)


class TestConsentForm:
    def test_posts_scopes_pass_on_until_decision_and_the_hidden_fields(self, url: str) -> None:
        page = Markup(httpx.get(f"{url}/page/consent.html").text)
        fields = {field["name"]: field["value"] for field in page.named("input")}
        assert fields["scope"] == "a b" + HOSTILE
        assert fields["pass_on"] == HOSTILE
        assert fields[HOSTILE] == HOSTILE
        assert page.named("select")[0]["name"] == "until"
        assert page.named("option") == [{"value": "600", "selected": None}]

    def test_a_sensitive_scope_is_listed_without_a_box(self, url: str) -> None:
        page = Markup(httpx.get(f"{url}/page/consent.html").text)
        assert [field["name"] for field in page.named("input")].count("scope") == 1

    def test_enter_in_a_field_presses_the_first_button_which_denies(self, url: str) -> None:
        page = Markup(httpx.get(f"{url}/page/consent.html").text)
        assert [button["value"] for button in page.named("button")] == ["deny", "allow"]


class TestEndPage:
    def test_says_what_ends_with_it(self) -> None:
        page = EndPage(agent=AgentFace("b", "booker"), also=(AGENT, AGENT), withdrawn=1)
        assert page.sentence == (
            "This stops <bdi>booker</bdi> and 2 helpers. 1 waiting approval is withdrawn."
        )

    def test_says_no_more_than_there_is(self) -> None:
        page = EndPage(agent=AgentFace("b", "booker"))
        assert page.sentence == "This stops <bdi>booker</bdi>."

    def test_says_that_whoever_handed_it_on_could_do_so_again(self) -> None:
        page = EndPage(agent=AGENT, chain=(ChainLink("planner"), ChainLink("booker")))
        assert page.afterwards.startswith("<bdi>planner</bdi> could pass this on")

    def test_names_a_dozen_and_counts_the_rest(self) -> None:
        page = EndPage(agent=AGENT, also=(AGENT,) * 30)
        assert (len(page.named), page.unnamed) == (12, 18)

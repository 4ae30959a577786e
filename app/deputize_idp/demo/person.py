"""Ana's part: by a person with a browser, or by a session that presses the same buttons."""

import select
import sys
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Protocol
from urllib.parse import urljoin

import httpx

from .telling import NotAsToldError, Telling
from .trail import Trail

USERNAME = "ana"
PASSWORD = "correct horse battery"  # noqa: S105 - stands in demo.toml, for whoever plays

#: What can come of the end that an agent proposes, as the audit trail has it.
ANSWERS = ("task.ended", "task.reopened")


class Person(Protocol):
    """Who deputizes planner, decides what booker asks, and accepts that it is all over."""

    #: Seconds that the other side waits for her; None as long as it takes.
    patience: float | None

    #: What she lowers an amount to; None where nobody knows beforehand.
    amount: str | None

    def allow(self, url: str) -> None:
        """Let the agent act that asks at `url`."""
        ...

    def approve(self, inbox: str, approval_id: str) -> None:
        """Say yes to what an agent asks in the middle of its task, or to a lower amount."""
        ...

    def accept(self, agents_page: str, task_id: str) -> None:
        """Accept that the task is over, from the page of the agents that act for her."""
        ...


class ScriptedPerson:
    """Signs in and presses, over HTTP, what a person would."""

    patience: float | None = 30
    amount: str | None = "400.00"

    def __init__(self) -> None:
        self._http = httpx.Client(follow_redirects=True, timeout=10, trust_env=False)

    def allow(self, url: str) -> None:
        self._submit(self._open(url), decision="allow")

    def approve(self, inbox: str, approval_id: str) -> None:
        page = self._open(inbox)
        amounts = [name for name in _form(page, approval_id).fields if name.startswith("amount-")]
        if len(amounts) != 1:
            raise NotAsToldError("the card has no amount that Ana can lower")
        typed = {amounts[0]: str(self.amount)}
        self._submit(page, approval_id, decision="approve", **typed)

    def accept(self, agents_page: str, task_id: str) -> None:
        page = self._open(agents_page)
        links = [link for link in _read(page).links if link.endswith(f"/{task_id}")]
        if not links:
            raise NotAsToldError("the page of Ana's agents does not ask whether it is over")
        self._submit(self._http.get(urljoin(str(page.url), links[0])), task_id, decision="accept")

    def _open(self, url: str) -> httpx.Response:
        """Open a page, by way of the sign-in page where nobody is signed in."""
        page = self._http.get(url)
        if "password" in _form(page).fields:
            page = self._submit(page, username=USERNAME, password=PASSWORD)
        return page

    def _submit(self, page: httpx.Response, about: str = "", **typed: str) -> httpx.Response:
        form = _form(page, about)
        target = urljoin(str(page.url), form.action)
        return self._http.post(target, data=form.fields | typed).raise_for_status()


class PersonAtTheScreen:
    """Is told where to look, and waited for."""

    patience: float | None = None
    amount: str | None = None

    def __init__(self, telling: Telling, trail: Trail) -> None:
        self._telling = telling
        self._trail = trail

    def allow(self, url: str) -> None:
        self._telling.invite(f"Sign in as {USERNAME}, password “{PASSWORD}”, and decide:", url)

    def approve(self, inbox: str, approval_id: str) -> None:
        self._telling.invite(
            "booker asks to pay; you may lower the amount. Decide in your inbox:", inbox
        )

    def accept(self, agents_page: str, task_id: str) -> None:
        self._telling.invite(
            "planner says that it is done. Accept that here (or by Enter in this terminal):",
            agents_page,
        )
        while not self._has_answered(task_id):
            is_typed = select.select([sys.stdin], [], [], 0.5)[0]
            if is_typed and not self._has_answered(task_id):
                sys.stdin.readline()
                ScriptedPerson().accept(agents_page, task_id)

    def _has_answered(self, task_id: str) -> bool:
        return any(self._trail.has_happened(kind, task_id) for kind in ANSWERS)


@dataclass
class _Form:
    action: str = ""
    fields: dict[str, list[str] | str] = field(default_factory=dict)


class _Page(HTMLParser):
    """The forms as a browser would send them untouched, and the links."""

    def __init__(self) -> None:
        super().__init__()
        self.forms = [_Form()]
        self.links: list[str] = []
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "a":
            self.links.append(given.get("href", ""))
        elif tag == "form":
            self.forms.append(_Form(given.get("action", "")))
        elif tag == "select":
            self._select = given.get("name", "")
        elif tag == "option" and "selected" in given:
            self._add(self._select, given.get("value", ""))
        elif tag == "input" and ("checked" in given or given.get("type") != "checkbox"):
            self._add(given.get("name", ""), given.get("value", ""))

    def _add(self, name: str, value: str) -> None:
        fields = self.forms[-1].fields
        fields[name] = [*fields.get(name, []), value]


def _read(page: httpx.Response) -> _Page:
    parser = _Page()
    parser.feed(page.raise_for_status().text)
    return parser


def _form(page: httpx.Response, about: str = "") -> _Form:
    """Return the first form, or an empty one; with `about`, the first that is about it."""
    nothing, *forms = _read(page).forms
    return next((form for form in forms if about in form.action), nothing)

"""Ana with her browser: she signs in where she is asked to, and says yes on what follows."""

import re
from types import TracebackType
from typing import Self

import httpx

from support.world import read_form

SIGN_IN = {"username": ["ana"], "password": ["correct horse battery"]}
FORMS = 2  # to sign in, and to consent


class Person:
    """One browser, which keeps its cookies."""

    def __init__(self) -> None:
        self._browser = httpx.Client(follow_redirects=True, trust_env=False, timeout=30)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        raised: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._browser.close()

    def open(self, url: str) -> None:
        """Open a page and answer the forms that come, until there is none: she is back."""
        page = self._browser.get(url).raise_for_status()
        for _ in range(FORMS):
            if "<form" in page.text:
                page = self._submit(page)
        assert "<form" not in page.text, page.url

    def approve(self, inbox: str) -> None:
        """Say yes to the one question that waits; she is signed in already."""
        page = self._browser.get(inbox).raise_for_status()
        (card,) = re.findall(r'<form class="card deciding".*?</form>', page.text, re.DOTALL)
        form = read_form(card) | {"decision": ["approve"]}
        target = page.url.join(form.pop("action")[0])
        self._browser.post(target, data=form).raise_for_status()

    def _submit(self, page: httpx.Response) -> httpx.Response:
        form = read_form(page.text)
        target = page.url.join(form.pop("action")[0])
        typed = {name: value for name, value in SIGN_IN.items() if name in form}
        answer = self._browser.post(target, data=form | typed | {"decision": ["allow"]})
        return answer.raise_for_status()

"""One server per module, one callback, and a browser in two people's hands."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from pages.callback import Callback, listening
from pages.hands import Hands, Keyboard, Pointer
from pages.house import House, running_house


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Our host with Deputize, and the people and agents of `trip.toml`."""
    with running_house(tmp_path_factory.mktemp("house")) as house:
        yield house


@pytest.fixture
def callback() -> Iterator[Callback]:
    """Where planner waits for the answer."""
    with listening() as callback:
        yield callback


@pytest.fixture
def ana(house: House) -> str:
    """The user name of somebody who has never been here."""
    return house.ana()


@pytest.fixture(
    scope="module", params=[Pointer, Keyboard], ids=["pointer without scripts", "keyboard alone"]
)
def desk(request: pytest.FixtureRequest, chromium: Browser) -> Iterator[Hands]:
    """Where people sit down one after the other; who points has JavaScript switched off."""
    with_scripts = request.param is Keyboard
    with chromium.new_context(java_script_enabled=with_scripts) as context:
        yield request.param(context.new_page())


@pytest.fixture
def hands(desk: Hands) -> Hands:
    """A person at a browser that knows nobody; a window for each test would take half its time."""
    desk.page.context.clear_cookies()
    desk.page.goto("about:blank")
    return desk

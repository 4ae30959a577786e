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


@pytest.fixture(params=[Pointer, Keyboard], ids=["pointer without scripts", "keyboard alone"])
def hands(request: pytest.FixtureRequest, chromium: Browser) -> Iterator[Hands]:
    """A person at a browser; who points has JavaScript switched off."""
    with_scripts = request.param is Keyboard
    with chromium.new_context(java_script_enabled=with_scripts) as context:
        yield request.param(context.new_page())

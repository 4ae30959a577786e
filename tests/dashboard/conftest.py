"""A server with everybody who may look: the person, the owner, a sponsor, the security team, an
administrator, and somebody who has nothing to do with it. On each database.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import unescape

import httpx
import pytest

from deputize.host import Person
from support.agents_http import decode
from support.world import FLIGHTS, World, read_form, running_world

REGISTER, GRAPH, TASKS = "/deputize/register", "/deputize/graph", "/deputize/tasks"
PEOPLE = {
    "sue": Person("sue", "Sue Sponsor"),
    "otto": Person("otto", "Otto Other"),
    "sec": Person("sec", "Sec Team", roles=frozenset({"security"})),
    "adm": Person("adm", "Adm Inistrator", roles=frozenset({"admin"})),
}


@dataclass
class Trip:
    """Planner acts for Ana, booker through it, and a helper that booker started.

    Ben owns planner and Sue is its sponsor; Otto owns booker, and so its helper.
    """

    world: World
    planner: str
    booker: str
    helper: str
    holds: dict[str, str]
    at_api: dict[str, str]

    @property
    def task(self) -> str:
        return str(decode(self.holds[self.planner])[1]["task_id"])

    def node(self, client_id: str) -> str:
        return str(decode(self.holds[client_id])[1]["delegation_id"])

    def live(self) -> set[str]:
        """Return whose token its API still takes."""
        tokens = self.at_api.items()
        return {name for name, token in tokens if self.world.is_active(token, "flights-api")}


class Looker:
    """Somebody at a browser, who signed in a moment ago or not."""

    def __init__(self, world: World, name: str, *, freshly: bool = False) -> None:
        self.world, self.name = world, name
        self.http = httpx.Client(base_url=world.url, trust_env=False, timeout=10)
        with world.context.db.read() as tx:
            at = tx.now if freshly else tx.now - 86_400
        self.http.get("/sign-in", params={"person": name, "at": at}).raise_for_status()

    def see(self, path: str, status: int = 200) -> str:
        """Return what stands on a page, in words."""
        answer = self.http.get(path)
        assert answer.status_code == status, (answer.status_code, answer.text)
        return words_of(answer.text)

    def press(self, path: str) -> httpx.Response:
        """Post the form of a page, as it stands there."""
        page = self.http.get(path)
        assert page.status_code == 200, page.text
        form = read_form(page.text)
        return self.http.post(form["action"][0], data={"csrf_token": form["csrf_token"][0]})

    def forge(self, path: str) -> httpx.Response:
        """Post to a page that is not shown to them, with a token of a page that is."""
        page = self.http.get("/deputize/user-code")
        token = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
        return self.http.post(path, data={"csrf_token": token[1] if token else ""})


def words_of(html: str) -> str:
    main = html.partition('<main id="main"')[2].partition(">")[2].partition("</main>")[0]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", main)).split())


@pytest.fixture(scope="module")
def world(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with running_world(module_database_url, tmp_path_factory.mktemp("world")) as world:
        world.host.people.update(PEOPLE)
        yield world


@pytest.fixture
def trip(world: World) -> Trip:
    """A trip that the test may end."""
    return make_trip(world)


@pytest.fixture(scope="module")
def calm(world: World) -> Trip:
    """A trip that is only looked at."""
    return make_trip(world)


def make_trip(world: World) -> Trip:
    """Let it begin, under names of its own."""
    number = len(world.keys)
    planner, booker = f"planner-{number}", f"booker-{number}"
    passes = frozenset({"spawned", booker})
    world.register(planner, owner="ben", sponsor="sue", delegates_to=passes)
    world.register(booker, owner="otto")
    hold = world.hold(planner)
    taken = world.hand_over(hold, planner, booker, "flights:search agents:spawn")
    helper = world.spawn(booker, taken, "flights:search")
    helping = world.hand_over(taken, booker, helper, "flights:search")
    holds = {planner: hold, booker: taken, helper: helping}
    at_api = {
        name: world.agent(name).exchange(token, resource=FLIGHTS).json()["access_token"]
        for name, token in holds.items()
    }
    return Trip(world, planner, booker, helper, holds, at_api)


@contextmanager
def later(world: World, seconds: int) -> Iterator[None]:
    world.pass_time(seconds)
    yield
    world.pass_time(-seconds)

"""What every test can ask for: a fresh database on each engine, a real browser.

A test that takes `database_url` runs on SQLite and on PostgreSQL; mark it `sqlite_only`
or `postgresql_only` where only one has what it is about. The plugin's tables are in it, as
a server leaves them; a folder says in `has_tables` that it asks how tables come to be.
"""

import gc
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import httpx
import hypothesis
import pytest
from argon2 import PasswordHasher
from playwright.sync_api import Browser, Error, sync_playwright

from deputize_idp import passwords
from support.databases import put_tables, with_tables
from support.missing import missing
from support.postgres import PostgresUnavailableError, Server, running

ENGINES = ("sqlite", "postgresql")
#: New objects before the garbage collector looks; by default 700, which takes a fifth of the time.
COLLECT_AFTER = 20_000
#: What Chromium does without, as Playwright has it, whose own list this replaces: and the
#: address bar's pop-ups, two pages that each window loads, in a third of the time that it takes.
UNWANTED = (
    "WebUIOmniboxPopup,WebUIOmniboxAimPopup,AvoidUnnecessaryBeforeUnloadCheckSync,"
    "DestroyProfileOnBrowserClose,HttpsUpgrades,HttpsFirstBalancedModeAutoEnable,LensOverlay,"
    "MediaRouter,PaintHolding,ThirdPartyStoragePartitioning,AvoidCorsURLLoaderRestartOnRedirect,"
    "OptimizationHints,NetworkTimeServiceQuerying,AimEnabled,PreconnectToSearch"
)
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)

hypothesis.settings.register_profile("default", max_examples=20, derandomize=True, deadline=None)
hypothesis.settings.register_profile("ci", max_examples=60, derandomize=True, deadline=None)
hypothesis.settings.register_profile("deep", max_examples=2000, print_blob=True, deadline=None)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


def pytest_configure(config: pytest.Config) -> None:
    gc.set_threshold(COLLECT_AFTER)
    for engine in ENGINES:
        config.addinivalue_line("markers", f"{engine}_only: database URLs of this engine alone")


def pytest_collection_finish() -> None:
    """Spare the collector what was imported: all of it stays."""
    gc.collect()
    gc.freeze()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what asks for a database on each engine, but where a marker names one."""
    only = [e for e in ENGINES if metafunc.definition.get_closest_marker(f"{e}_only")]
    for name in ("database_url", "module_database_url", "engine"):
        if name in metafunc.fixturenames:
            metafunc.parametrize(name, only or ENGINES, indirect=True)


@pytest.fixture(scope="session", autouse=True)
def cheap_passwords() -> Iterator[None]:
    """Hash passwords at little cost in this process; `deputize` in its own does it at full."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "HASHER", CHEAP)
        yield


@pytest.fixture(scope="session", autouse=True)
def certificates_read_once() -> Iterator[None]:
    """Let httpx read the machine's root certificates once, not again for each client."""
    with pytest.MonkeyPatch.context() as patch:
        shared = cache(httpx.create_ssl_context)
        patch.setattr("httpx._transports.default.create_ssl_context", shared)
        yield


@pytest.fixture(scope="module")
def engine(request: pytest.FixtureRequest) -> str:
    """The name of the engine, for a module that has several databases."""
    return str(request.param)


@pytest.fixture(scope="session")
def has_tables() -> bool:
    """Whether the plugin's tables are in a fresh database."""
    return True


@pytest.fixture
def database_url(request: pytest.FixtureRequest, tmp_path: Path, has_tables: bool) -> Iterator[str]:
    """The URL of a database of the test's own, with nothing in its tables."""
    with _fresh_database(request, tmp_path, has_tables) as url:
        yield url


@pytest.fixture(scope="module")
def module_database_url(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, has_tables: bool
) -> Iterator[str]:
    """The same for a whole module, where one server answers all its tests."""
    with _fresh_database(request, tmp_path_factory.mktemp("database"), has_tables) as url:
        yield url


@contextmanager
def _fresh_database(
    request: pytest.FixtureRequest, folder: Path, has_tables: bool
) -> Iterator[str]:
    if request.param == "sqlite":
        url = f"sqlite:///{folder}/deputize.sqlite3"
        if has_tables:
            put_tables(url)
        yield url
        return
    server: Server = request.getfixturevalue("postgresql")
    url = with_tables(server) if has_tables else server.create_database()
    yield url
    server.drop_database(url)


@pytest.fixture(scope="session")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The PostgreSQL that all workers of the session share."""
    folder = tmp_path_factory.getbasetemp()
    shared = folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder
    try:
        with running(shared) as server:
            yield server
    except PostgresUnavailableError as error:
        missing("PostgreSQL", str(error))


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The system's Chromium; take a `new_context()` of it per test.

    For a module and no longer: while it is open, Playwright keeps an event loop running in
    this thread, and the `asyncio.run` of any later test would fail.
    """
    path = shutil.which("chromium") or missing("Chromium", "no `chromium` on PATH")
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(
                executable_path=path, args=[f"--disable-features={UNWANTED}"]
            )
        except Error as error:
            missing("Chromium", error.message.splitlines()[0])
        yield browser
        browser.close()

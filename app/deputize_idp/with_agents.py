"""The identity provider with Deputize added to it: what `deputize serve` serves.

This is all that a team does to its own server: make the app, describe it as a `Host`,
call `init_app`.
"""

import json
import logging
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

from flask import Flask
from pydantic import SecretStr
from sqlalchemy.exc import SQLAlchemyError

from deputize import Deputize
from deputize.approvals.holding import STEP_ASIDE
from deputize.core.clock import FileClock
from deputize.settings import Settings as PluginSettings

from .composition import create_app
from .configuration import Configuration
from .database import db
from .health import add_ready_check
from .host import IdpHost
from .serve import SWEEP_SECONDS, THREADS, serve, settings_from_environment, when_told_to_stop
from .turnstile import Turnstile

#: Seconds for which a poll is held, where the settings say nothing.
HOLD_SECONDS = 20

ENVIRONMENT = "DEPUTIZE_SERVED_SETTINGS"
TARGET = "deputize_idp.with_agents:app_from_environment"


def create_app_with_agents(configuration: Configuration) -> Flask:
    """The WSGI app of both, ready to answer."""
    app = create_app(configuration.idp, clock=clock_of(configuration.plugin))
    settings = with_key_secret(configuration.plugin, app.config["SECRET_KEY"])
    agents = Deputize(host=IdpHost(app), settings=settings)
    agents.init_app(app)
    add_ready_check(app, agents.context.validate_ready)
    app.config["ACCOUNT_LINKS"] = {"Agents acting for me": "deputize_agents.agents"}
    return app


def clock_of(settings: PluginSettings) -> Callable[[], float]:
    """One clock for both, also where tests move it."""
    return FileClock(Path(settings.clock_file)).now if settings.clock_file else time.time


def with_key_secret(settings: PluginSettings, secret_key: str) -> PluginSettings:
    """The plugin's signing keys are encrypted at rest too, and by the same secret: each
    derives a key of its own from it."""
    if settings.key_secret is not None:
        return settings
    return settings.model_copy(update={"key_secret": SecretStr(secret_key)})


def serve_with_agents(configuration: Configuration, host: str, port: int, workers: int = 1) -> None:
    """Serve both until SIGTERM or SIGINT, as `serve` does, once both are prepared.

    :raises SystemExit: with 1 if the address is taken, or a worker could not start or died.
    """
    os.environ[ENVIRONMENT] = dump(configuration.plugin)
    waiting = configuration.plugin.approvals.max_held if holds(configuration.plugin) else 0
    serve(configuration.idp, host, port, workers, target=TARGET, waiting=waiting)
    seal_the_last(configuration)


def prepare(configuration: Configuration) -> None:
    """Make both databases before there are workers, and leave no connection to inherit."""
    close(create_app_with_agents(configuration))


def seal_the_last(configuration: Configuration) -> None:
    """Seal what the workers did since they last sealed: they have stopped."""
    try:
        app = create_app_with_agents(configuration)
        app.extensions["deputize"].sealer.seal()
        close(app)
    except SQLAlchemyError as error:
        logging.getLogger(__name__).warning("audit: not sealed: %s", error)


def close(app: Flask) -> None:
    """Let go of both databases."""
    app.extensions["deputize"].context.db.close()
    with app.app_context():
        db.engine.dispose()


def app_from_environment() -> Flask:
    """The app in a worker; its settings are taken out of the environment."""
    plugin = with_holding(PluginSettings.model_validate_json(os.environ.pop(ENVIRONMENT)))
    app = create_app_with_agents(Configuration(settings_from_environment(), plugin))
    threading.Thread(target=sweep_now_and_then, args=(app,), daemon=True).start()
    app.extensions["deputize"].begin_sending()
    if holds(plugin):
        app.wsgi_app = Turnstile(app.wsgi_app, THREADS, STEP_ASIDE)  # type: ignore[method-assign]
        when_told_to_stop(app.extensions["deputize"].context.holding.end)
    return app


def holds(plugin: PluginSettings) -> bool:
    """Tell whether polls are held until there is an answer."""
    return plugin.approvals.hold_poll != 0


def with_holding(plugin: PluginSettings) -> PluginSettings:
    """Hold polls where nothing else was chosen: `serve` has the threads for it."""
    if plugin.approvals.hold_poll is not None:
        return plugin
    approvals = plugin.approvals.model_copy(update={"hold_poll": HOLD_SECONDS})
    return plugin.model_copy(update={"approvals": approvals})


def sweep_now_and_then(app: Flask) -> None:
    """Write down what time has ended, in each worker; what fails is tried again later."""
    while True:
        try:
            app.extensions["deputize"].sweep()
        except SQLAlchemyError:
            app.logger.exception("sweep of agents")
        time.sleep(SWEEP_SECONDS)


def dump(settings: PluginSettings) -> str:
    """The settings as JSON, with the secrets in it: for the environment, not for a log."""
    return json.dumps(settings.model_dump(), default=_plain)


def _plain(value: object) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)

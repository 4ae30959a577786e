"""Canaille, an identity provider from the package index, with Deputize added to it.

Nothing of Canaille is changed: its own `create_app` makes the app, `host.py` describes it,
one call does the rest.
"""

import os
from pathlib import Path

import canaille
from flask import Flask

from deputize import Deputize
from deputize.configuration import Layers, load_settings
from deputize.settings import Settings

from .host import CanailleHost


def create_app() -> Flask:
    """Make Canaille from the file that `CANAILLE_CONFIG` names, with agents.

    Its table `[deputize]`, which Canaille does not read, has the settings of Deputize.
    """
    app = canaille.create_app()
    file = Path(os.environ["CANAILLE_CONFIG"])
    add_agents(app, load_settings(Layers(file=file, environ=os.environ)))
    return app


def add_agents(app: Flask, settings: Settings) -> None:
    """Add Deputize to Canaille."""
    Deputize(host=CanailleHost(), settings=settings).init_app(app)

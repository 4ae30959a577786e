"""An identity provider for people: a small, complete Authlib and Flask server, the kind
that a team already runs. Read `create_app` first, in `composition.py`: it names every part.

The names are looked up when they are asked for, so that the demo's agents and APIs need
neither Flask nor SQLAlchemy, and start in a quarter of the time.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .clients import declare_client
    from .composition import create_app
    from .declared import DeclarationError, Declared
    from .people import declare_person
    from .settings import Settings

__all__ = [
    "DeclarationError",
    "Declared",
    "Settings",
    "create_app",
    "declare_client",
    "declare_person",
]

_HOMES = {
    "DeclarationError": "declared",
    "Declared": "declared",
    "Settings": "settings",
    "create_app": "composition",
    "declare_client": "clients",
    "declare_person": "people",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f".{_HOMES[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

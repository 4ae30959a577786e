"""Deputize: AI agents as first-class identities of the identity provider you already have.

`Deputize(host=...).init_app(app)` is where a host begins. The name is looked up when it
is asked for, so that `deputize.client` and `deputize.resource` need neither Flask nor
SQLAlchemy.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .extension import Deputize

__all__ = ["Deputize"]


def __getattr__(name: str) -> Any:
    if name == "Deputize":
        from .extension import Deputize

        return Deputize
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

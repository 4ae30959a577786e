"""The hosts that the checks run on."""

from hosts.canailles import CanailleMemory, CanailleSql
from hosts.flask_hosts import AuthlibServer, BareFlask, DeputizeIdp
from hosts.hosting import Hosting

HOSTINGS: tuple[Hosting, ...] = (
    DeputizeIdp(),
    AuthlibServer(),
    BareFlask(),
    CanailleSql(),
    CanailleMemory(),
)


def named(name: str) -> Hosting:
    """Return the host of that name."""
    return next(hosting for hosting in HOSTINGS if hosting.name == name)

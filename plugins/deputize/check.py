"""Does the host fit? What would fail at the first request is refused at start, and
`flask deputize check` tells the rest: what was found, what is missing, what to add.
"""

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from flask import Flask
from werkzeug.exceptions import HTTPException

from .host import FindsAddress, FindsByHint, Host, Paths
from .outbox.channel import Channel, KeepsAddresses
from .part import ConfigurationError
from .seam import DEFAULT_PATHS, Seam

#: What the last part of an endpoint's path usually is, where no document names it.
_USUAL = {
    "authorize": {"authorize", "authorization", "auth"},
    "token": {"token"},
    "introspection": {"introspect", "introspection"},
    "revocation": {"revoke", "revocation"},
    "registration": {"register", "registration"},
    "backchannel_authentication": {"bc-authorize", "backchannel-authentication"},
    "pushed_authorization_request": {"par"},
    "jwks": {"jwks", "jwks.json"},
    "oauth_metadata": {"oauth-authorization-server"},
    "openid_metadata": {"openid-configuration"},
}
#: Below it, nothing is the host's.
_OUR_PAGES = "/deputize/"
_BY_GET = frozenset({"authorize", "jwks", "oauth_metadata", "openid_metadata"})
_MEMBERS = {
    "authorize": "authorization_endpoint",
    "token": "token_endpoint",
    "introspection": "introspection_endpoint",
    "revocation": "revocation_endpoint",
    "registration": "registration_endpoint",
    "backchannel_authentication": "backchannel_authentication_endpoint",
    "pushed_authorization_request": "pushed_authorization_request_endpoint",
    "jwks": "jwks_uri",
}


class Kind(StrEnum):
    """What a finding asks of the host's owner."""

    FOUND = "found"
    ADVICE = "advice"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    :param line: what to add, and where; empty where there is nothing to do
    """

    kind: Kind
    text: str
    line: str = ""


def validate_host(host: object) -> None:
    """Refuse a host that does not offer what `Host` asks for.

    :raises ConfigurationError: naming each member that is missing or cannot be called so
    """
    problems = [*_members(host), *_offered(host), *_paths(getattr(host, "paths", None))]
    if problems:
        raise ConfigurationError("\n".join(problems))


def _members(host: object) -> Iterator[str]:
    for name, wanted in inspect.getmembers(Host, inspect.isfunction):
        if name.startswith("_"):
            continue
        signature = inspect.signature(wanted)
        member = getattr(host, name, None)
        if not callable(member):
            yield f"Host.{name} is missing: add `def {name}{signature}`"
        elif not _can_be_called(member, len(signature.parameters) - 1):
            yield f"Host.{name} is called otherwise: make it `def {name}{signature}`"


def _offered(host: object) -> Iterator[str]:
    """Tell what is wrong with a member that a host may leave out."""
    if isinstance(host, FindsByHint) and not _can_be_called(host.find_person_by_hint, 1):
        signature = inspect.signature(FindsByHint.find_person_by_hint)
        yield f"Host.find_person_by_hint is called otherwise: make it `def ...{signature}`"
    if isinstance(host, FindsAddress) and not _can_be_called(host.find_address, 2):
        signature = inspect.signature(FindsAddress.find_address)
        yield f"Host.find_address is called otherwise: make it `def ...{signature}`"


def _can_be_called(member: Any, arguments: int) -> bool:
    try:
        inspect.signature(member).bind(*[""] * arguments)
    except TypeError:
        return False
    except ValueError:  # a builtin that does not tell
        return True
    return True


def _paths(paths: object) -> Iterator[str]:
    if not isinstance(paths, Paths):
        yield "Host.paths is missing: add `paths = Paths(...)`, with what the host answers itself"
        return
    named: dict[str, str] = {}
    for name, path in _named(paths):
        if not _is_path(path):
            yield f"Host.paths.{name} is {path!r}: a path begins with a slash and is no URL"
        elif path in named:
            yield f"Host.paths.{name} is {path!r}, as {named[path]} is: each has one of its own"
        named.setdefault(path, name)


def _is_path(path: object) -> bool:
    return isinstance(path, str) and path.startswith("/") and urlsplit(path).path == path


def _named(paths: Paths) -> list[tuple[str, Any]]:
    given = [(field.name, getattr(paths, field.name)) for field in fields(paths)]
    return [(name, path) for name, path in given if path is not None]


def check_app(app: Flask) -> list[Finding]:
    """Return what was found in an app that Deputize was added to."""
    deputize = app.extensions["deputize"]
    paths: Paths = deputize.host.paths
    return [
        *_endpoints(app, paths),
        *_documents(app, paths, deputize.settings.issuer),
        _hints(deputize.host),
        *_channels(deputize.host, deputize.context.channels),
        _policy(deputize.context.judges),
        *_app(app),
        *_settings(deputize.settings),
    ]


def _endpoints(app: Flask, paths: Paths) -> Iterator[Finding]:
    for field in fields(paths):
        name, path = field.name, getattr(paths, field.name)
        if path is not None:
            yield _declared(app, name, path)
            continue
        likely = _likely(app, name)
        ours = getattr(DEFAULT_PATHS, name)
        if likely:
            text = f"{name}: the app answers {likely}, and Host.paths does not name it"
            yield Finding(Kind.MISSING, text, f"paths = Paths(..., {name}={likely!r})")
        else:
            yield Finding(Kind.FOUND, f"{name}: the host has none, Deputize serves {ours}")


def _declared(app: Flask, name: str, path: str) -> Finding:
    method = "GET" if name in _BY_GET else "POST"
    try:
        app.url_map.bind("localhost").match(path, method=method)
    except HTTPException:
        text = f"{name}: Host.paths names {path}, where the app answers no {method}"
        return Finding(Kind.MISSING, text, f"a route for {path}, or no `{name}` in Host.paths")
    return Finding(Kind.FOUND, f"{name}: {path}, the host's")


def _likely(app: Flask, name: str) -> str | None:
    method = "GET" if name in _BY_GET else "POST"
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith(_OUR_PAGES):
            continue
        last = rule.rule.rpartition("/")[2]
        if last in _USUAL[name] and method in (rule.methods or ()) and "<" not in rule.rule:
            return rule.rule
    return None


def _documents(app: Flask, paths: Paths, issuer: str) -> Iterator[Finding]:
    for name in ("oauth_metadata", "openid_metadata"):
        path = getattr(paths, name)
        document = _document(app, path, issuer) if path else None
        if document is None:
            continue
        if document.get("issuer") != issuer:
            text = f"{path}: the host calls itself {document.get('issuer')}, Deputize {issuer}"
            yield Finding(Kind.MISSING, text, f"issuer = {str(document.get('issuer'))!r}")
        yield from _told(document, paths, issuer, path)


def _told(document: Any, paths: Paths, issuer: str, where: str) -> Iterator[Finding]:
    for name, member in _MEMBERS.items():
        url, path = document.get(member), getattr(paths, name)
        if path and isinstance(url, str) and url != issuer + path:
            text = f"{where}: {member} is {url}, Host.paths says {path}"
            yield Finding(Kind.MISSING, text, f"paths = Paths(..., {name}={urlsplit(url).path!r})")


def _document(app: Flask, path: str, issuer: str) -> Any:
    document = app.test_client().get(path, base_url=issuer).get_json(silent=True)
    return document if isinstance(document, dict) else None


def _hints(host: object) -> Finding:
    if isinstance(host, FindsByHint):
        return Finding(Kind.FOUND, "login_hint: the host says whom it names")
    return Finding(Kind.FOUND, "login_hint: not offered, for want of Host.find_person_by_hint")


def _channels(host: object, channels: Mapping[str, Channel]) -> Iterator[Finding]:
    """Tell of each channel that is on; nothing is sent, and nobody is connected to."""
    if not channels:
        yield Finding(Kind.FOUND, "notifiers: none is on; questions wait in the inbox")
    for name, channel in channels.items():
        needs_host = channel.is_personal and not isinstance(channel, KeepsAddresses)
        if needs_host and not isinstance(host, FindsAddress):
            text = f"{name}: nobody is reached by it, for want of Host.find_address"
            yield Finding(Kind.MISSING, text, "def find_address(self, key, channel): ...")
        else:
            yield Finding(Kind.FOUND, f"{name}: {channel.where}")


def _policy(judges: tuple[Any, ...]) -> Finding:
    if not judges:
        return Finding(Kind.FOUND, "policy: nobody is asked")
    return Finding(Kind.FOUND, f"policy: {', '.join(judge.point.where for judge in judges)}")


def _app(app: Flask) -> Iterator[Finding]:
    first = next(iter(app.before_request_funcs.get(None, ())), None)
    if getattr(first, "__func__", None) is not Seam.before_request:
        text = "another before_request hook was put before ours, and sees agents' requests first"
        yield Finding(Kind.MISSING, text, "call init_app last")
    if not app.secret_key:
        text = "the app has no secret key: nobody can sign in, and no form is protected"
        yield Finding(Kind.MISSING, text, "app.secret_key = ...")
    if {"migrate", "alembic"} & app.extensions.keys():
        text = "the app has migrations: keep their autogenerate off our tables"
        line = "context.configure(..., include_name=deputize.migrations.include_name)"
        yield Finding(Kind.ADVICE, text, line)


def _settings(settings: Any) -> Iterator[Finding]:
    if settings.key_secret is None:
        text = "signing keys are stored as they are, readable to whoever reads the database"
        yield Finding(Kind.ADVICE, text, "key_secret = ...")
    on_sqlite = settings.database_url.startswith("sqlite")
    yield Finding(Kind.FOUND, f"database: {'SQLite, one machine' if on_sqlite else 'PostgreSQL'}")

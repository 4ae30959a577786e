"""Which channels there are, and which are on: ours, and those that installed packages add.

Ours stand here by name, so that no package can take the name of one. A mistake in the settings
is told at start, with its key; nothing is connected to.
"""

from collections.abc import Mapping
from importlib.metadata import entry_points
from typing import Any

from pydantic import ValidationError

from ...outbox.channel import Channel, WrongSetting
from ...part import ConfigurationError
from ...settings import Notify
from ...typed_toml import mistakes, unknown_key
from .chat import Chat
from .email import Email
from .web_push import WebPush
from .webhook import Webhook

#: The entry points by which another package adds a channel: its name, and its class.
GROUP = "deputize.notifiers"

OURS: Mapping[str, Any] = {
    "email": Email,
    "webhook": Webhook,
    "chat": Chat,
    "web_push": WebPush,
}

Mistake = tuple[tuple[str, ...], str]


def open_channels(notify: Notify) -> dict[str, Channel]:
    """Return the channels that are on, by name.

    :raises ConfigurationError: a line for each mistake
    """
    opened, wrong = _read(notify)
    if wrong:
        lines = [f"[deputize.{'.'.join(key[:-1])}] {key[-1]}: {text}" for key, text in wrong]
        raise ConfigurationError("\n".join(lines))
    return opened


def channel_mistakes(notify: Notify) -> list[Mistake]:
    """Return what is wrong in the settings: the key, from `notify` on, and what is expected."""
    return _read(notify)[1]


def _read(notify: Notify) -> tuple[dict[str, Channel], list[Mistake]]:
    others = notify.model_extra or {}
    known = {**_installed(), **OURS} if notify.channels or others else {}
    wrong: list[Mistake] = [
        (("notify", name), unknown_key(name, sorted({*known, "channels", "details"})))
        for name in others
        if name not in known
    ]
    opened: dict[str, Channel] = {}
    for name in notify.channels:
        if name not in known:
            text = f"no channel {name!r} is installed; known here are: {', '.join(sorted(known))}"
            wrong.append((("notify", "channels"), text))
            continue
        try:
            opened[name] = _made(known[name], name, notify)
        except _Wrong as error:
            wrong.extend(error.found)
    return opened, wrong


class _Wrong(Exception):  # noqa: N818 - never leaves this file
    def __init__(self, found: list[Mistake]) -> None:
        super().__init__()
        self.found = found


def _made(kind: Any, name: str, notify: Notify) -> Channel:
    at = ("notify", name)
    kind = _loaded(kind) if name not in OURS else kind
    try:
        own = getattr(notify, name, {})
        section = own if name in OURS else kind.section.model_validate(own)
        channel: Channel = kind(section)
    except ValidationError as error:
        found = mistakes(error, kind.section)
        raise _Wrong([((*at, *map(str, key)), text) for key, text in found]) from None
    except WrongSetting as error:
        raise _Wrong([((*at, error.key), error.text)]) from None
    return channel


def _loaded(entry: Any) -> Any:
    try:
        return entry.load()
    except Exception as error:  # noqa: BLE001 - another package's import
        text = f"{entry.value} cannot be loaded: {type(error).__name__}"
        raise _Wrong([(("notify", "channels"), text)]) from None


def _installed() -> dict[str, Any]:
    return {entry.name: entry for entry in entry_points(group=GROUP)}

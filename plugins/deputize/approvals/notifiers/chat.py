"""Telling people where they chat, by Apprise: one library for the many services there are.

It is imported only where the channel is on. Its URLs are an administrator's, or the host's and
then of the schemes that an administrator allows: Apprise connects wherever one says.
"""

from importlib.util import find_spec
from typing import Any

from ...outbox.channel import Message, WrongSetting
from ...outbox.delivery import NotDelivered
from ...settings import Chat as ChatSection


class Chat:
    """One room of the organisation's, or an address for each person.

    :raises WrongSetting: for a URL that is missing or can't be one, or without the library
    """

    section = ChatSection

    def __init__(self, section: ChatSection) -> None:
        if find_spec("apprise") is None:
            raise WrongSetting("url", "needs the extra `chat`: pip install deputize[chat]")
        self._room = section.url.get_secret_value() if section.url else ""
        self._schemes = frozenset(section.schemes)
        if not self._room and not self._schemes:
            raise WrongSetting("url", "is missing, and so is `schemes`: the channel is on")
        if self._room and _opened(self._room) is None:
            raise WrongSetting("url", "expected a URL that Apprise knows")
        self.label = section.label
        self.is_personal = not self._room
        self.has_one_server = bool(self._room)
        self.where = (
            f"{_scheme(self._room)}, one room" if self._room else ", ".join(section.schemes)
        )

    def send(self, address: str, message: Message) -> None:
        """Send it as plain text.

        :raises NotDelivered: where the service did not take it
        """
        if self.is_personal and _scheme(address) not in self._schemes:
            raise NotDelivered("the address has a scheme that is not allowed")
        service = _opened(address if self.is_personal else self._room)
        text = f"{message.text}\n\n{message.url}"
        if service is None or not service.notify(text, message.title, body_format="text"):
            raise NotDelivered("Apprise: not sent")


def _scheme(url: str) -> str:
    return url.partition("://")[0].lower()


def _opened(url: str) -> Any:
    """Return what sends to that URL; None where it is none."""
    from apprise import Apprise

    service = Apprise()
    return service if service.add(url) else None

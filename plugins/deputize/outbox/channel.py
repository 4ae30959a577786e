"""A way to tell people something: what a channel is, ours and those of other packages.

Another package names its class under the entry points `deputize.notifiers`. It is made from its
own table of the settings, and sends from the outbox: again, where it has not arrived.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol, runtime_checkable

from pydantic import BaseModel


@dataclass(frozen=True, slots=True)
class Message:
    """What is told: words for a person, members for a program. It holds no secret, and decides
    nothing: where there is something to decide, `url` leads to the page.

    :param id: the same at each attempt
    :param kind: such as `approval.requested`
    :param at: NumericDate of this attempt
    :param title: one line
    :param text: some lines; `url` is not among them
    :param person: the host's key of whom it is about
    :param facts: what else a program may want to know
    :param lasts: seconds in which it still means something
    """

    id: str
    kind: str
    at: int
    title: str
    text: str
    url: str
    person: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    lasts: int = 600


class WrongSetting(ValueError):  # noqa: N818 - it is told as a configuration error
    """A channel cannot be made from its table.

    :param key: of its table
    :param text: what is expected there
    """

    def __init__(self, key: str, text: str) -> None:
        super().__init__(key, text)
        self.key = key
        self.text = text


class Channel(Protocol):
    """One way to tell people, made from its table of the settings.

    Its maker connects to nobody, and raises `WrongSetting`.
    """

    section: ClassVar[type[BaseModel]]
    """What its table is read into."""
    label: str
    """What people call it."""
    where: str
    """Where it sends to, for an operator, without a secret."""
    is_personal: bool
    """Whether each person has an address; else it goes to the organisation."""
    has_one_server: bool
    """Whether all of it goes through one server: if that is slow, all of it waits."""

    def send(self, address: str, message: Message) -> None:
        """Send it, within 20 seconds.

        :param address: where the person is reached; empty where the channel is not personal
        :raises NotDelivered: where it has not arrived; its text names no address and no secret
        """
        ...


@runtime_checkable
class KeepsAddresses(Protocol):
    """A channel that knows by itself where people are reached: the host is not asked.

    They say it on a page of ours, at what is to tell them: what it sends is as little as that
    it does not matter who reads it.
    """

    page: str
    """The page's endpoint."""

    def find_address(self, key: str) -> str:
        """Return where the person of that key is reached; empty where they are not."""
        ...

    def describe(self, address: str) -> str:
        """Say in a few words what it leads to."""
        ...

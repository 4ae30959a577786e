"""Telling a person in their browsers (RFC 8030), by the push services of those browsers' makers.

They are told that an agent waits, in one of few sentences: neither which, nor what it asks,
whatever the settings allow other channels. Who else is at a person's browser can subscribe too.
"""

from typing import ClassVar

from pydantic import BaseModel

from ...core.db import Database
from ...core.sealed import Box
from ...delegation.persons import find_person_id
from ...outbox.channel import Message, WrongSetting
from ...settings import WebPush as WebPushSection
from ...web.words import count_of
from ...web_push.application_server import ApplicationServer
from ...web_push.models import browsers_of
from ...web_push.send import Told, tell

_WAITS = ("An agent waits for your word", "Sign in to see what it asks.")
_SAID = {
    "approval.digest": ("Agents asked for your word", "They did so while it was quiet."),
    "notify.test": ("A test", "This is how this browser tells you. Nothing waits."),
}


class WebPush:
    """The browsers that people have added.

    :raises WrongSetting: where nobody is named whom a push service can reach
    """

    section: ClassVar[type[BaseModel]] = WebPushSection
    label = "Your browsers"
    is_personal = True
    has_one_server = False
    page = "deputize_browsers.browsers"

    def __init__(self, section: WebPushSection) -> None:
        if section.contact is None:
            raise WrongSetting("contact", "is missing: the channel is on")
        self._section = section
        self.where = f"{count_of(len(section.services), 'push service')}, {section.contact}"

    def keep_in(self, db: Database, box: Box) -> None:
        """Find browsers, and this server's key, in that database from now on."""
        self.server = ApplicationServer(db, box, self._section)

    def find_address(self, key: str) -> str:
        """Return our id of the person; empty where no browser tells them."""
        with self.server.db.read() as tx:
            person_id = find_person_id(tx, key)
            return person_id if person_id and browsers_of(tx, person_id) else ""

    def describe(self, address: str) -> str:
        """Say how many browsers tell the person."""
        with self.server.db.read() as tx:
            return count_of(len(browsers_of(tx, address)), "browser")

    def send(self, address: str, message: Message) -> None:
        """Tell each browser that it has not arrived at.

        :raises NotDelivered: where it has not arrived at one of them
        """
        title, text = _SAID.get(message.kind, _WAITS)
        # A test takes the place of no question: `notify` is another topic than `approval`.
        topic = message.kind.partition(".")[0]
        tell(self.server, address, Told(message.id, topic, title, text, message.lasts))

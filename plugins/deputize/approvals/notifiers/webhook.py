"""Telling the organisation's own system, by one signed POST (Standard Webhooks 1.0).

What it tells of is decided on the page all the same.
"""

from ...outbox.channel import Message
from ...outbox.standard_webhook import StandardWebhook
from ...settings import Webhook as WebhookSection


class Webhook:
    """One URL, an administrator's.

    :raises WrongSetting: for a URL or a secret that is missing, or can't be one
    """

    section = WebhookSection
    is_personal = False
    has_one_server = True

    def __init__(self, section: WebhookSection) -> None:
        self._webhook = StandardWebhook(section)
        self.label = section.label
        self.where = f"{self._webhook.host}, signed"

    def send(self, address: str, message: Message) -> None:
        """Post it; whatever is not 2xx has not arrived.

        :raises NotDelivered: with the status, or why there is none
        """
        self._webhook.post(message.id, message.kind, message.at, _data(message))


def _data(message: Message) -> dict[str, object]:
    return {
        "title": message.title,
        "text": message.text,
        "url": message.url,
        "person": message.person,
        **message.facts,
    }

"""Sending one message to one browser, by its push service (RFC 8030 §5).

What it says is one of few sentences, of one length, and the browser alone can read it: the push
service learns that we send, to whom it delivers anyway.
"""

from dataclasses import dataclass

from sqlalchemy import update

from ..core.guarded_http import FetchError, post
from ..core.values import canonical_json
from ..core.vapid import authorization
from ..core.web_push import encrypt
from ..delegation.context import Context
from ..outbox.delivery import NotDelivered
from .models import Browser, Subscription, browser
from .read_subscription import is_allowed
from .remove import remove_browsers
from .server_key import server_key

#: Bytes of what is encrypted, whatever it says.
PADDED = 512

#: RFC 8030 §5.4: a later one takes the place of what the browser was not yet told.
TOPIC = "approvals"

#: RFC 8030 §7.3: such a subscription is no more.
_GONE = (404, 410)


@dataclass(frozen=True, slots=True)
class Told:
    """What the browser shows. Text alone: where it leads to, the browser knows.

    :param expires_at: NumericDate from which it is too late
    """

    title: str
    text: str
    expires_at: int

    def encode(self) -> bytes:
        """Return it as JSON of `PADDED` bytes: blanks may follow it."""
        return canonical_json({"title": self.title, "text": self.text}).ljust(PADDED)


def send(context: Context, to: Browser, told: Told) -> str:
    """Tell one browser; forget it where its push service does not know it any more.

    :return: what came of it, for the audit trail
    :raises NotDelivered: where it has not arrived; no address stands in its text
    """
    subscription = to.open(context.key_store)
    if not is_allowed(subscription.endpoint, context.settings.web_push):
        raise NotDelivered("its push service is not allowed any more")
    status = _post(context, subscription, told)
    if status in _GONE:
        return _forget(context, to)
    if not 200 <= status < 300:
        raise NotDelivered(f"HTTP {status}")
    with context.db.write() as tx:
        this = browser.c.id == to.id
        tx.execute(update(browser).where(this).values(last_sent_at=tx.now))
    return "told"


def _post(context: Context, to: Subscription, told: Told) -> int:
    settings, key = context.settings.web_push, server_key(context.db, context.key_store)
    with context.db.read() as tx:
        now = tx.now
    headers = {
        "Authorization": authorization(to.endpoint, key, settings.contact or "", now),
        "Content-Encoding": "aes128gcm",
        "Content-Type": "application/octet-stream",
        "TTL": str(max(0, told.expires_at - now)),
        "Urgency": "high",
        "Topic": TOPIC,
    }
    body = encrypt(told.encode(), to.receiver)
    try:
        return post(to.endpoint, body, headers, private_hosts=settings.private_hosts)
    except FetchError:
        # It would name the endpoint, which is as good as a secret.
        raise NotDelivered("the push service does not answer") from None


def _forget(context: Context, to: Browser) -> str:
    with context.db.write() as tx:
        remove_browsers(tx, browser.c.id == to.id, why="gone")
    return "gone: it is not told any more"

"""Sending to the browsers of a person, by their push services (RFC 8030 §5).

What it says is one of few sentences, of one length, and the browser alone can read it: the push
service learns that we send, to whom it delivers anyway.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from sqlalchemy import update

from ..core.db import Database
from ..core.guarded_http import FetchError, post
from ..core.values import canonical_json
from ..core.vapid import authorization
from ..core.web_push import encrypt
from ..outbox.delivery import NotDelivered
from .application_server import ApplicationServer
from .models import Browser, Subscription, browser, browsers_of
from .read_subscription import is_allowed
from .remove import remove_browsers

#: Bytes of what is encrypted, whatever it says.
PADDED = 512

#: RFC 8030 §7.3: such a subscription is no more.
_GONE = (404, 410)


@dataclass(frozen=True, slots=True)
class Told:
    """What a browser shows. Text alone: where it leads to, the browser knows.

    :param id: the same at each attempt
    :param topic: a later one takes the place of what the browser was not yet told of the same
        (RFC 8030 §5.4); at most 32 base64url characters
    :param lasts: seconds in which it still means something
    """

    id: str
    topic: str
    title: str
    text: str
    lasts: int

    def encode(self) -> bytes:
        """Return it as JSON of `PADDED` bytes: blanks may follow it."""
        return canonical_json({"title": self.title, "text": self.text}).ljust(PADDED)


def tell(server: ApplicationServer, person_id: str, told: Told) -> None:
    """Tell each browser of the person's, all at one time; at another attempt, those that it has
    not arrived at. One that its push service does not know any more is forgotten.

    :raises NotDelivered: where it has not arrived at one; no address stands in its text
    """
    with server.db.read() as tx:
        theirs, now = browsers_of(tx, person_id), tx.now
    left = [one for one in theirs if one.last_sent != told.id]
    if not left:
        return
    with ThreadPoolExecutor(len(left)) as pool:
        failures = {*pool.map(lambda to: _attempt(server, to, told, now), left)} - {""}
    if failures:
        raise NotDelivered("; ".join(sorted(failures)))


def _attempt(server: ApplicationServer, to: Browser, told: Told, now: int) -> str:
    """Tell one browser; return why it has not arrived, or nothing."""
    subscription = to.open(server.box)
    if not is_allowed(subscription.endpoint, server.settings):
        return "its push service is not allowed any more"
    try:
        status = _post(server, subscription, told, now)
    except FetchError:
        return "the push service does not answer"
    if 200 <= status < 300:
        _mark(server.db, to, told)
        return ""
    if status in _GONE:
        _forget(server.db, to)
    return f"HTTP {status}"


def _post(server: ApplicationServer, to: Subscription, told: Told, now: int) -> int:
    contact = server.settings.contact or ""
    headers = {
        "Authorization": authorization(to.endpoint, server.key(), contact, now),
        "Content-Encoding": "aes128gcm",
        "Content-Type": "application/octet-stream",
        "TTL": str(told.lasts),
        "Urgency": "high",
        "Topic": told.topic,
    }
    body = encrypt(told.encode(), to.receiver)
    return post(to.endpoint, body, headers, private_hosts=server.settings.private_hosts)


def _mark(db: Database, to: Browser, told: Told) -> None:
    with db.write() as tx:
        values = {"last_sent": told.id, "last_sent_at": tx.now}
        tx.execute(update(browser).where(browser.c.id == to.id).values(**values))


def _forget(db: Database, to: Browser) -> None:
    with db.write() as tx:
        remove_browsers(tx, browser.c.id == to.id, why="gone")

"""A person adds the browser that they are at.

Whoever is at a person's browser can add another of their own: what a browser is told is
therefore so little that it does not matter who reads it, and the person sees it in the list.
"""

import hmac

from sqlalchemy import update

from ..audit.record import Event, record
from ..core.db import Transaction, insert_unless_present
from ..core.refusal import Refusal
from ..core.sealed import Box
from ..core.secrets import new_id
from ..core.vapid import origin_of
from ..delegation.persons import ensure_person, held_person
from ..web.words import neutralise
from .application_server import ApplicationServer
from .models import Subscription, browser, browsers_of, find_by_endpoint
from .read_subscription import read_subscription
from .remove import remove_browsers

#: Browsers of one person.
MOST = 10

NAME_LENGTH = 60
_UNNAMED = "A browser"


def add_browser(server: ApplicationServer, host_key: str, said: str, name: str) -> str:
    """Store where the browser is reached; once more, and it is called by its new name.

    :param said: its subscription as JSON
    :param name: what the person calls it
    :return: its id
    :raises Refusal: `browser.malformed`, `browser.service`, `browser.known`, `browser.too_many`
    """
    try:
        subscription = read_subscription(said, server.settings)
        # Whoever counts the browsers of a person does so alone.
        with held_person(server.db, host_key) as (tx, person_id):
            return _store(tx, server.box, person_id, subscription, _called(name))
    except Refusal as refusal:
        with server.db.write() as tx:
            record(tx, Event("browser.refused", ensure_person(tx, host_key), rule=refusal.rule))
        raise


def _store(tx: Transaction, box: Box, person_id: str, said: Subscription, name: str) -> str:
    known = find_by_endpoint(tx, said.hash)
    if known is not None:
        _validate_same(known.open(box), said)
    if known is not None and known.person_id == person_id:
        tx.execute(update(browser).where(browser.c.id == known.id).values(name=name))
        return known.id
    if len(browsers_of(tx, person_id)) >= MOST:
        raise Refusal("browser.too_many", f"There are {MOST} browsers already. Remove one first.")
    if known is not None:
        # It is with whoever is signed in there now: nobody else is told by it any more.
        remove_browsers(tx, browser.c.id == known.id, why="moved")
    return _insert(tx, person_id, said, said.seal(box), name)


def _validate_same(known: Subscription, said: Subscription) -> None:
    """Refuse who knows the endpoint alone: that takes nobody's browser away from them.

    :raises Refusal: `browser.known`
    """
    same_key = hmac.compare_digest(known.receiver.p256dh, said.receiver.p256dh)
    same_secret = hmac.compare_digest(known.receiver.auth, said.receiver.auth)
    if not (same_key and same_secret):
        raise _known()


def _insert(tx: Transaction, person_id: str, said: Subscription, sealed: str, name: str) -> str:
    row = {
        "id": new_id(),
        "person_id": person_id,
        "endpoint_hash": said.hash,
        "subscription": sealed,
        "name": name,
        "created_at": tx.now,
    }
    if not insert_unless_present(tx, browser, row):
        raise _known()
    facts = {"browser_id": row["id"], "service": origin_of(said.endpoint)}
    record(tx, Event("browser.added", person_id, facts=facts))
    return str(row["id"])


def _known() -> Refusal:
    return Refusal("browser.known", "This browser is known already, and not as you say.")


def _called(name: str) -> str:
    return neutralise(name, NAME_LENGTH) or _UNNAMED

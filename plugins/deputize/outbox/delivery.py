"""How one kind of thing is delivered: what a room contributes to the outbox."""

from collections.abc import Callable

from .models import Line


class NotDelivered(Exception):  # noqa: N818 - it is tried again
    """It has not arrived. The message is for an operator."""


#: Delivers one line, outside any transaction, and returns what came of it, in a word for the
#: audit trail; may raise `NotDelivered`. It may be called again for what has arrived: a
#: worker can die before it says so.
Delivery = Callable[[Line], str]

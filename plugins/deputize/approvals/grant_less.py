"""A yes to what was asked, or to less of it: fewer scopes, lower amounts, a shorter time.

Whatever brings the person's word (the inbox, the approval API) says it by this one rule;
what is more than was asked is refused, and nothing is granted.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from ..catalogue.details import DetailsType, is_each_within
from ..core.refusal import Refusal
from ..core.values import Words
from ..delegation.details import Details, is_binding, of_scope, scopes_of, validate_known
from ..host import Authentication
from ..passkeys.relying_party import Assertion
from .content import decision_hash
from .models import Approval

NOTHING_LEFT = "decision.nothing"


@dataclass(frozen=True, slots=True)
class Yes:
    """What the person grants of what was asked.

    :param lifetime: seconds that the token may live
    :param for_task: whether it is for the same again, until the task is over
    :param authentication: how and when they signed in
    :param decided: the hash of exactly this, about exactly that card
    :param signed: with which they signed that hash, where they did
    """

    scope: Words
    details: Details
    lifetime: int
    for_task: bool
    authentication: Authentication
    decided: str
    signed: Assertion | None = None

    @property
    def evidence_id(self) -> str | None:
        return self.signed.id if self.signed else None


def grant_less(
    card: Approval,
    types: Mapping[str, DetailsType],
    authentication: Authentication,
    *,
    scope: Words | None = None,
    details: Details | None = None,
    lifetime: int | None = None,
    for_task: bool = False,
) -> Yes:
    """Return the yes to what is left of the card.

    :param scope: None for all of it; what is held already stays
    :param details: None for those of the scope, as they were asked for
    :param lifetime: seconds; None for as long as was asked
    :param for_task: whether it is for the same again, where `can_repeat` says that it may be
    :raises Refusal: `decision.nothing`, `decision.more`, `details.*`
    """
    if not is_binding(card.details, card.scope, types):
        raise Refusal("details.unknown", "That is not to be had any more.")
    granted = card.scope if scope is None else scope & card.scope | card.held
    left = of_scope(card.details, granted, types)
    if details is not None:
        left = _less(details, left, types)
        granted -= scopes_of(card.details, types) - scopes_of(left, types)
    if not granted & card.adding:
        raise Refusal(NOTHING_LEFT, "That leaves nothing of what was asked for.")
    seconds = card.lifetime if lifetime is None else min(lifetime, card.lifetime)
    decided = decision_hash(card, granted, left, seconds, for_task=for_task)
    return Yes(granted, left, seconds, for_task, authentication, decided)


def _less(details: Details, asked: Details, types: Mapping[str, DetailsType]) -> Details:
    validate_known(details, types)
    if not is_each_within(details, asked, types):
        raise Refusal("decision.more", "authorization_details are more than what was asked for.")
    return details

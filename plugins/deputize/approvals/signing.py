"""What is decided is signed with a passkey, where a rule asks for one: no session is as good.

The page says what is signed, and all of it. The challenge is made of the hash of exactly that
decision; what is posted with the signature is read again by the rule that made it: were
anything of it changed, it is not what was signed.
"""

from dataclasses import dataclass

from flask import Response, request, url_for

from ..core.refusal import Refusal
from ..delegation.context import Context
from ..host import Authentication, Person
from ..passkeys.ask import ask, hear
from ..passkeys.challenge import Challenge, Purpose
from ..passkeys.relying_party import Assertion
from ..web.pages import ApprovalCard, MessagePage, Onward, Signing, SignPage, State
from ..web.shell import render
from .around import read_around
from .cards import Telling
from .decide import Outcome
from .find_cards import Card, shown
from .said_back import answer_to, tell

#: RFC 8176 §2: that a key is had was shown, and that the person is there.
_AMR = ("pop", "user")


@dataclass(frozen=True, slots=True)
class ToSign:
    """One decision that somebody is asked to sign.

    :param person_id: of who signs; None where there is no such row, and so no passkey
    :param card_id: of the approval that is pressed
    :param decided: the hash of the decision
    """

    person_id: str | None
    purpose: Purpose
    card_id: str
    decided: str

    def challenge(self, **nonce: str) -> Challenge:
        return Challenge(self.person_id or "", self.purpose, self.card_id, self.decided, **nonce)

    def ask(
        self,
        context: Context,
        me: Person,
        granted: Card,
        action: str,
        chosen: tuple[tuple[str, str], ...] = (),
        subject: str = "",
    ) -> Response:
        """Show what is signed.

        :param granted: the card, with what is granted in place of what was asked
        :param action: where it is posted to
        :param chosen: fields by which the decision is read again
        :param subject: on whose behalf, where it is not who signs
        """
        told = _told(context, granted, subject)
        if told is None:
            return answer_to(context, me, Outcome.OVER)
        card, lasts = told
        asked = self.challenge()
        options = ask(context, asked)
        if options is None:
            return _none_counts(me)
        page = SignPage(
            person=me.name,
            card=card,
            lasts=lasts,
            action=action,
            chosen=(("shown", request.form.get("shown", "")), *chosen),
            hidden={"nonce": asked.nonce, "credential": ""},
            cancel_url=url_for("deputize_approvals.approvals"),
            signing=Signing("get", options),
        )
        return render("sign.html", page)

    def hear(self, context: Context) -> Assertion:
        """Verify what the form brings.

        :raises Refusal: `passkey.*`
        """
        asked = self.challenge(nonce=request.form.get("nonce", ""))
        return hear(context, asked, request.form.get("credential", ""))


def by_passkey(context: Context) -> Authentication:
    """Return how somebody who signs now has shown who they are."""
    with context.db.read() as tx:
        now = tx.now
    return Authentication(now, context.settings.approvals.passkey_acr, _AMR)


def not_signed(me: Person, refusal: Refusal) -> Response:
    return tell(me, "This was not signed", refusal.text, 400)


def _told(context: Context, granted: Card, subject: str) -> tuple[ApprovalCard, str] | None:
    """Tell what is signed, and how long it lasts; None where it is past deciding."""
    with context.db.read() as tx:
        around = read_around(tx, granted)
        catalogue = context.moment(tx).catalogue
    if not shown([granted], around.standings, around.now):
        return None
    return Telling(around, catalogue).to_sign(granted, subject)


def _none_counts(me: Person) -> Response:
    page = MessagePage(
        person=me.name,
        title="This takes a passkey of yours",
        state=State.WAITING,
        sentences=("You have none that counts yet.", "Nothing was granted."),
        onward=(
            Onward(url_for("deputize_passkeys.passkeys"), "Your passkeys"),
            Onward(url_for("deputize_approvals.approvals"), "What agents ask you"),
        ),
    )
    return render("message.html", page, status=403)

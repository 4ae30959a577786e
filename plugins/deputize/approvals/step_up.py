"""Step-up from an exchange: what only the person can let pass is put to them."""

from typing import Any

from ..agents.authenticate import Caller
from ..core.refusal import Refusal
from ..delegation.context import Context, Reading
from ..delegation.gates import NeedsApproval
from ..delegation.issue import Overtaken
from .open import Opened, Question, open_approval


class StepUp:
    """How an exchange asks the person."""

    def ask(
        self, context: Context, caller: Caller, reading: Reading, needed: NeedsApproval
    ) -> dict[str, Any]:
        """Put the question, or find the card that waits; return what the client is told.

        :raises Refusal: `approval.*`, and what no approval would change
        """
        question = Question(
            needed.agent, needed.standing, needed.token_scope, needed.asked, needed.message
        )
        return put(context, caller, reading, question).to_response()


def put(context: Context, caller: Caller, reading: Reading, question: Question) -> Opened:
    """Put the question on what was read; who comes at the wrong moment asks again.

    :raises Refusal: `server.contended`, where that has changed meanwhile
    """
    try:
        return open_approval(context, caller, reading, question)
    except Overtaken:
        raise Refusal("server.contended", "Too much is changing at once: try again.") from None

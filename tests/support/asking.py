"""An agent with a hold that asks, and the person who decides."""

from dataclasses import dataclass, field
from typing import Any

import httpx
from sqlalchemy import select

from deputize.approvals.decide import Outcome, decide
from deputize.approvals.grant_less import grant_less
from deputize.approvals.models import Approval, Status, approval, approval_from_row
from deputize.delegation.models import person
from deputize.host import Authentication
from support.agents_http import Agent
from support.world import PAY, World

CIBA = "urn:openid:params:grant-type:ciba"


@dataclass
class Asking:
    """One agent that asks, and what its person does."""

    world: World
    agent: Agent
    hold: str
    person: str = "ana"
    usual: dict[str, Any] = field(default_factory=dict)

    def ask(self, /, **params: Any) -> httpx.Response:
        """Send an authentication request; None leaves a parameter out."""
        usual = {
            "scope": "openid pay:transfer",
            "login_hint_token": self.hold,
            "binding_message": "TP1234, seat 14C",
            "resource": PAY,
        }
        sent = usual | self.usual | params
        return self.agent.post("backchannel_authentication_endpoint", **sent)

    def asked(self, /, **params: Any) -> str:
        """Return the id of a request that was taken."""
        answer = self.ask(**params)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["auth_req_id"])

    def poll(self, auth_req_id: str, agent: Agent | None = None, **params: Any) -> httpx.Response:
        asker = agent or self.agent
        return asker.post("token_endpoint", grant_type=CIBA, auth_req_id=auth_req_id, **params)

    def cards(self) -> list[Approval]:
        """Return what was put to the person, newest first."""
        asked = (
            select(approval)
            .join(person, person.c.id == approval.c.person_id)
            .where(person.c.host_key == self.person)
            .order_by(approval.c.created_at.desc())
        )
        with self.world.context.db.read() as tx:
            return [approval_from_row(row) for row in tx.execute(asked).mappings()]

    def say_yes(self, card: Approval | None = None, **changes: Any) -> Outcome:
        """Approve the card that waits, or was the last to, as it is shown, or less of it."""
        card = card or self._last()
        told = changes.pop("authentication", Authentication(1_764_000_000, "pwd", ("pwd",)))
        with self.world.context.db.read() as tx:
            types = self.world.context.moment(tx).catalogue.types
        yes = grant_less(card, types, told, **changes)
        return decide(self.world.context, card, card.content_hash, yes)

    def say_no(self, card: Approval | None = None) -> Outcome:
        card = card or self._last()
        return decide(self.world.context, card, card.content_hash, None)

    def _last(self) -> Approval:
        cards = self.cards()
        return next((card for card in cards if card.status == Status.PENDING), cards[0])

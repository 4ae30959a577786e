"""Random histories in which people are asked as well: for more than an agent holds.

What an approval adds is the one thing by which a node may hold more than its parent.
"""

from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule
from sqlalchemy import select

from deputize.approvals.decide import decide
from deputize.approvals.grant_less import grant_less
from deputize.approvals.models import Approval, Status, approval, approval_from_row
from deputize.delegation.node import Delegation
from deputize.host import Authentication
from invariants.machine import NAMES, Held, Histories, Rows
from support.agents_http import decode
from support.asking import CIBA
from support.world import CALENDAR, FLIGHTS, PAY

PAYING = ("pay:transfer", PAY)
ASKED_FOR = (PAYING, PAYING, PAYING, ("calendar:write", CALENDAR), ("flights:hold", FLIGHTS))
OPEN_AT_MOST = 3


class HistoriesWithQuestions(Histories):
    """Subclasses set `world`."""

    @initialize(data=st.data())
    def begin(self, data: st.DataObject) -> None:
        self.seen_approvals: dict[str, Approval] = {}
        self.asked: list[tuple[str, str]] = []
        self.granted: dict[str, str] = {}
        super().begin()
        self.ask(data)

    # -- a person is asked --------------------------------------------------------

    @rule(data=st.data())
    def ask_for_more(self, data: st.DataObject) -> None:
        if data.draw(st.booleans()):
            self.consent("planner", 0)
        self.ask(data)

    def ask(self, data: st.DataObject) -> None:
        """Ask by the endpoint or by an exchange; mostly the person answers, and it comes back."""
        held = self.one_hold(data)
        asker = data.draw(st.sampled_from([held.presenter] * 6 + [self.called(NAMES[1])]))
        scope, where = data.draw(st.sampled_from(ASKED_FOR))
        said = data.draw(st.sampled_from(("TP1234", "seat 14C")))
        agent = self.world.agent(asker)
        if data.draw(st.booleans()):
            answer = agent.exchange(held.token, resource=where, scope=scope, binding_message=said)
        else:
            answer = agent.post(
                "backchannel_authentication_endpoint",
                scope=f"openid {scope}",
                login_hint_token=held.token,
                binding_message=said,
                resource=where,
            )
        assert answer.status_code in (200, 400, 401, 403), answer.text
        if "auth_req_id" in answer.json():
            self.asked.append((answer.json()["auth_req_id"], asker))
            if data.draw(st.integers(0, 3)):
                self.decide(data)
                self.redeem(data)
        elif answer.status_code == 200:
            self.given(answer, asker)

    def one_hold(self, data: st.DataObject) -> Held:
        """Mostly a hold: a token for one API reaches no other."""
        issuer = self.world.metadata["issuer"]
        holds = [h for h in self.handed_out if decode(h.token)[1]["aud"] == issuer]
        return data.draw(st.sampled_from(holds[-2:] * 4 + self.handed_out[-2:]))

    @rule(data=st.data())
    def answer(self, data: st.DataObject) -> None:
        self.decide(data)

    @rule(data=st.data())
    def come_back(self, data: st.DataObject) -> None:
        self.redeem(data)

    def decide(self, data: st.DataObject) -> None:
        """The person says yes, less, or no; now and then about what they did not see."""
        cards = [c for c in self.approvals().values() if c.status == Status.PENDING]
        if not cards:
            return
        card = data.draw(st.sampled_from(cards))
        shown = data.draw(st.sampled_from([card.content_hash] * 5 + ["x" * 64]))
        scope = data.draw(st.frozensets(st.sampled_from(sorted(card.scope)), min_size=1))
        lifetime = data.draw(st.sampled_from((60, 300, 10**6)))
        no = data.draw(st.integers(0, 3)) == 0 or not scope & card.adding
        told = Authentication(self.now(), "pwd", ("pwd",))
        yes = None if no else grant_less(card, {}, told, scope=scope, lifetime=lifetime)
        decide(self.world.context, card, shown, yes)
        if shown != card.content_hash:
            assert self.approvals()[card.id].status == Status.PENDING

    def redeem(self, data: st.DataObject) -> None:
        """Come back for one's own, or for what another asked."""
        if not self.asked:
            return
        asked, asker = data.draw(st.sampled_from(self.asked[-3:] + self.asked[-1:] * 3))
        who = data.draw(st.sampled_from([asker] * 5 + [self.called(n) for n in NAMES]))
        answer = self.world.agent(who).post("token_endpoint", grant_type=CIBA, auth_req_id=asked)
        assert answer.status_code in (200, 400, 401), answer.text
        if answer.status_code == 200:
            assert who == asker, "another's request is nobody else's"
            self.redeemed(answer.json()["access_token"], who)

    def redeemed(self, token: str, holder: str) -> None:
        """V10: what one approval yields is one token, however often it is given."""
        claims = decode(token)[1]
        approval_id = self.nodes()[claims["delegation_id"]].approval_id
        assert approval_id is not None
        if approval_id not in self.granted:
            self.granted[approval_id] = claims["jti"]
            self.handed_out.append(Held(token, holder))
        assert self.granted[approval_id] == claims["jti"]

    def check(self, rows: Rows) -> None:
        self.cards = self.approvals()
        super().check(rows)
        self.approvals_yield_what_was_decided(rows)

    def approvals_yield_what_was_decided(self, rows: Rows) -> None:
        """V10, V15, V16, V2 of each question."""
        cards = self.cards
        for card in cards.values():
            self.check_card(card, cards, rows)
        for node in rows.nodes.values():
            if node.approval_id is not None:
                assert cards[node.approval_id].node_id == node.id, "one node of one approval"
        self.seen_approvals = cards

    def check_card(self, card: Approval, cards: dict[str, Approval], rows: Rows) -> None:
        before = self.seen_approvals.get(card.id)
        if before and before.status not in (Status.PENDING, Status.APPROVED):
            assert card == before, "decided is decided"
        assert card.granted_scope <= card.scope
        if card.status == Status.PENDING:
            assert waiting_beside(card, cards, rows.now) <= OPEN_AT_MOST
        if card.status == Status.REDEEMED:
            node, parent = rows.nodes[card.node_id or ""], rows.nodes[card.delegation_id]
            assert node.parent_id == parent.id
            assert (node.actor, node.chain, node.target) == (
                card.client_id,
                card.chain,
                card.target,
            )
            assert node.scope <= card.granted_scope
            assert node.expires_at <= (card.redeemed_at or 0) + (card.granted_lifetime or 0)
            assert node.person_id == parent.person_id == card.person_id

    def approved_for(self, node: Delegation) -> frozenset[str]:
        """Return what the person approved for exactly this node. V3."""
        card = self.cards.get(node.approval_id) if node.approval_id else None
        return card.granted_scope - card.held if card and card.node_id == node.id else frozenset()

    def approvals(self) -> dict[str, Approval]:
        asked = select(approval).where(approval.c.client_id.like(f"{self.name}-%"))
        with self.world.context.db.read() as tx:
            found = [approval_from_row(row) for row in tx.execute(asked).mappings()]
        return {card.id: card for card in found}


def waiting_beside(card: Approval, cards: dict[str, Approval], now: int) -> int:
    """Count the open cards that add some of the same to the same root agent. V15."""
    adding = card.scope - card.held
    return len(
        [
            other
            for other in cards.values()
            if other.is_open(now)
            and (other.person_id, other.root_agent) == (card.person_id, card.root_agent)
            and (other.scope - other.held) & adding
        ]
    )

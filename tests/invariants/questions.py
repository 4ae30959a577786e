"""Random histories in which people are asked as well: for more than an agent holds.

What an approval adds is the one thing by which a node may hold more than its parent. The
scope that pays is bound to payments, and may be passed on: its amounts may not.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import httpx
from hypothesis import strategies as st
from hypothesis.stateful import initialize
from sqlalchemy import select

from deputize.approvals.decide import decide
from deputize.approvals.grant_less import Yes, grant_less
from deputize.approvals.models import Approval, Status, approval, approval_from_row
from deputize.core.refusal import Refusal
from deputize.delegation.details import Details
from deputize.delegation.node import Delegation
from deputize.host import Authentication
from deputize.oauth.rfc9396 import Detail
from invariants.lifecycles import HistoriesOfTasks
from invariants.machine import NAMES
from invariants.rows import Rows, read_rows
from invariants.watching import Held
from support.agents_http import decode
from support.asking import CIBA
from support.details import payment, spelled
from support.world import CALENDAR, FLIGHTS, PAY

PAYING = ("pay:transfer", PAY)
ASKED_FOR = (
    PAYING,
    PAYING,
    PAYING,
    ("calendar:write", CALENDAR),
    ("calendar:read calendar:write", CALENDAR),
    ("flights:search flights:hold", FLIGHTS),
)
#: More than may be open at one time.
MESSAGES = ("TP1234", "seat 14C", "seat 14D", "with meal")
AMOUNTS = ("5", "40.00", "420.00")
OPEN_AT_MOST = 3


class HistoriesWithQuestions(HistoriesOfTasks):
    """Subclasses set what `HistoriesOfTasks` needs."""

    ACTS = (
        *HistoriesOfTasks.ACTS,
        "ask_for_more",
        "ask_for_more",
        "insist",
        "answer",
        "pay_again",
        "come_back",
    )

    @initialize(data=st.data())
    def begin(self, data: st.DataObject) -> None:
        self.seen_approvals: dict[str, Approval] = {}
        self.asked: list[tuple[str, str]] = []
        self.granted: dict[str, str] = {}
        self.in_order: list[str] = []
        super().begin(data)
        self.ask(data, PAYING)

    # -- a person is asked --------------------------------------------------------

    def ask_for_more(self, data: st.DataObject) -> None:
        if data.draw(st.booleans()):
            self.deputize("planner", 0, None)
        self.ask(data)

    def ask(self, data: st.DataObject, wanted: tuple[str, str] | None = None) -> None:
        """Ask by the endpoint or by an exchange; mostly the person answers, and it comes back."""
        held = self.one_hold(data)
        asker = data.draw(st.sampled_from([held.presenter] * 6 + [self.called(NAMES[1])]))
        scope, where = wanted or data.draw(st.sampled_from(ASKED_FOR))
        asked = {
            "binding_message": data.draw(st.sampled_from(MESSAGES)),
            "resource": where,
            "authorization_details": self.payments(data) if where == PAY else None,
        }
        agent = self.agent(asker)
        if data.draw(st.booleans()):
            answer = agent.exchange(held.token, scope=scope, **asked)
        else:
            answer = agent.post(
                "backchannel_authentication_endpoint",
                scope=f"openid {scope}",
                login_hint_token=held.token,
                **asked,
            )
        assert answer.status_code in (200, 400, 401, 403), answer.text
        if self.was_asked(answer, asker):
            if data.draw(st.sampled_from((True, True, True, False))):
                self.decide(data)
                self.redeem(data)
                self.pay_by_parts(data)
        elif answer.status_code == 200:
            self.counted(answer, held.task_id, asker)

    def insist(self, data: st.DataObject) -> None:
        """Ask for the same in ever other words, and let nobody answer. V15."""
        held = self.one_hold(data)
        for message in MESSAGES:
            answer = self.agent(held.presenter).post(
                "backchannel_authentication_endpoint",
                scope=f"openid {PAYING[0]}",
                login_hint_token=held.token,
                binding_message=message,
                resource=PAY,
                authorization_details=spelled(payment("5")),
            )
            self.was_asked(answer, held.presenter)

    def was_asked(self, answer: httpx.Response, asker: str) -> bool:
        """Tell whether a person was asked; note the card, so that order hangs on no random id."""
        if "auth_req_id" not in answer.json():
            return False
        self.asked.append((answer.json()["auth_req_id"], asker))
        self.in_order += self.approvals().keys() - set(self.in_order)
        return True

    def payments(self, data: st.DataObject) -> str | None:
        """One payment mostly, or two; none now and then."""
        amounts = data.draw(st.sampled_from([1, 1, 1, 2, 0]).flatmap(_amounts))
        return spelled(*map(payment, amounts)) if amounts else None

    def one_hold(self, data: st.DataObject) -> Held:
        """Mostly a hold: a token for one API reaches no other."""
        self.have_something(data)
        issuer = self.world.metadata["issuer"]
        holds = [h for h in self.handed_out if h.claims["aud"] == issuer]
        return data.draw(st.sampled_from(holds[-2:] * 4 + self.handed_out[-2:]))

    def answer(self, data: st.DataObject) -> None:
        self.decide(data)

    def pay_again(self, data: st.DataObject) -> None:
        self.pay_by_parts(data)

    def pay_by_parts(self, data: st.DataObject) -> None:
        """Try to make more of what was approved: a part of it, another lease, a hand-over."""
        paying = [h for h in self.handed_out if "authorization_details" in h.claims]
        if not paying:
            return
        held = data.draw(st.sampled_from(paying[-3:]))
        where = data.draw(st.sampled_from(({"resource": PAY}, {"audience": self.called(NAMES[1])})))
        approved = held.claims["authorization_details"]
        details = spelled(*(data.draw(_lowered(one)) for one in approved))
        params = {"scope": PAYING[0], "authorization_details": details} | where
        got = self.exchange_of(held, held.presenter, **params)
        if got is not None:
            self.check_narrower(held, got)

    def come_back(self, data: st.DataObject) -> None:
        self.redeem(data)

    def decide(self, data: st.DataObject) -> None:
        """The person says yes, less, or no; now and then about what they did not see."""
        known = self.approvals()
        cards = [known[i] for i in self.in_order if known[i].status == Status.PENDING]
        if not cards:
            return
        card = data.draw(st.sampled_from(cards[-1:] * 3 + cards))
        shown = data.draw(st.sampled_from([card.content_hash] * 5 + ["x" * 64]))
        scope = data.draw(st.frozensets(st.sampled_from(sorted(card.scope)), min_size=1))
        lifetime = data.draw(st.sampled_from((60, 300, 10**6)))
        no = data.draw(st.sampled_from((False, False, False, True))) or not scope & card.adding
        for_task = data.draw(st.sampled_from((False, True)))
        details = tuple(data.draw(_lowered(one)) for one in card.details)
        try:
            yes = None if no else self.yes_to(card, scope, details, lifetime, for_task)
        except Refusal:
            assert AMOUNTS[-1] in [one["amount"] for one in details], "what is less is granted"
            return
        decide(self.world.context, card, shown, yes)
        if shown != card.content_hash:
            assert self.approvals()[card.id].status == Status.PENDING

    def yes_to(
        self,
        card: Approval,
        scope: frozenset[str],
        details: Details,
        lifetime: int,
        for_task: bool,
    ) -> Yes:
        """Return the yes to these amounts, as the person signed in a moment ago."""
        told = Authentication(self.now(), "pwd", ("pwd",))
        with self.world.context.db.read() as tx:
            types = self.world.context.moment(tx).catalogue.types
        less = {"scope": scope, "details": details or None, "lifetime": lifetime}
        return grant_less(card, types, told, for_task=for_task, **less)

    def redeem(self, data: st.DataObject) -> None:
        """Come back for one's own, or for what another asked."""
        if not self.asked:
            return
        asked, asker = data.draw(st.sampled_from(self.asked[-3:] + self.asked[-1:] * 3))
        who = data.draw(st.sampled_from([asker] * 5 + [self.called(n) for n in NAMES]))
        answer = self.agent(who).post("token_endpoint", grant_type=CIBA, auth_req_id=asked)
        assert answer.status_code in (200, 400, 401), answer.text
        if answer.status_code == 200:
            assert who == asker, "another's request is nobody else's"
            self.redeemed(answer.json()["access_token"], who)

    def redeemed(self, token: str, holder: str) -> None:
        """V10: what one approval yields is one token, however often it is given."""
        claims = decode(token)[1]
        rows = read_rows(self.world.context.db, f"{self.name}-")
        approval_id = rows.nodes[claims["delegation_id"]].approval_id
        assert approval_id is not None
        if approval_id not in self.granted:
            self.granted[approval_id] = claims["jti"]
            self.handed_out.append(Held(token, holder))
        assert self.granted[approval_id] == claims["jti"]

    def check(self, rows: Rows) -> None:
        cards = self.approvals()
        super().check(replace(rows, approved=approved_for(rows.nodes, cards)))
        self.approvals_yield_what_was_decided(rows, cards)

    def approvals_yield_what_was_decided(self, rows: Rows, cards: dict[str, Approval]) -> None:
        """V5, V10, V15, V16, V2 of each question."""
        for card in cards.values():
            self.check_card(card, cards, rows)
        for node in rows.nodes.values():
            if node.approval_id is not None:
                assert cards[node.approval_id].node_id == node.id, "one node of one approval"
        self.check_amounts(cards, rows.nodes)
        self.seen_approvals = cards

    def check_amounts(self, cards: dict[str, Approval], nodes: Mapping[str, Delegation]) -> None:
        """V5: over all tokens that were handed out, by the approval that they came of."""
        handed_out: Counter[str | None] = Counter()
        for held in self.handed_out:
            claims = held.claims
            came_of = nodes[claims["delegation_id"]].approval_id
            handed_out[came_of] += total(claims.get("authorization_details", ()))
        assert handed_out.pop(None, 0) == 0, "an amount that nobody approved"
        for approval_id, amount in handed_out.items():
            assert amount <= total(cards[approval_id].granted_details)

    def check_card(self, card: Approval, cards: dict[str, Approval], rows: Rows) -> None:
        before = self.seen_approvals.get(card.id)
        if before and before.status not in (Status.PENDING, Status.APPROVED):
            assert card == before, "decided is decided"
        assert card.granted_scope <= card.scope
        if card.status == Status.PENDING:
            assert waiting_beside(card, cards, rows.now) <= OPEN_AT_MOST
        if card.repeats is not None:
            said = cards[card.repeats]
            assert said.for_task, "nobody was asked, and nobody had said so"
            assert card.delegation_id == said.delegation_id
            assert card.granted_scope & card.adding <= said.granted_scope
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

    def approvals(self) -> dict[str, Approval]:
        asked = select(approval).where(approval.c.client_id.like(f"{self.name}-%"))
        with self.world.context.db.read() as tx:
            found = [approval_from_row(row) for row in tx.execute(asked).mappings()]
        return {card.id: card for card in found}


def approved_for(
    nodes: Mapping[str, Delegation], cards: dict[str, Approval]
) -> dict[str, frozenset[str]]:
    """Return what the person approved for exactly that node. V3."""
    added: dict[str, frozenset[str]] = {}
    for node in nodes.values():
        card = cards.get(node.approval_id) if node.approval_id else None
        if card is not None and card.node_id == node.id:
            added[node.id] = card.granted_scope - card.held
    return added


def total(details: Details) -> Decimal:
    """Return what these payments come to."""
    return sum((Decimal(one["amount"]) for one in details), Decimal(0))


def _lowered(one: Detail) -> st.SearchStrategy[dict[str, Any]]:
    """Mostly no more than it is; now and then the most there is."""
    lower = [amount for amount in AMOUNTS if Decimal(amount) <= Decimal(one["amount"])]
    return st.sampled_from(lower * 3 + [AMOUNTS[-1]]).map(lambda amount: {**one, "amount": amount})


def _amounts(number: int) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(AMOUNTS), min_size=number, max_size=number)


def waiting_beside(card: Approval, cards: dict[str, Approval], now: int) -> int:
    """Count the open cards that add some of the same to the same root agent. V15."""
    adding = card.scope - card.held
    return len(
        {
            other.content_hash
            for other in cards.values()
            if other.is_open(now)
            and (other.person_id, other.root_agent) == (card.person_id, card.root_agent)
            and (other.scope - other.held) & adding
        }
    )

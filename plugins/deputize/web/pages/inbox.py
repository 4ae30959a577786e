"""Shall this happen? The cards, what became of them, and what is signed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from markupsafe import Markup, escape

from ..words import list_of
from .frame import NOTHING, AgentFace, ChainLink, Holding, Page, ScopeChoice, State, UntilChoice
from .task import TaskQuestion


@dataclass(frozen=True)
class AmountField:
    """An amount that the person may lower: "Amount [420.00] EUR, at most 420.00"."""

    name: str
    label: str
    most: str
    unit: str = ""


@dataclass(frozen=True)
class Asker:
    """Another agent that asks the same by one card."""

    agent: AgentFace
    chain: tuple[ChainLink, ...]
    message: str
    """Its own words."""


@dataclass(frozen=True, kw_only=True)
class ApprovalCard:
    """Shall this happen? Posts `scope`, amounts, `lifetime`, `decision` and `hidden`."""

    id: str
    agent: AgentFace
    """Who asks."""
    person: str = ""
    """For whom, where it is somebody else who is asked to second their yes."""
    chain: tuple[ChainLink, ...]
    message: str
    """The asker's own words."""
    also: tuple[Asker, ...] = ()
    """Who else asks the same: one answer is for all of them."""
    deputized: AgentFace
    """Whom the person let act, at the head of the chain."""
    purpose: str
    """What the task is for, in the words of who was deputized."""
    adds: tuple[ScopeChoice, ...]
    """What the token would carry that is not held already."""
    holds: tuple[Holding, ...]
    """What the asker may do already."""
    is_for_one_use: bool
    may_be_passed_on: bool
    warnings: tuple[Markup, ...] = ()
    """Sentences of the server on who asks: new, self-registered, started by another."""
    left: Markup = NOTHING
    """How long it can be decided, by `time_tag(until(...))`."""
    over: Markup = NOTHING
    """Why it can't be decided any more; such a card keeps its text and has no presses."""
    problem: str = ""
    """Why it is shown again, if it is."""
    amounts: tuple[AmountField, ...] = ()
    can_repeat: bool = False
    """Whether a yes may be for the same again, until the task is over."""
    others: tuple[tuple[int, str], ...] = ()
    """How many of which group must say yes as well."""
    takes_passkey: bool = False
    """It is approved with a passkey, and in no other way."""
    lifetimes: tuple[UntilChoice, ...] = ()
    lasts: str = ""
    """How long what was granted lasts, by `words.at_most`, where that is no choice."""
    action: str = ""
    hidden: Mapping[str, str] = field(default_factory=dict)

    @property
    def title(self) -> Markup:
        """What will happen: "Pay and see your invoices"."""
        return _title_of([choice.description for choice in self.adds])


@dataclass(frozen=True, kw_only=True)
class DecidedCard:
    """What became of a card."""

    id: str
    agent: AgentFace
    chain: tuple[ChainLink, ...]
    what: tuple[str, ...]
    """What was granted, or refused."""
    message: str
    """The asker's own words."""
    state: State
    said: str
    """In words: "you said yes"."""
    when: Markup
    since_then: Markup = NOTHING
    """What came of a yes: "good for 5 minutes", "not used yet", "over now"."""
    stop_url: str = ""
    """The `EndPage` of the asker, while what was granted is good."""

    @property
    def title(self) -> Markup:
        """What was decided: "Pay"."""
        return _title_of(self.what)


@dataclass(frozen=True, kw_only=True)
class InboxPage(Page):
    """What agents ask me now, what came to nothing, and what I decided. The oldest question
    first, so that nothing moves under the finger."""

    is_live = True
    script: ClassVar[str] = "inbox.js"
    whose: str = ""
    """Tells two people apart who sign in at one browser."""
    tasks: tuple[TaskQuestion, ...] = ()
    """Tasks that their agents say are over, or ask for more time for."""
    cards: tuple[ApprovalCard, ...] = ()
    passkeys_url: str = ""
    notifications_url: str = ""
    votes: tuple[ApprovalCard, ...] = ()
    """What others said yes to, and ask this person's word for."""
    late: tuple[ApprovalCard, ...] = ()
    decided: tuple[DecidedCard, ...] = ()

    @property
    def waiting(self) -> int:
        """How many questions wait for this person."""
        return len(self.tasks) + len(self.cards) + len(self.votes)


@dataclass(frozen=True, kw_only=True)
class SignPage(Page):
    """What a passkey signs, and all of it. Posts `credential`, `chosen` and `hidden`."""

    card: ApprovalCard
    """With what is granted in place of what was asked."""
    lasts: str
    """From `words.at_most`."""
    action: str
    chosen: tuple[tuple[str, str], ...] = ()
    """Fields by which the decision is read again."""
    hidden: Mapping[str, str] = field(default_factory=dict)
    cancel_url: str = ""


def _title_of(deeds: Sequence[str]) -> Markup:
    said = [*deeds[:1], *map(_within_a_sentence, deeds[1:])]
    return Markup(list_of([str(escape(deed)) for deed in said]))  # noqa: S704 - each is escaped


def _within_a_sentence(deed: str) -> str:
    return deed if deed[1:2].isupper() else deed[:1].lower() + deed[1:]

"""What each page is told: frozen view models, so that templates read fields and decide nothing.

Three kinds of text are kept apart. Sentences of the server are `str` in plain words. An
agent's own words (`name`, `purpose`) may be passed raw: every template shows them through
`words.neutralise`. Times are `Markup` made by `words.time_tag`. All else is escaped.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from markupsafe import Markup, escape

from .marks import agent_mark
from .words import count_of, list_of, neutralise

NAME_LENGTH: Final = 60
SHORT_NAME_LENGTH: Final = 24
PURPOSE_LENGTH: Final = 280
SENTENCE_LENGTH: Final = 400
SPAWNED: Final = "spawned"  # the value of `pass_on` and `delegates_to` for helpers not yet born
NAMED_AT_MOST: Final = 12
NOTHING: Final = Markup("")


class State(Enum):
    """A state is told by a word, a shape and a colour, never by colour alone."""

    ACTIVE = "active"
    WAITING = "waiting"
    ENDED = "ended"
    REFUSED = "refused"

    @property
    def shape(self) -> str:
        """The glyph before the word, hidden from screen readers."""
        return {"active": "●", "waiting": "◐", "ended": "○", "refused": "✕"}[self.value]


@dataclass(frozen=True)
class AgentFace:
    """An agent as a person recognises it: its mark and its name."""

    client_id: str
    name: str

    @property
    def mark(self) -> Markup:
        """Inline SVG, from the id."""
        return agent_mark(self.client_id)


@dataclass(frozen=True)
class Signing:
    """What the browser is asked for, before the page's form is posted."""

    kind: str
    """`create` for a new passkey, `get` for a signature by one."""
    options: str
    """As JSON (Web Authentication Level 3 §5.4, §5.5)."""


@dataclass(frozen=True, kw_only=True)
class Page:
    """What the frame around every page shows."""

    person: str = ""
    """Display name of who is signed in; empty when nobody is."""
    agents_url: str = ""
    """Where "Agents acting for me" is; empty leaves the link out."""
    signing: Signing | None = None
    """Where a passkey signs: that page runs a script."""
    worker_url: str = ""
    """Where a browser is subscribed: that page runs a script, and registers this service worker.
    No other page runs any."""


@dataclass(frozen=True)
class ScopeChoice:
    """One line of "It will be able to"."""

    name: str
    """The scope, the value of its box."""
    description: str
    """In plain words: "Read your calendar"; Markup where it tells of details."""
    where: str = ""
    """Host of the resource server, by `words.host_of`."""
    sensitive: bool = False
    """Listed, not tickable: "asks you each time"."""
    ticked: bool = True


@dataclass(frozen=True)
class PassOnChoice:
    """One agent, or the helpers it starts, to whom authority may be handed on."""

    value: str
    """A client id, or `SPAWNED`."""
    name: str
    note: str = ""
    """A plain word about it, such as "run by Ben Ode"."""
    ticked: bool = True

    @property
    def mark(self) -> Markup:
        """The agent's mark; helpers not yet born have none."""
        return NOTHING if self.value == SPAWNED else agent_mark(self.value)


@dataclass(frozen=True)
class UntilChoice:
    """One line of the select "Until the task is done, but ..."."""

    seconds: int
    label: str
    """From `words.at_most`: "at most 1 hour, until 18:40"."""
    chosen: bool = False


@dataclass(frozen=True, kw_only=True)
class ConsentPage(Page):
    """May this agent act for me? Posts `scope`, `pass_on`, `until`, `decision` and `hidden`."""

    agent: AgentFace
    owner: str
    """Who runs it: "run by OWNER"; empty for an agent that nobody has adopted."""
    sponsor: str = ""
    registered: Markup = NOTHING
    """When it was registered, by `time_tag(day(...))`."""
    purpose: str = ""
    """The agent's own words."""
    warnings: tuple[str, ...] = ()
    """Sentences of the server: self-registered, new, run from outside the organisation."""
    problem: str = ""
    """Why the page is shown again, if it is: "Tick at least one line, or press Not now."."""
    scopes: tuple[ScopeChoice, ...] = ()
    pass_on: tuple[PassOnChoice, ...] = ()
    """Empty: it can't pass anything on, and the page says so."""
    until: tuple[UntilChoice, ...] = ()
    returns_to: str = ""
    """Where the browser goes with the answer, by `words.destination_of(redirect_uri)`."""
    action: str = ""
    hidden: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ChainLink:
    """One agent of "You → planner → booker"."""

    name: str
    ended: bool = False
    """Struck through."""


@dataclass(frozen=True)
class Holding:
    """Something that a delegation may do."""

    what: str
    where: str = ""


@dataclass(frozen=True, kw_only=True)
class DelegationNode:
    """One agent's hold in a tree, with those it handed authority to beneath it."""

    agent: AgentFace
    state: State
    chain: tuple[ChainLink, ...]
    """From the first agent to this one; "You" is put before it."""
    holds: tuple[Holding, ...] = ()
    until: Markup = NOTHING
    """Live: until when ("until 18:40"). Not live: when it ended ("stopped by you at 18:20")."""
    last_seen: Markup = NOTHING
    """By `time_tag(since(...))`; empty when it never came."""
    seen_where: str = ""
    """Where it was last seen from, such as a host or an address."""
    stop_url: str = ""
    """The `EndPage` of this node; empty when there is nothing left to stop."""
    children: tuple["DelegationNode", ...] = ()

    @property
    def is_live(self) -> bool:
        """Whether it may still do something."""
        return self.state in (State.ACTIVE, State.WAITING)


@dataclass(frozen=True, kw_only=True)
class TaskTree:
    """One task and the delegations made for it."""

    agent: AgentFace
    """Whom the person deputized."""
    state: State
    started: Markup
    """By `time_tag(since(...))`."""
    purpose: str = ""
    """What the task is for, in the agent's own words."""
    ending: Markup = NOTHING
    """Live: "until the task is done, at most ..."; finished: how and when it ended."""
    nodes: tuple[DelegationNode, ...] = ()
    stop_url: str = ""
    """The `EndPage` of the whole task; empty leaves the press out."""


@dataclass(frozen=True, kw_only=True)
class AgentsPage(Page):
    """Who acts for me now, and stop it. Both lists newest first."""

    live: tuple[TaskTree, ...] = ()
    finished: tuple[TaskTree, ...] = ()
    inbox_url: str = ""
    waiting: int = 0
    """How many questions wait in the inbox."""
    code_url: str = ""
    """Where the code is set by which agents may ask cold."""


@dataclass(frozen=True, kw_only=True)
class UserCodePage(Page):
    """Set the code by which agents may ask me cold, or have none."""

    action: str = ""
    set_at: Markup = NOTHING
    """When it was set; nothing where there is none."""
    problem: str = ""
    shortest: int = 0
    longest: int = 0
    """Characters of a code."""


@dataclass(frozen=True)
class ChannelCard:
    """One way in which a person is told that an agent waits."""

    name: str
    label: str
    address: str = ""
    """Where it goes, masked; empty where that is not known, or not one person's."""
    page_url: str = ""
    """Where the person says where it goes."""
    is_personal: bool = True
    is_reached: bool = True
    """Whether it goes anywhere."""
    is_on: bool = True
    test: Markup = NOTHING
    """When the last test was asked for."""
    has_arrived: bool | None = None
    """None while that is on its way."""
    problem: str = ""


@dataclass(frozen=True)
class QuietForm:
    """The quiet hours as they are written: times as 22:00, a zone's name."""

    starts: str
    ends: str
    zone: str
    problem: str = ""


@dataclass(frozen=True, kw_only=True)
class NotificationsPage(Page):
    """How am I told that an agent waits, and when not? Posts `press` with `channel`, or times."""

    inbox_url: str = ""
    action: str = ""
    channels: tuple[ChannelCard, ...] = ()
    quiet: QuietForm
    has_quiet: bool = False
    times: tuple[str, ...] = ()
    """What can be chosen, as 22:00."""
    zones: tuple[str, ...] = ()
    """Suggestions for the zone."""


@dataclass(frozen=True, kw_only=True)
class EndPage(Page):
    """What ends with it, before it is ended by a POST."""

    agent: AgentFace
    chain: tuple[ChainLink, ...] = ()
    also: tuple[AgentFace, ...] = ()
    """Everyone below, whose authority ends too; each named once."""
    withdrawn: int = 0
    """How many open approvals are withdrawn."""
    action: str = ""
    hidden: Mapping[str, str] = field(default_factory=dict)
    cancel_url: str = ""

    @property
    def sentence(self) -> Markup:
        """Say it: "This stops booker and 2 helpers. 1 waiting approval is withdrawn."."""
        helpers = f" and {count_of(len(self.also), 'helper')}" if self.also else ""
        stops = Markup("This stops {}{}.").format(_named(self.agent), helpers)
        return Markup(" ").join((stops, self._withdrawals())).rstrip()

    @property
    def afterwards(self) -> Markup:
        """Say who could let it act again: who handed it authority, or the person alone."""
        if len(self.chain) < 2:
            return Markup("It can act for you again only if you let it.")
        parent = _named(self.chain[-2])
        return Markup("{} could pass this on to it again. To prevent that, stop {}.").format(
            parent, parent
        )

    @property
    def named(self) -> tuple[AgentFace, ...]:
        """Those whom the page names."""
        return self.also[:NAMED_AT_MOST]

    @property
    def unnamed(self) -> int:
        """How many more there are."""
        return len(self.also) - len(self.named)

    def _withdrawals(self) -> str:
        verb = "is" if self.withdrawn == 1 else "are"
        waiting = count_of(self.withdrawn, "waiting approval")
        return f"{waiting} {verb} withdrawn." if self.withdrawn else ""


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
    left: Markup = NOTHING
    """How long it can be decided, by `time_tag(until(...))`."""
    over: Markup = NOTHING
    """Why it can't be decided any more; such a card keeps its text and has no presses."""
    problem: str = ""
    """Why it is shown again, if it is."""
    amounts: tuple[AmountField, ...] = ()
    others: tuple[tuple[int, str], ...] = ()
    """How many of which group must say yes as well."""
    takes_passkey: bool = False
    """It is approved with a passkey, and in no other way."""
    lifetimes: tuple[UntilChoice, ...] = ()
    action: str = ""
    hidden: Mapping[str, str] = field(default_factory=dict)

    @property
    def title(self) -> Markup:
        """What will happen: "Pay and see your invoices"."""
        return _title_of([choice.description for choice in self.adds])


@dataclass(frozen=True, kw_only=True)
class DecidedCard:
    """What became of a card."""

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

    cards: tuple[ApprovalCard, ...] = ()
    passkeys_url: str = ""
    notifications_url: str = ""
    votes: tuple[ApprovalCard, ...] = ()
    """What others said yes to, and ask this person's word for."""
    late: tuple[ApprovalCard, ...] = ()
    decided: tuple[DecidedCard, ...] = ()


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


@dataclass(frozen=True)
class PasskeyCard:
    """One passkey of the person's."""

    name: str
    """The person's own words."""
    state: State
    counts: Markup
    """Since or until when: "counts for approvals", "counts from tomorrow, 09:20 UTC"."""
    added: Markup
    used: Markup
    rename_url: str
    remove_url: str


@dataclass(frozen=True, kw_only=True)
class PasskeysPage(Page):
    """What the person signs with, and how it is kept safe. The oldest first."""

    passkeys: tuple[PasskeyCard, ...]
    add_url: str
    delay: str
    """When a new one counts: "after 1 day", "at once"."""


@dataclass(frozen=True, kw_only=True)
class PasskeyPage(Page):
    """One step with a passkey. Posts `credential`, `name` and `hidden`."""

    title: str
    about: str = ""
    """What the passkey is called that it is about."""
    sentences: tuple[str, ...]
    asks_for_name: bool = False
    press: str
    cancel: str = "Not now"
    cancel_url: str
    action: str
    hidden: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class BrowserCard:
    """One browser of the person's that tells them."""

    name: str
    """The person's own words."""
    added: Markup
    told: Markup
    """When it was last told something; nothing where it never was."""
    remove_url: str


@dataclass(frozen=True, kw_only=True)
class BrowsersPage(Page):
    """In which browsers the person is told, the oldest first. Posts `subscription` and `name`."""

    notifications_url: str = ""
    browsers: tuple[BrowserCard, ...] = ()
    action: str
    key: str
    """The server's, by which the browser knows who tells it (RFC 8292 §4)."""
    problem: str = ""
    longest: int
    """Characters of a name."""


@dataclass(frozen=True)
class Onward:
    """A link that says where it goes."""

    url: str
    words: str


@dataclass(frozen=True, kw_only=True)
class MessagePage(Page):
    """Something happened: an error, or a thing finished. Only the server's own words."""

    title: str
    """What happened, as a sentence without a full stop: "This request can't be used"."""
    state: State | None = None
    sentences: tuple[str, ...] = ()
    """Whether anything was granted, and what to do next."""
    reference: str = ""
    """The id to quote to support."""
    onward: tuple[Onward, ...] = ()


def _named(face: AgentFace | ChainLink) -> Markup:
    return Markup("<bdi>{}</bdi>").format(neutralise(face.name, NAME_LENGTH))


def _title_of(deeds: Sequence[str]) -> Markup:
    said = [*deeds[:1], *map(_within_a_sentence, deeds[1:])]
    return Markup(list_of([str(escape(deed)) for deed in said]))  # noqa: S704 - each is escaped


def _within_a_sentence(deed: str) -> str:
    return deed if deed[1:2].isupper() else deed[:1].lower() + deed[1:]

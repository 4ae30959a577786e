"""What each page is told: frozen view models, so that templates read fields and decide nothing.

Three kinds of text are kept apart. Sentences of the server are `str` in plain words. An
agent's own words (`name`, `purpose`) may be passed raw: every template shows them through
`words.neutralise`. Times are `Markup` made by `words.time_tag`. All else is escaped.
"""

from .agents import AgentsPage, DelegationNode, EndPage, TaskTree, UserCodePage
from .browsers import BrowserCard, BrowsersPage
from .consent import SPAWNED, ConsentPage, PassOnChoice
from .frame import (
    NAME_LENGTH,
    NOTHING,
    PURPOSE_LENGTH,
    SENTENCE_LENGTH,
    SHORT_NAME_LENGTH,
    AgentFace,
    ChainLink,
    Holding,
    Page,
    ScopeChoice,
    Signing,
    State,
    UntilChoice,
)
from .graph import Chosen, GraphLink, GraphNode, GraphPage
from .inbox import AmountField, ApprovalCard, Asker, DecidedCard, InboxPage, SignPage
from .message import MessagePage, Onward
from .notifications import ChannelCard, NotificationsPage, QuietForm
from .passkeys import PasskeyCard, PasskeyPage, PasskeysPage
from .register import (
    AgentCard,
    AgentPage,
    Fact,
    Filter,
    HappenedLine,
    HeldLine,
    KeyLine,
    RegisterPage,
    StopPage,
)
from .task import TaskPage, TaskQuestion
from .timeline import Lane, Moment, Tick, TimelinePage

__all__ = [
    "NAME_LENGTH",
    "NOTHING",
    "PURPOSE_LENGTH",
    "SENTENCE_LENGTH",
    "SHORT_NAME_LENGTH",
    "SPAWNED",
    "AgentCard",
    "AgentFace",
    "AgentPage",
    "AgentsPage",
    "AmountField",
    "ApprovalCard",
    "Asker",
    "BrowserCard",
    "BrowsersPage",
    "ChainLink",
    "ChannelCard",
    "Chosen",
    "ConsentPage",
    "DecidedCard",
    "DelegationNode",
    "EndPage",
    "Fact",
    "Filter",
    "GraphLink",
    "GraphNode",
    "GraphPage",
    "HappenedLine",
    "HeldLine",
    "Holding",
    "InboxPage",
    "KeyLine",
    "Lane",
    "MessagePage",
    "Moment",
    "NotificationsPage",
    "Onward",
    "Page",
    "PassOnChoice",
    "PasskeyCard",
    "PasskeyPage",
    "PasskeysPage",
    "QuietForm",
    "RegisterPage",
    "ScopeChoice",
    "SignPage",
    "Signing",
    "State",
    "StopPage",
    "TaskPage",
    "TaskQuestion",
    "TaskTree",
    "Tick",
    "TimelinePage",
    "UntilChoice",
    "UserCodePage",
]

"""What speaks for looking twice at a card, in the server's own words: who is new, whom nobody
has looked at, and that it is a helper which another agent started. Pure.
"""

from collections.abc import Iterator, Mapping, Sequence

from markupsafe import Markup

from ..agents.adopt import is_unconfirmed
from ..agents.models import SPAWNED, Agent
from ..agents.register import SELF
from ..web.pages import NAME_LENGTH
from ..web.words import neutralise

#: Seconds for which an agent is new.
NEW = 7 * 86_400


def warnings(chain: Sequence[str], agents: Mapping[str, Agent], now: int) -> tuple[Markup, ...]:
    """Return a sentence for each thing to know of the agents of `chain`, the asker's first.

    :param chain: client ids; who asks is the last
    """
    known = [agents[name] for name in reversed(chain) if name in agents]
    told = [sentence for one in known for sentence in _origin(one, agents)]
    asker = agents.get(chain[-1])
    if asker and asker.origin != SPAWNED and now - asker.created_at < NEW:
        told.append(Markup("{} is new here: since less than a week.").format(_called(asker)))
    return tuple(told)


def _origin(one: Agent, agents: Mapping[str, Agent]) -> Iterator[Markup]:
    name, parent = _called(one), agents.get(one.parent or "")
    if one.origin == SPAWNED:
        by = _called(parent) if parent else "another agent"
        yield Markup("{} is a helper that {} started.").format(name, by)
    elif is_unconfirmed(one):
        yield Markup("{} registered itself, and nobody here has looked at it.").format(name)
    elif one.origin == SELF:
        yield Markup("{} registered itself. An administrator let it in.").format(name)


def _called(one: Agent) -> Markup:
    return Markup("<bdi>{}</bdi>").format(neutralise(one.name, NAME_LENGTH))

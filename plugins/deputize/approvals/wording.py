"""How the inbox says what every card has: agents, deeds, what is held, and times."""

from dataclasses import dataclass
from datetime import UTC, datetime

from markupsafe import Markup

from ..catalogue.details import say_details
from ..catalogue.models import Catalogue
from ..core.values import Words
from ..delegation.details import Details, of_scope
from ..web.pages import AgentFace, ChainLink, Holding
from ..web.words import host_of, since, time_tag, until
from .approvers import Needed, needed_by
from .around import Around
from .models import Approval
from .rules import rules_of


@dataclass(frozen=True)
class Wording:
    """Cards in words, by what was read around them."""

    around: Around
    catalogue: Catalogue

    @property
    def now(self) -> datetime:
        return _moment(self.around.now)

    def face(self, client_id: str) -> AgentFace:
        known = self.around.agents.get(client_id)
        return AgentFace(client_id, known.name if known else client_id)

    def chain(self, card: Approval) -> tuple[ChainLink, ...]:
        return tuple(ChainLink(self.face(name).name) for name in card.chain)

    def deed(self, name: str, details: Details) -> str:
        """Return what a scope lets it do: what its details mean, where it has any."""
        types = self.catalogue.types
        told = say_details(of_scope(details, frozenset({name}), types), types)
        return told or self.catalogue.describe(name)

    def holdings(self, scope: Words) -> tuple[Holding, ...]:
        # What is done elsewhere first.
        names = sorted(scope, key=lambda name: (name not in self.catalogue.scopes, name))
        return tuple(Holding(self.catalogue.describe(name), self.where(name)) for name in names)

    def where(self, name: str) -> str:
        known = self.catalogue.scopes.get(name)
        return host_of(known.resource) if known else ""

    def needed(self, adding: Words) -> list[Needed]:
        """Return who else must say yes to these scopes, in the order in which they are told."""
        needed = needed_by(rules_of(self.catalogue, adding))
        return sorted(needed, key=lambda one: one.group)

    def ago(self, at: int) -> Markup:
        return time_tag(since(_moment(at), self.now), _moment(at), self.now)

    def until(self, at: int) -> Markup:
        return time_tag(until(_moment(at), self.now), _moment(at), self.now)


def _moment(at: int) -> datetime:
    return datetime.fromtimestamp(at, UTC)

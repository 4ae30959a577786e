"""How the inbox says what every card has: agents, deeds, what is held, and times."""

from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup

from ..catalogue.models import Catalogue
from ..core.values import Words
from ..delegation.details import Details
from ..delegation.wording import face_of, say_scope
from ..web.pages import AgentFace, ChainLink
from ..web.words import since_tag, until_tag, utc
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
        return utc(self.around.now)

    def face(self, client_id: str) -> AgentFace:
        return face_of(client_id, self.around.agents)

    def chain(self, card: Approval) -> tuple[ChainLink, ...]:
        return tuple(ChainLink(self.face(name).name) for name in card.chain)

    def deed(self, name: str, details: Details) -> str:
        """Return what a scope lets it do: what its details mean, where it has any."""
        return say_scope(name, details, self.catalogue.types) or self.catalogue.describe(name)

    def needed(self, adding: Words) -> list[Needed]:
        """Return who else must say yes to these scopes, in the order in which they are told."""
        needed = needed_by(rules_of(self.catalogue, adding))
        return sorted(needed, key=lambda one: one.group)

    def ago(self, at: int) -> Markup:
        return since_tag(at, self.around.now)

    def until(self, at: int) -> Markup:
        return until_tag(at, self.around.now)

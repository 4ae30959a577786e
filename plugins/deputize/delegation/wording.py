"""How pages say what a delegation is made of: agents, what scopes let them do, and where. Pure."""

from collections.abc import Mapping

from markupsafe import Markup

from ..agents.models import Agent
from ..catalogue.details import say_details
from ..catalogue.models import Catalogue
from ..core.values import Words
from ..web.pages import AgentFace, Holding
from ..web.words import host_of
from .details import Details, Types, of_scope


def face_of(client_id: str, agents: Mapping[str, Agent]) -> AgentFace:
    """Return an agent as a person recognises it; by its id, where it is not known any more."""
    known = agents.get(client_id)
    return AgentFace(client_id, known.name if known else client_id)


def say_scope(name: str, details: Details, types: Types) -> Markup:
    """Return what `details` let a scope do, as a sentence; empty where none is bound to it."""
    return say_details(of_scope(details, frozenset({name}), types), types)


def where_of(name: str, catalogue: Catalogue) -> str:
    """Return the host of a scope's resource server; empty for the agent's own scopes."""
    known = catalogue.scopes.get(name)
    return host_of(known.resource) if known else ""


def holdings_of(scope: Words, catalogue: Catalogue) -> tuple[Holding, ...]:
    """Return what a scope lets its holder do: what is done elsewhere first."""
    names = sorted(scope, key=lambda name: (name not in catalogue.scopes, name))
    return tuple(Holding(catalogue.describe(name), where_of(name, catalogue)) for name in names)

"""An agent asks cold (CIBA Core §7.1): it names its person, and shows no token that it holds.

Nobody is asked but who lets this agent act for them already: the question is put as if it had
shown its hold on the newest such delegation that reaches the target. For everybody else the
answer is one, and so is the work: it tells nobody who has an account, or deputized another.
"""

from ..agents.models import Agent
from ..core.refusal import Refusal
from ..delegation.context import Context, Reading
from ..delegation.liveness import Standing, find_roots, why_dead
from ..host import FindsByHint
from .redeem import ID_TOKEN_TYP

#: Characters of a `login_hint`: an e-mail address has 254 at most (RFC 5321 §4.5.3.1.3).
LONGEST_HINT = 254

#: No host has a person of that key.
_NOBODY = ""


def find_asked(
    context: Context, reading: Reading, agent: Agent, hint: tuple[str, str], target: str
) -> Standing:
    """Return the delegation by which `agent` may ask whom `hint` names about `target`.

    :param hint: by name: `login_hint` or `id_token_hint`
    :raises Refusal: `hint.unknown`, whoever it names, or nobody
    """
    name, value = hint
    named = _by_login_hint if name == "login_hint" else _by_id_token
    roots = find_roots(reading.tx, named(context, reading, agent, value), agent.client_id)
    found = next((root for root in roots if _reaches(root, target, reading.moment.now)), None)
    if found is None or not context.host.is_active(found.subject):
        raise Refusal("hint.unknown", "Nobody can be asked by that hint.")
    return found


def _reaches(root: Standing, target: str, now: int) -> bool:
    return target in root.node.resources and why_dead(root, now) is None


def _by_login_hint(context: Context, reading: Reading, agent: Agent, hint: str) -> str:
    """Return the host's key of who is called so; where it cannot tell, nobody is."""
    if not isinstance(context.host, FindsByHint) or len(hint) > LONGEST_HINT:
        return _NOBODY
    person = context.host.find_person_by_hint(hint)
    return person.key if person else _NOBODY


def _by_id_token(context: Context, reading: Reading, agent: Agent, hint: str) -> str:
    """Return whom an ID token names that this agent got from us.

    An expired one too: CIBA Core §7.2 leaves the "maximum age (where applicable) of a hint" to
    the server, and it gives no right: the delegation does, which must live.
    """
    is_short = len(hint) <= context.settings.bounds.token_bytes
    claims = reading.moment.keys.verify(hint, ID_TOKEN_TYP) if is_short else None
    if claims is None or claims.get("aud") != agent.client_id:
        return _NOBODY
    return str(claims["sub"])

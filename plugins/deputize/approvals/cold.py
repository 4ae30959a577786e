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
from ..oauth.ciba import BackchannelRequest
from .collect import ID_TOKEN_TYP
from .user_code import is_user_code

#: Characters of a `login_hint`: an e-mail address has 254 at most (RFC 5321 §4.5.3.1.3).
LONGEST_HINT = 254

#: No host has a person of that key.
_NOBODY = ""


def find_asked(
    context: Context, reading: Reading, agent: Agent, asked: BackchannelRequest, target: str
) -> Standing:
    """Return the delegation by which `agent` may ask whom the request names about `target`.

    :raises Refusal: `hint.unknown`, whoever it names, or nobody; for an agent that asks by
        the person's code, `user_code.wrong` for all of that, and `user_code.missing`
    """
    code = asked.user_code if agent.user_code_parameter else ""
    if code is None:
        raise Refusal("user_code.missing", "The client registered that it sends a user_code.")
    found = _find(context, reading, agent, asked.hint, target)
    if agent.user_code_parameter:
        person_id = found.node.person_id if found else _NOBODY
        is_right = is_user_code(context.db, person_id, agent.client_id, code)
        if found is None or not is_right:
            raise Refusal("user_code.wrong", "Nobody can be asked by that hint and code.")
    if found is None:
        raise Refusal("hint.unknown", "Nobody can be asked by that hint.")
    return found


def _find(
    context: Context, reading: Reading, agent: Agent, hint: tuple[str, str], target: str
) -> Standing | None:
    name, value = hint
    named = _by_login_hint if name == "login_hint" else _by_id_token
    roots = find_roots(reading.tx, named(context, reading, agent, value), agent.client_id)
    found = next((root for root in roots if _reaches(root, target, reading.moment.now)), None)
    return found if found and context.host.is_active(found.subject) else None


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

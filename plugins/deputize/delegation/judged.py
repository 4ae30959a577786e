"""A live token is judged again whenever it is asked about: one that may not be is inactive.

An introspection leaves no event, so what is refused here is counted, as all is that is
refused without one.
"""

from dataclasses import replace

from ..core.refusal import Refusal
from ..core.values import Words
from .context import Context, Reading
from .gates import Act, Action, act_on, pass_judges
from .liveness import Standing


def may_be_told(context: Context, reading: Reading, standing: Standing, scope: Words) -> bool:
    """Tell whether every judge lets a token on this delegation be active.

    :param scope: what is left of the token's
    :raises Undecided: where one has to ask outside
    """
    if not context.judges:
        return True
    node = replace(standing.node, scope=scope)
    act = act_on(Action.INTROSPECT, node, standing.started_at, standing.deadline)
    return is_let_pass(context, reading, act)


def is_let_pass(context: Context, reading: Reading, act: Act) -> bool:
    """Tell whether every judge lets this pass; count what one does not.

    :raises Undecided: where one has to ask outside
    """
    try:
        pass_judges(context.judges, reading, act)
    except Refusal as refusal:
        context.tally.count(refusal.rule)
        return False
    return True

"""What a rule raises when it says no.

A rule knows neither HTTP nor OAuth: it names itself (`rule`), says in safe words
what happened, and keeps what only operators may read in `detail`. A grant maps the
rule to an OAuth error once; the audit trail records the rule's name.
"""


class Refusal(Exception):  # noqa: N818 - a refusal is an answer, not a fault
    """A rule said no.

    :param rule: the rule's name, as the audit trail shows it, e.g. `scope.beyond_subject`
    :param text: what the client may be told; never quotes its input
    :param detail: what only the audit trail keeps
    """

    def __init__(self, rule: str, text: str, *, detail: str = "") -> None:
        super().__init__(text)
        self.rule = rule
        self.text = text
        self.detail = detail

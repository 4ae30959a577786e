"""trail.md: every word that the audit trail uses."""

from markdown_page import page, table

from deputize.audit.vocabulary import KINDS, REASONS

ABOUT = """
An event has a `kind`; where something ended, `why`; and where something was refused, the `rule`
that said no ([rules](rules.md)). Another word is never written. To look for a kind, or for all
that begin alike: `deputize audit list --kind approval`.
"""


def trail() -> str:
    """Return the page."""
    return page("The trail's words", ABOUT, [*_words("kind", KINDS), "", *_words("why", REASONS)])


def _words(name: str, words: dict[str, str]) -> list[str]:
    return table((name, "what it says"), [(f"`{word}`", told) for word, told in words.items()])

"""What a message says. In the server's words: of the agent's own there is its name, made plain.

A mail program makes a link of whatever looks like one, and a chat a call to everybody: a name
that looks so is taken apart. The one link of a message is the server's, and leads to the page.
"""

import re
from collections.abc import Sequence
from datetime import timedelta

from ...web.pages import NAME_LENGTH, PURPOSE_LENGTH
from ...web.words import count_of, list_of, neutralise, span

#: Where a word would become a link, an address or a mention; not the point of an amount.
_JOINS = re.compile(r"([/@#。．｡]|(?<!\d)[.:]|[.:](?!\d))(?=\S)")
#: What marks text up in chats.
_MARKUP = re.compile(r"[<>\[\]|`*~\\]")

_DECIDE = "Sign in and decide here. Neither this message nor an answer to it decides anything."


def plain_name(name: str) -> str:
    """Return somebody's name as a message may carry it."""
    return _apart(name, NAME_LENGTH)


def plain_deed(deed: str) -> str:
    """Return what is asked for as a message may carry it: details are in it, of the agent's."""
    return _apart(deed, PURPOSE_LENGTH)


def asked(agent: str, whose: str, seconds: int, deeds: Sequence[str]) -> tuple[str, str]:
    """Return title and text of a question to a person.

    :param whose: "your", or the name of the person where others read it too
    :param seconds: left to answer
    :param deeds: what is asked for; empty where that is not told
    """
    title = f"The agent {agent} asks for {whose} word"
    lines = [f"{title}. It can be given for {span(timedelta(seconds=seconds))}.", *_told(deeds)]
    return title, "\n".join([*lines, "", _DECIDE])


def groups_asked(
    agent: str, person: str, groups: Sequence[str], seconds: int, deeds: Sequence[str]
) -> tuple[str, str]:
    """Return title and text of a question to others, once the person has said yes."""
    title = f"{list_of(groups)}: your word is asked for"
    said = (
        f"{person} said yes to the agent {agent}. It happens only if {list_of(groups)} says yes too"
    )
    lines = [f"{said}, within {span(timedelta(seconds=seconds))}.", *_told(deeds)]
    return title, "\n".join([*lines, "", _DECIDE])


def end_proposed(agent: str, whose: str) -> tuple[str, str]:
    """Return title and text of an agent's word that its task is over."""
    title = f"The agent {agent} says that {whose} task is over"
    text = f"{title}. It can do nothing more, and ends once that is accepted."
    return title, f"{text}\n\n{_DECIDE}"


def time_asked(agent: str, whose: str) -> tuple[str, str]:
    """Return title and text of an agent's wish for more time."""
    title = f"The agent {agent} asks for more time for {whose} task"
    text = f"{title}. Where nobody gives it, the task ends when its time is over."
    return title, f"{text}\n\n{_DECIDE}"


def digest(whose: str, came: int, waiting: int) -> tuple[str, str]:
    """Return title and text of what is told at the end of the quiet hours."""
    questions = count_of(came, "question")
    waits = f"{waiting} still wait{'s' if waiting == 1 else ''}" if waiting else "none waits now"
    text = f"While it was quiet, {questions} came for {whose} word; {waits}."
    return f"{questions} came while it was quiet", text


def test() -> tuple[str, str]:
    """Return title and text of a test."""
    return "A test", "This is how you are told when an agent asks for your word. Nothing waits."


def _told(deeds: Sequence[str]) -> list[str]:
    return [f"It asks for this: {'; '.join(deeds)}"] if deeds else []


def _apart(text: str, limit: int) -> str:
    return neutralise(_JOINS.sub(r"\1 ", _MARKUP.sub("", neutralise(text, limit))), limit)

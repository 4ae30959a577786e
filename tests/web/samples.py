"""Every page filled with text that attacks it, and an app that shows them."""

from datetime import UTC, datetime
from html.parser import HTMLParser

from flask import Flask, request

from deputize.web.pages import (
    AgentFace,
    AgentsPage,
    BrowserCard,
    BrowsersPage,
    ChainLink,
    ChannelCard,
    ConsentPage,
    DelegationNode,
    EndPage,
    Holding,
    MessagePage,
    NotificationsPage,
    Onward,
    PassOnChoice,
    QuietForm,
    ScopeChoice,
    State,
    TaskPage,
    TaskTree,
    UntilChoice,
    UserCodePage,
)
from deputize.web.shell import Brand, render, web_blueprint
from deputize.web.words import time_tag

HOSTILE = "\"'><script>alert(1)</script>\u202e{{ 7*7 }}<style>"
NOW = datetime(2026, 11, 24, 17, 40, tzinfo=UTC)
TIME = time_tag(HOSTILE, NOW, NOW)
AGENT = AgentFace(HOSTILE, HOSTILE)
CHAIN = (ChainLink(HOSTILE), ChainLink(HOSTILE, ended=True))
NODE = DelegationNode(
    agent=AGENT,
    state=State.ACTIVE,
    chain=CHAIN,
    holds=(Holding(HOSTILE, HOSTILE),),
    until=TIME,
    last_seen=TIME,
    seen_where=HOSTILE,
    stop_url="/" + HOSTILE,
)
TASK = TaskTree(
    agent=AGENT,
    state=State.ENDED,
    started=TIME,
    purpose=HOSTILE,
    ending=TIME,
    nodes=(NODE,),
    task_url="/" + HOSTILE,
    receipt_url="/" + HOSTILE,
)
PAGES = {
    "consent.html": ConsentPage(
        person=HOSTILE,
        agents_url="/" + HOSTILE,
        agent=AGENT,
        owner=HOSTILE,
        sponsor=HOSTILE,
        registered=TIME,
        purpose=HOSTILE,
        warnings=(HOSTILE,),
        problem=HOSTILE,
        scopes=(
            ScopeChoice("a b" + HOSTILE, HOSTILE, HOSTILE),
            ScopeChoice("s", HOSTILE, "", True),
        ),
        pass_on=(PassOnChoice(HOSTILE, HOSTILE, HOSTILE),),
        until=(UntilChoice(600, HOSTILE, chosen=True),),
        returns_to=HOSTILE,
        action="/" + HOSTILE,
        hidden={HOSTILE: HOSTILE},
    ),
    "agents.html": AgentsPage(person=HOSTILE, live=(TASK,), finished=(TASK,)),
    "user_code.html": UserCodePage(
        person=HOSTILE, action="/" + HOSTILE, set_at=TIME, problem=HOSTILE, longest=64
    ),
    "browsers.html": BrowsersPage(
        person=HOSTILE,
        notifications_url="/" + HOSTILE,
        browsers=(BrowserCard(HOSTILE, TIME, TIME, "/" + HOSTILE),),
        action="/" + HOSTILE,
        key=HOSTILE,
        problem=HOSTILE,
        longest=60,
    ),
    "notifications.html": NotificationsPage(
        person=HOSTILE,
        inbox_url="/" + HOSTILE,
        action="/" + HOSTILE,
        channels=(ChannelCard(HOSTILE, HOSTILE, HOSTILE, test=TIME, problem=HOSTILE),),
        quiet=QuietForm(HOSTILE, HOSTILE, HOSTILE, HOSTILE),
        times=(HOSTILE,),
        zones=(HOSTILE,),
    ),
    "task.html": TaskPage(
        person=HOSTILE,
        agent=AGENT,
        purpose=HOSTILE,
        started=TIME,
        until=TIME,
        proposed="completed",
        longer=(UntilChoice(600, HOSTILE, chosen=True),),
        action="/" + HOSTILE,
    ),
    "end.html": EndPage(agent=AGENT, chain=CHAIN, also=(AGENT,), withdrawn=1, action="/end"),
    "message.html": MessagePage(
        title=HOSTILE,
        state=State.REFUSED,
        sentences=(HOSTILE,),
        reference=HOSTILE,
        onward=(Onward("/" + HOSTILE, HOSTILE),),
    ),
}


class Markup(HTMLParser):
    """What a browser would make of a page: its tags with attributes, and its form fields."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def make_app(brand: Brand) -> Flask:
    app = Flask(__name__)
    app.secret_key = "a key for these tests alone"
    app.jinja_env.autoescape = False  # a host's own choice, which must not reach our pages
    app.register_blueprint(web_blueprint(brand))

    @app.get("/page/<template>")
    def page(template: str) -> object:
        redirect_uri = request.args.get("redirect_uri")
        return render(template, PAGES[template], status=400, redirect_uri=redirect_uri)

    return app

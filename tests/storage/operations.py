"""What people, agents and APIs do all day: each prepared first, then done once to be heard."""

import time
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import httpx

from deputize.agents.lifecycle import Status
from deputize.approvals.choices import set_quiet_hours
from deputize.approvals.notifiers.deliver import Telling
from deputize.approvals.notifiers.try_channel import ask_for_test
from deputize.approvals.quiet import QuietHours
from deputize.endings.end_task import end_task
from deputize.endings.person_left import person_left
from deputize.endings.stop_agent import stop_agent
from deputize.endings.sweep import sweep
from deputize.host import Person
from deputize.outbox.channel import Channel, Message
from deputize.outbox.claim import claim, settle
from deputize.outbox.enqueue import enqueue
from deputize.outbox.models import Line
from deputize.settings import Webhook
from support import agents_http
from support.asking import Asking
from support.world import CALENDAR, CALLBACK, World, read_form

Act = Callable[[], Any]

SCOPE = "calendar:read"
BOTH = f"{SCOPE} agents:spawn"
PUSH = "pushed_authorization_request_endpoint"


def a_new_lease(world: World) -> Act:
    hold, planner = world.hold(), world.agent("planner")
    planner.exchange(hold, resource=CALENDAR).raise_for_status()
    return lambda: planner.exchange(hold, resource=CALENDAR)


def a_new_node(world: World) -> Act:
    hold, planner = world.hold(), world.agent("planner")
    return lambda: planner.exchange(hold, resource=CALENDAR)


def a_new_node_four_deep(world: World) -> Act:
    names = [f"deep-{depth}-{len(world.keys)}" for depth in range(4)]
    for name in names:
        world.register(name, delegates_to=frozenset(names))
    token = world.hold(names[0], pass_on=tuple(names[1:]))
    for giver, taker in pairwise(names):
        token = world.hand_over(token, giver, taker, SCOPE)
    return lambda: world.agent(names[-1]).exchange(token, resource=CALENDAR)


def handing_over(world: World) -> Act:
    hold, planner = world.hold(), world.agent("planner")
    return lambda: planner.exchange(hold, audience="booker", scope=SCOPE)


def taking_what_was_handed_over(world: World) -> Act:
    given = world.agent("planner").exchange(world.hold(), audience="booker", scope=SCOPE)
    token = given.json()["access_token"]
    return lambda: world.agent("booker").exchange(token, resource=CALENDAR)


def introspection_by_an_api(world: World) -> Act:
    token = _at_the_api(world, world.hold())
    return lambda: world.api().introspect(token)


def introspection_by_an_agent(world: World) -> Act:
    hold = world.hold()
    return lambda: world.agent("planner").introspect(hold)


def a_refresh(world: World) -> Act:
    token = world.consent().json()["refresh_token"]
    asked = {"grant_type": "refresh_token", "refresh_token": token}
    return lambda: world.agent("planner").post("token_endpoint", **asked)


def introspection_of_a_refresh_token(world: World) -> Act:
    token = world.consent().json()["refresh_token"]
    return lambda: world.agent("planner").introspect(token)


def redeeming_a_code(world: World) -> Act:
    verifier, challenge = agents_http.pkce()
    asked = {
        "grant_type": "authorization_code",
        "code": world.code(challenge),
        "redirect_uri": CALLBACK,
        "code_verifier": verifier,
    }
    return lambda: world.agent("planner").post("token_endpoint", **asked)


def pushing_a_request(world: World) -> Act:
    planner = world.agent("planner")
    return lambda: planner.post(PUSH, **_asked())


def opening_what_was_pushed(world: World) -> Act:
    link = _pushed(world)
    browser = world.browser()
    return lambda: browser.get(world.metadata["authorization_endpoint"], params=link)


def granting_what_was_pushed(world: World) -> Act:
    link, browser = _pushed(world), world.browser()
    page = browser.get(world.metadata["authorization_endpoint"], params=link)
    form = read_form(page.text) | {"decision": ["allow"]}
    action = form.pop("action")[0]
    return lambda: browser.post(action, data=form).headers["Location"]


def _pushed(world: World) -> dict[str, str]:
    pushed = pushing_a_request(world)().json()
    return {"client_id": "planner", "request_uri": pushed["request_uri"]}


def _asked() -> dict[str, str]:
    return {
        "response_type": "code",
        "redirect_uri": CALLBACK,
        "scope": SCOPE,
        "code_challenge": agents_http.pkce()[1],
        "code_challenge_method": "S256",
    }


def a_token_of_its_own(world: World) -> Act:
    asked = {"grant_type": "client_credentials", "scope": SCOPE, "resource": CALENDAR}
    return lambda: world.agent("planner").post("token_endpoint", **asked)


def asking_to_spawn(world: World) -> Act:
    hold, key = world.hold(), agents_http.new_key()
    return lambda: world.agent("planner").ask_to_spawn(hold, SCOPE, key)


def registering_the_spawned(world: World) -> Act:
    hold, key, planner = world.hold(), agents_http.new_key(), world.agent("planner")
    token = planner.ask_to_spawn(hold, SCOPE, key).json()["access_token"]
    return lambda: planner.register_child(token, key)


def registering_itself(world: World) -> Act:
    usual = {"client_type": "agent", "client_name": "Stranger", "redirect_uris": [CALLBACK]}
    keys = agents_http.jwks(agents_http.new_key())
    return lambda: agents_http.register(world.metadata, **usual, jwks=keys)


def revoking_a_tree(world: World) -> Act:
    hold = world.hold()
    _at_the_api(world, hold)
    return lambda: world.agent("planner").revoke(hold)


def revoking_a_token_of_its_own(world: World) -> Act:
    token = a_token_of_its_own(world)().json()["access_token"]
    return lambda: world.agent("planner").revoke(token)


def ending_a_task(world: World) -> Act:
    hold = world.hold()
    world.spawn("planner", hold, SCOPE)
    task_id = agents_http.decode(hold)[1]["task_id"]
    return lambda: end_task(world.context.db, task_id, why="completed")


def suspending_an_agent(world: World) -> Act:
    name = f"stopped-{len(world.keys)}"
    world.register(name)
    _at_the_api(world, world.hold(name), name)
    return lambda: stop_agent(world.context.db, name, Status.SUSPENDED, why="suspended")


def a_person_leaving(world: World) -> Act:
    world.hold(person="eve")
    return lambda: person_left(world.context.db, "eve", why="left")


def sweeping(world: World) -> Act:
    return lambda: sweep(world.context.db)


def sealing(world: World) -> Act:
    sealer = world.app.extensions["deputize"].sealer
    sealer.seal()
    world.hold()
    return lambda: sealer.seal()


def finding_nothing_to_seal(world: World) -> Act:
    sealer = world.app.extensions["deputize"].sealer
    sealer.seal()
    return lambda: [sealer.seal()]


def looking_for_what_is_to_be_sent(world: World) -> Act:
    return lambda: claim(world.context.db, 8, ["word"], [])


def sending_what_is_due(world: World) -> Act:
    with world.context.db.write() as tx:
        enqueue(tx, "word", "one", "planner", due_at=tx.now, expires_at=tx.now + 60)

    def act() -> Line:
        (line,) = claim(world.context.db, 8, ["word"], [])
        settle(world.context.db, line, "told")
        return line

    return act


def looking_at_my_agents(world: World) -> Act:
    world.hold(person="ben")
    browser = world.browser("ben")
    return lambda: browser.get("/deputize/agents")


def looking_at_what_would_end(world: World) -> Act:
    delegation_id = agents_http.decode(world.hold(person="ben"))[1]["delegation_id"]
    browser = world.browser("ben")
    return lambda: browser.get(f"/deputize/agents/{delegation_id}/end")


def _a_guard(world: World) -> httpx.Client:
    world.host.people["sec"] = Person("sec", "Sec", roles=frozenset({"security"}))
    return world.browser("sec")


def looking_at_the_graph(world: World) -> Act:
    world.hold()
    browser = _a_guard(world)
    return lambda: browser.get("/deputize/graph")


def looking_at_the_graph_of_mine(world: World) -> Act:
    asking = _an_asker(world)
    node = agents_http.decode(asking.hold)[1]["delegation_id"]
    browser = world.browser(asking.person)
    return lambda: browser.get(f"/deputize/graph?node={node}")


def looking_at_agents(world: World) -> Act:
    browser = _a_guard(world)
    return lambda: browser.get("/deputize/register?state=unused")


def looking_at_agents_of_mine(world: World) -> Act:
    browser = world.browser("ben")
    return lambda: browser.get("/deputize/register")


def looking_at_an_agent(world: World) -> Act:
    asking = _an_asker(world)
    asking.asked()
    browser = _a_guard(world)
    return lambda: browser.get(f"/deputize/register/{asking.agent.client_id}")


def looking_at_what_suspending_would_end(world: World) -> Act:
    client_id = _an_asker(world).agent.client_id
    browser = _a_guard(world)
    return lambda: browser.get(f"/deputize/register/{client_id}/suspend")


def looking_back_at_a_task(world: World) -> Act:
    task = agents_http.decode(world.hold(person="ben"))[1]["task_id"]
    browser = world.browser("ben")
    return lambda: browser.get(f"/deputize/tasks/{task}")


def _an_asker(world: World) -> Asking:
    name = f"asking-{len(world.keys)}"
    world.register(name)
    person = f"asked-by-{name}"
    world.host.people[person] = Person(person, person)
    return Asking(world, world.agent(name), world.hold(name, person), person)


def asking_a_person(world: World) -> Act:
    return _an_asker(world).ask


def asking_the_same_again(world: World) -> Act:
    asking = _an_asker(world)
    asking.asked()
    return asking.ask


def coming_back_too_early(world: World) -> Act:
    asking = _an_asker(world)
    asked = asking.asked()

    def poll() -> str:
        error = str(asking.poll(asked).json()["error"])
        assert error == "authorization_pending"
        return error

    return poll


def saying_yes(world: World) -> Act:
    asking = _an_asker(world)
    asking.asked()
    card = asking.cards()[0]
    return lambda: asking.say_yes(card)


def saying_no(world: World) -> Act:
    asking = _an_asker(world)
    asking.asked()
    card = asking.cards()[0]
    return lambda: asking.say_no(card)


def redeeming_a_yes(world: World) -> Act:
    asking = _an_asker(world)
    asked = asking.asked()
    asking.say_yes(asking.cards()[0])
    return lambda: asking.poll(asked)


def coming_back_for_a_lost_reply(world: World) -> Act:
    asking = _an_asker(world)
    asked = asking.asked()
    asking.say_yes(asking.cards()[0])
    asking.poll(asked).raise_for_status()
    return lambda: asking.poll(asked)


def looking_at_what_agents_ask_me(world: World) -> Act:
    asking = _an_asker(world)
    asking.asked()
    browser = world.browser(asking.person)
    return lambda: browser.get("/deputize/approvals")


def looking_at_how_i_am_told(world: World) -> Act:
    world.hold(person="ben")
    browser = world.browser("ben")
    return lambda: browser.get("/deputize/notifications")


def keeping_quiet_hours(world: World) -> Act:
    world.hold(person="ben")

    def act() -> bool:
        set_quiet_hours(world.context.db, "ben", QuietHours(1320, 420, "Europe/Madrid"))
        return True

    return act


def asking_for_a_test(world: World) -> Act:
    world.hold(person="ben")

    def act() -> bool:
        ask_for_test(world.context.db, "ben", "webhook", _room())
        return True

    return act


def telling_of_a_question(world: World) -> Act:
    asking = _an_asker(world)
    asking.asked()
    telling = _telling(world)
    line = _line(asking.cards()[0].id)
    return lambda: telling.asked(line)


def telling_of_a_night(world: World) -> Act:
    asking = _an_asker(world)
    asking.asked()
    telling = _telling(world)
    line = _line(asking.cards()[0].person_id)
    return lambda: telling.digest(line)


def _telling(world: World) -> Telling:
    return Telling(replace(world.context, channels={"webhook": _room()}))


class _Room:
    """Where nothing costs a statement."""

    section = Webhook
    label = where = "a room"
    is_personal = False
    has_one_server = True

    def send(self, address: str, message: Message) -> None:
        """What is sent is not looked at here."""


def _room() -> Channel:
    return _Room()


def _line(subject: str) -> Line:
    now = int(time.time())
    return Line("0" * 16, "notify", subject, "webhook", 1, now - 60, now + 60, now + 300)


#: In the order in which they are done: who has left does nothing more.
OPERATIONS: tuple[Callable[[World], Act], ...] = (
    a_new_lease,
    a_new_node,
    a_new_node_four_deep,
    handing_over,
    taking_what_was_handed_over,
    introspection_by_an_api,
    introspection_by_an_agent,
    introspection_of_a_refresh_token,
    a_refresh,
    redeeming_a_code,
    pushing_a_request,
    opening_what_was_pushed,
    granting_what_was_pushed,
    a_token_of_its_own,
    asking_to_spawn,
    registering_the_spawned,
    registering_itself,
    revoking_a_tree,
    revoking_a_token_of_its_own,
    ending_a_task,
    suspending_an_agent,
    asking_a_person,
    asking_the_same_again,
    coming_back_too_early,
    saying_yes,
    saying_no,
    redeeming_a_yes,
    coming_back_for_a_lost_reply,
    looking_at_what_agents_ask_me,
    looking_at_my_agents,
    looking_at_what_would_end,
    looking_at_the_graph,
    looking_at_the_graph_of_mine,
    looking_at_agents,
    looking_at_agents_of_mine,
    looking_at_an_agent,
    looking_at_what_suspending_would_end,
    looking_back_at_a_task,
    looking_at_how_i_am_told,
    keeping_quiet_hours,
    asking_for_a_test,
    telling_of_a_question,
    telling_of_a_night,
    looking_for_what_is_to_be_sent,
    sending_what_is_due,
    sweeping,
    sealing,
    finding_nothing_to_seal,
    a_person_leaving,
)


def _at_the_api(world: World, hold: str, client_id: str = "planner") -> str:
    answer = world.agent(client_id).exchange(hold, resource=CALENDAR, scope=SCOPE)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["access_token"])


def done(act: Act) -> None:
    """Do it, and see that it was not refused."""
    answer = act()
    if isinstance(answer, httpx.Response):
        assert answer.is_success, answer.text
    assert answer is not None

"""`Deputize(host=...).init_app(app)`: all that a host calls.

The parts are one ordered list, checked together and then registered. Nothing is
registered on the host's own OAuth server: the seam answers before it is asked.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from flask import Flask

from .agents import models as agents
from .agents.remote_keys import RemoteKeys
from .approvals import models as approvals
from .approvals.choices import choice
from .approvals.collect import CIBA_ANSWERS
from .approvals.expect import NOTIFICATION
from .approvals.holding import Holding
from .approvals.inbox import inbox
from .approvals.notifications_page import notifications_page
from .approvals.notifiers.deliver import DELIVERIES
from .approvals.notifiers.find import open_channels
from .approvals.notifiers.web_push import WebPush
from .approvals.notify import Notifier
from .approvals.poll import AgentCibaGrant
from .approvals.step_up import StepUp
from .approvals.user_code import user_code, user_code_try
from .approvals.user_code_page import user_code_page
from .audit import models as audit
from .audit.checkpoint_file import CheckpointFile
from .audit.keys import AuditKeys
from .audit.published import audit_keys
from .audit.put_away import put_away
from .audit.record import Tally
from .audit.seal import Sealer
from .catalogue import models as catalogue
from .check import validate_host
from .core import used_once, versions
from .core.clock import Clock, FileClock, SystemClock
from .core.db import Database, Listeners
from .core.guarded_http import fetch
from .core.sealed import Box
from .core.versions import Cached, read_versions
from .dashboard.acting_for_me import acting_for_me
from .dashboard.graph_page import graph
from .dashboard.my_passkeys import my_passkeys
from .dashboard.my_task import my_task
from .dashboard.register import register
from .dashboard.task_timeline import task_timeline
from .delegation import keys as signing_keys
from .delegation import models as delegation
from .delegation.context import Context
from .delegation.gates import SensitiveScopes
from .delegation.keys import KeyStore
from .delegation.server import AgentServer
from .endings.announce import TASK_ENDED, hears_of_ends, how_it_ended
from .endings.end_delegation import end_delegation
from .endings.sweep import Swept, sweep
from .endings.unused import Unused, act_on_unused
from .host import Host
from .migrations import upgrade
from .oauth.ciba import CIBA
from .outbox import models as outbox
from .outbox.checkpoints import CHECKPOINT, announce, newest_checkpoint
from .outbox.deliver import Deliverer, InEachProcess
from .outbox.delivery import Delivery
from .outbox.models import Line
from .outbox.standard_webhook import ByWebhook, open_webhook
from .part import ConfigurationError, Part, check_parts
from .passkeys import models as passkeys
from .policy.find import open_point
from .policy.judge import PolicyJudge
from .seam import Seam, all_paths
from .settings import Settings
from .tasks import models as tasks
from .web.shell import Brand, web_blueprint
from .web_push.application_server import vapid_key
from .web_push.models import browser
from .web_push.page import browsers_page

NAME = "deputize"

PARTS: tuple[Part, ...] = (
    Part("core", tables=(used_once.used_once, versions.version)),
    Part("audit", tables=(audit.event, audit.seal, audit.audit_key)),
    Part(
        "outbox",
        tables=(outbox.outbox,),
        deliveries={
            CHECKPOINT: lambda c: ByWebhook(
                c.db, open_webhook("audit", c.settings.audit.webhook), newest_checkpoint
            )
        },
    ),
    Part(
        "catalogue",
        tables=(catalogue.scope, catalogue.resource_server, catalogue.details_type),
        metadata=("authorization_details_types_supported",),
    ),
    Part("agents", tables=(agents.agent,), endpoints=("registration",)),
    Part("tasks", tables=(tasks.task,), metadata=("tasks_endpoint",)),
    Part(
        "delegation",
        tables=(
            delegation.person,
            delegation.delegation,
            delegation.archived,
            delegation.code,
            delegation.pushed_request,
            delegation.refresh_token,
            delegation.spawn_token,
            delegation.single_use,
            delegation.quota,
            signing_keys.signing_key,
        ),
        grants=tuple(sorted(agents.GRANT_TYPES - {CIBA})),
        endpoints=(
            "authorize",
            "pushed_authorization_request",
            "token",
            "introspection",
            "revocation",
            "jwks",
        ),
    ),
    Part("passkeys", tables=(passkeys.passkey, passkeys.challenge, passkeys.evidence)),
    Part("web_push", tables=(browser, vapid_key)),
    Part(
        "approvals",
        tables=(
            approvals.approval,
            approvals.auth_request,
            approvals.asked_group,
            approvals.vote,
            user_code,
            user_code_try,
            choice,
        ),
        grants=(CIBA,),
        endpoints=("backchannel_authentication",),
        metadata=("approvals_endpoint", "approvals_page"),
        deliveries={NOTIFICATION: Notifier, **DELIVERIES},
    ),
    Part(
        "endings",
        listeners=((TASK_ENDED, lambda c: hears_of_ends(c.settings)),),
        deliveries={
            TASK_ENDED: lambda c: ByWebhook(
                c.db, open_webhook("tasks", c.settings.tasks.webhook), how_it_ended
            )
        },
    ),
    Part("dashboard", metadata=("agents_page",)),
)


@dataclass(frozen=True)
class _Ends:
    db: Database

    def end_delegation(self, delegation_id: str, *, why: str) -> bool:
        return end_delegation(self.db, delegation_id, why=why).nodes > 0


class Deputize:
    """The extension.

    :param host: the identity provider that it extends
    :param settings: what it can be told
    :param parts: more parts, checked with ours
    :raises ConfigurationError: where the host lacks a member of `Host`
    """

    def __init__(self, *, host: Host, settings: Settings, parts: Sequence[Part] = ()) -> None:
        validate_host(host)
        self.host = host
        self.settings = settings
        self.parts = (*PARTS, *parts)
        self.context = make_context(settings, host)
        self.context.db.listeners = listeners_of(self.parts, self.context)
        self.sealer = make_sealer(settings, self.context.db)
        self._sending = InEachProcess(self.deliverer, self.context.db.closed)
        self._sealing = InEachProcess(lambda: self.sealer, self.context.db.closed)

    def init_app(self, app: Flask) -> None:
        """Add agents to `app`.

        :raises ConfigurationError: when it was added before, or two parts clash
        """
        if NAME in app.extensions:
            raise ConfigurationError("Deputize was already added to this app: call init_app once")
        check_parts(self.parts)
        app.extensions[NAME] = self
        self._app = app
        prepare_database(self.context)
        self.sealer.keys.prepare(self.context.db)
        app.register_blueprint(web_blueprint(Brand(self.settings.web.organisation)))
        app.register_blueprint(acting_for_me(self.context))
        app.register_blueprint(my_task(self.context, self.sealer))
        app.register_blueprint(register(self.context))
        app.register_blueprint(graph(self.context))
        app.register_blueprint(task_timeline(self.context))
        app.register_blueprint(inbox(self.context))
        app.register_blueprint(my_passkeys(self.context))
        app.register_blueprint(user_code_page(self.context))
        app.register_blueprint(notifications_page(self.context))
        app.register_blueprint(audit_keys(self.context.db))
        for channel in self.context.channels.values():
            if isinstance(channel, WebPush):
                app.register_blueprint(browsers_page(self.context, channel.server))
        for part in self.parts:
            for blueprint in part.pages:
                app.register_blueprint(blueprint)
        grants = [grant for part in self.parts for grant in part.grants]
        server = AgentServer(self.context, ((AgentCibaGrant, CIBA_ANSWERS),))
        Seam(self.context, server, self.host.paths, grants).init_app(app)
        # At its first request, a worker has been forked. Called after each, whoever answers it.
        app.teardown_request(self.begin_sending)

    def begin_sending(self, _: BaseException | None = None) -> None:
        """Send and seal from this process from now on, where the settings say so."""
        if self.settings.outbox.in_workers:
            self._sending.begin()
        if self.settings.audit.in_workers:
            self._sealing.begin()

    def sweep(self) -> tuple[Swept, Unused]:
        """Write down what time has ended, stop what nobody uses, put old events away."""
        done = sweep(self.context.db), act_on_unused(self.context.db, self.settings.agents)
        if self.settings.audit.keep_days:
            put_away(self.sealer, self.settings.audit.keep_days * 86_400)
        return done

    def deliverer(self) -> Deliverer:
        """Return what sends from the outbox, for one process."""
        made = {kind: make for part in self.parts for kind, make in part.deliveries.items()}
        deliveries = {kind: self._in_app(make(self.context)) for kind, make in made.items()}
        return Deliverer(self.context.db, deliveries, self.settings.outbox.at_once)

    def _in_app(self, delivery: Delivery) -> Delivery:
        """A host may need its app's context to answer, and a thread of ours has none."""

        def deliver(line: Line) -> str:
            with self._app.app_context():
                return delivery(line)

        return deliver


def listeners_of(parts: Sequence[Part], context: Context) -> Listeners:
    """Return what hears of events, by their kind."""
    heard: dict[str, list[Any]] = {}
    for part in parts:
        for kind, make in part.listeners:
            heard.setdefault(kind, []).append(make(context))
    return heard


def make_context(settings: Settings, host: Host) -> Context:
    """Return what the rooms share, opened on the settings' database."""
    clock: Clock = FileClock(Path(settings.clock_file)) if settings.clock_file else SystemClock()
    db = Database(settings.database_url, clock)
    secret = settings.key_secret.get_secret_value() if settings.key_secret else None
    store = KeyStore(settings.issuer, secret)
    channels = open_channels(settings.notify)
    point = open_point(settings.policy)
    for channel in channels.values():
        if isinstance(channel, WebPush):
            channel.keep_in(db, Box(secret, "browsers"))
    return Context(
        settings=settings,
        db=db,
        host=host,
        catalogue=Cached("catalogue", catalogue.load_catalogue),
        keys=Cached(signing_keys.VERSION, store.load),
        key_store=store,
        box=Box(secret, "notifications"),
        remote_keys=RemoteKeys(partial(fetch, private_hosts=settings.agents.private_hosts)),
        registration_endpoint=f"{settings.issuer}{all_paths(host.paths).registration}",
        ends=_Ends(db),
        asks=StepUp(),
        holding=Holding(db, settings.approvals.max_held, settings.approvals.max_held_of_agent),
        gates=(SensitiveScopes(),),
        judges=(PolicyJudge(point),) if point else (),
        tally=Tally(),
        channels=channels,
    )


def make_sealer(settings: Settings, db: Database) -> Sealer:
    """Return what seals the audit trail.

    :raises ConfigurationError: where checkpoints are to be sent, and can't be
    """
    secret = settings.key_secret.get_secret_value() if settings.key_secret else None
    file = settings.audit.checkpoint_file
    return Sealer(
        issuer=settings.issuer,
        db=db,
        keys=AuditKeys(secret),
        announce=announce
        if open_webhook("audit", settings.audit.webhook)
        else lambda tx, kinds: None,
        file=CheckpointFile(Path(file)) if file else None,
        every=settings.audit.seal_every,
    )


def prepare_database(context: Context) -> None:
    """Bring the tables up to date, and make the first signing key; safe in several workers."""
    upgrade(context.db)
    with context.db.write() as tx:
        if not context.keys.get(tx, read_versions(tx)).by_kid:
            context.key_store.make(tx, signs_from=tx.now)

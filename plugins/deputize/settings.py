"""The plugin's settings: these classes are the truth, their docstrings the reference.

Defaults < file < environment (`DEPUTIZE__SECTION__KEY`, `..._FILE` for secrets) <
command line. An unknown or wrong key is refused at start, with file, key and what
is expected.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

Seconds = Annotated[int, Field(ge=1, le=10 * 365 * 86400)]


class Section(BaseModel):
    """One table of the settings file."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Tokens(Section):
    """`[deputize.tokens]`: how long what is handed out lives."""

    lifetime: Annotated[int, Field(ge=10, le=3600)] = 300
    """Seconds that an access token lives, at most: never past its delegation or task."""
    code_lifetime: Annotated[int, Field(ge=10, le=600)] = 60
    """Seconds in which an authorization code can be redeemed."""
    spawn_lifetime: Annotated[int, Field(ge=5, le=300)] = 60
    """Seconds in which a spawn token can be used."""
    refresh_grace: Annotated[int, Field(ge=0, le=60)] = 10
    """Seconds in which a repeated refresh by an authenticated client is a lost reply, not reuse."""


class Delegation(Section):
    """`[deputize.delegation]`: how far authority reaches."""

    max_depth: Annotated[int, Field(ge=1, le=16)] = 5
    """Agents in a chain, at most, whatever a registration says."""
    default_duration: Seconds = 8 * 3600
    """Seconds that the consent page offers first."""
    max_duration: Seconds = 30 * 86400
    """Seconds that a person can grant, at most."""
    max_nodes: Annotated[int, Field(ge=1, le=100_000)] = 1000
    """Delegations that one agent can make in one task, at most. Leases are not counted."""


class SignedWebhook(Section):
    """What is sent to one URL of the organisation's, signed as Standard Webhooks says."""

    url: str | None = None
    secret: SecretStr | None = None
    """Signs what is sent: `whsec_` and 24 to 64 random bytes in base64. Needed with it."""
    private_hosts: tuple[str, ...] = ()
    """Hosts on private addresses that the URL may name, by http as well."""


class TaskWebhook(SignedWebhook):
    """`[deputize.tasks.webhook]`: which system of the organisation's is told that a task has ended,
    signed as Standard Webhooks says."""

    url: str | None = None
    """Where to: what has things to clear away, too."""


class Tasks(Section):
    """`[deputize.tasks]`: how much may be done in one task, and how it ends."""

    max_exchanges: Annotated[int, Field(ge=1, le=10_000_000)] = 100_000
    """Token exchanges in one task, at most, over its whole tree; renewals count. How many agents
    may be spawned in it, `agents.max_spawned` says."""
    max_elevated: Annotated[int, Field(ge=0, le=10_000)] = 100
    """Approved steps in one task, at most. An agent's registration can say less of each."""
    completion: Literal["at_once", "person"] = "at_once"
    """Who accepts the end that an agent proposes, where its registration does not say: nobody need,
    or the person, and until they do nothing below the task is alive."""
    webhook: TaskWebhook = TaskWebhook()


class Agents(Section):
    """`[deputize.agents]`: who can become an agent."""

    self_registered: Literal["pending", "refuse", "adopt_at_consent"] = "pending"
    """What becomes of a client that registers itself: it waits for an administrator to adopt it, is
    refused, or the first person who consents adopts it, for themselves alone."""
    max_spawned: Annotated[int, Field(ge=0, le=10_000)] = 20
    """Agents that can be spawned in one task, over its whole tree."""
    max_pending: Annotated[int, Field(ge=0, le=1_000_000)] = 1000
    """Self-registered agents that can wait for adoption at one time."""
    private_hosts: tuple[str, ...] = ()
    """Hosts on private addresses from which a `jwks_uri` may be fetched, by http as well, and where
    declared agents may be told of answers."""
    default_lifetime: Seconds = 90 * 86400
    """Seconds until a self-registered agent expires."""
    unused_reported: Annotated[int, Field(ge=0)] = 60 * 86400
    """Seconds without any use after which an agent is told of in the audit trail; 0 for never."""
    unused_suspended: Annotated[int, Field(ge=0)] = 90 * 86400
    """Seconds without any use after which an agent is suspended; 0 for never."""


class Approvals(Section):
    """`[deputize.approvals]`: asking a person in the middle of a task."""

    lifetime: Annotated[int, Field(ge=30, le=3600)] = 300
    """Seconds in which a request can be decided and redeemed, at most."""
    max_open: Annotated[int, Field(ge=1, le=100)] = 3
    """Requests that can wait for one person, root agent and scope at one time."""
    per_day: Annotated[int, Field(ge=1, le=10_000)] = 100
    """Requests that one root agent, and whom it hands over to, can put to one person a day."""
    cool_down: Annotated[int, Field(ge=0, le=86_400)] = 300
    """Seconds after a no in which the same is not asked again."""
    hold_poll: Annotated[int, Field(ge=0, le=30)] | None = None
    """Seconds for which a poll is held until there is an answer, at most; 0 for never. Where it is
    not set, `deputize serve` holds for 20, and another host's server for none."""
    max_held: Annotated[int, Field(ge=1, le=10_000)] = 2100
    """Polls that one process holds at one time; more are answered at once."""
    max_held_of_agent: Annotated[int, Field(ge=1, le=10_000)] = 250
    """Of them, polls of one agent."""
    message_length: Annotated[int, Field(ge=20, le=280)] = 200
    """Characters of an agent's own words to the person; a page shows no more."""
    passkey_acr: Annotated[str, Field(min_length=1, max_length=200)] = "phr"
    """A scope of this `acr` is approved with a passkey, and in no other way; the default is the
    OpenID EAP value. No sign-in of the host's counts as it."""
    passkey_delay: Annotated[int, Field(ge=0, le=30 * 86400)] = 86_400
    """Seconds until a new passkey counts: time for the person to see one that is not theirs."""
    passkey_sign_in: Annotated[int, Field(ge=30, le=3600)] = 300
    """Seconds since the host's sign-in, at most, to add or remove a passkey."""
    passkey_rp_id: str | None = None
    """The domain that passkeys are for (Web Authentication): the issuer's host, which is the
    default, or one above it. A change ends the use of all that there are."""


class Outbox(Section):
    """`[deputize.outbox]`: sending what others are to be told."""

    in_workers: bool = True
    """Each process that answers sends, from its first request on; else `deputize deliver` does."""
    at_once: Annotated[int, Field(ge=1, le=64)] = 8
    """How many are sent at one time by each process, at most; few of them to one."""


class Email(Section):
    """`[deputize.notify.email]`: the channel `email`, by a mail server (SMTP). Where a person is
    reached, the host says."""

    host: str | None = None
    """The mail server. Needed where the channel is on."""
    port: Annotated[int, Field(ge=1, le=65_535)] = 587
    """Its port: 587 for `starttls`, 465 for `tls` usually."""
    security: Literal["starttls", "tls", "none"] = "starttls"
    """How the connection is encrypted; `none` is for a server on loopback alone."""
    sender: str | None = None
    """The address that messages come from. Needed where the channel is on."""
    username: str | None = None
    """As whom to log in; without one, nobody does."""
    password: SecretStr | None = None
    """The password of that name."""
    ca_file: str | None = None
    """Certificates (PEM) that the server's is checked with, in place of the system's."""


class Webhook(Section):
    """`[deputize.notify.webhook]`: the channel `webhook`, one URL of the organisation's, signed as
    Standard Webhooks says."""

    label: Annotated[str, Field(min_length=1, max_length=60)] = "Your organisation"
    """What people read who choose whether they are told so."""
    url: str | None = None
    """Where to. Needed where the channel is on."""
    secret: SecretStr | None = None
    """Signs what is sent: `whsec_` and 24 to 64 random bytes in base64. Needed with it."""
    private_hosts: tuple[str, ...] = ()
    """Hosts on private addresses that the URL may name, by http as well."""


class Chat(Section):
    """`[deputize.notify.chat]`: the channel `chat`, by Apprise (extra `chat`): one room of the
    organisation's, or an address for each person that the host gives."""

    label: Annotated[str, Field(min_length=1, max_length=60)] = "Chat"
    """What people read who choose whether they are told so."""
    url: SecretStr | None = None
    """The Apprise URL of the organisation's room."""
    schemes: tuple[str, ...] = ()
    """Without `url`: how Apprise URLs of people may begin, such as `slack`; the host gives them."""


class WebPush(Section):
    """`[deputize.notify.web_push]`: the channel `web_push`, by the push services of browsers (RFC
    8030). Where a person is reached, they say on a page of theirs."""

    contact: Annotated[str, Field(pattern=r"^(mailto:[^@\s]+@[^@\s]+|https://\S+)$")] | None = None
    """Whom a push service can reach about what we send: `mailto:` or https (RFC 8292 §2.1).
    Needed where the channel is on."""
    services: tuple[Annotated[str, Field(pattern=r"^(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)+$")], ...] = (
        "fcm.googleapis.com",
        "updates.push.services.mozilla.com",
        "*.notify.windows.com",
        "web.push.apple.com",
    )
    """Hosts of the push services that browsers may use; `*.` stands for any name below."""
    private_hosts: tuple[str, ...] = ()
    """Push services on private addresses, by http as well."""


class Notify(Section):
    """`[deputize.notify]`: telling people that an agent waits for their word. A channel of another
    package has a table of its own, `[deputize.notify.NAME]`."""

    model_config = ConfigDict(frozen=True, extra="allow", use_attribute_docstrings=True)

    channels: tuple[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,31}$")], ...] = ()
    """By which of them: `email`, `webhook`, `chat`, `web_push`, or one that an installed package
    adds."""
    details: bool = False
    """Whether a message says what is asked for; else only who asks."""
    email: Email = Email()
    webhook: Webhook = Webhook()
    chat: Chat = Chat()
    web_push: WebPush = WebPush()


class CheckpointWebhook(SignedWebhook):
    """`[deputize.audit.webhook]`: where the trail's checkpoints are sent, one a minute at most,
    signed as Standard Webhooks says."""

    url: str | None = None
    """Where to: a system whose records nobody here can change."""


class Audit(Section):
    """`[deputize.audit]`: sealing the trail of what happened, and how long it is kept."""

    in_workers: bool = True
    """Each process that answers seals, from its first request on; else `deputize audit seal` and
    `deputize sweep` do."""
    seal_every: Annotated[int, Field(ge=1, le=60)] = 1
    """Seconds between two looks at what is to be sealed."""
    late_after: Annotated[int, Field(ge=5, le=86_400)] = 60
    """Seconds after which `deputize audit verify` names an event that is not sealed, or one that
    was sealed behind others that happened so much later."""
    keep_days: Annotated[int, Field(ge=30, le=36_500)] | None = None
    """Days after which a sweep puts sealed events away; without it, they all stay. Their seals
    stay in any case. Not less than an agent may be unused: events tell when it was used last."""
    checkpoint_file: str | None = None
    """Where checkpoints are kept on this machine. Where it is not set, `deputize serve` keeps
    `audit-checkpoints.jsonl` in its data folder, and another host's server keeps none."""
    webhook: CheckpointWebhook = CheckpointWebhook()


class Authorize(Section):
    """`[deputize.authorize]`: how an agent asks a person to let it act."""

    require_par: bool = False
    """Whether every agent pushes its authorization requests (RFC 9126); else those do that are
    registered so."""
    request_uri_lifetime: Annotated[int, Field(ge=5, le=600)] = 60
    """Seconds in which a pushed request can be opened."""
    max_pushed: Annotated[int, Field(ge=1, le=1_000_000)] = 100
    """Pushed requests of one agent that can wait for an answer at one time."""


class Policy(Section):
    """`[deputize.policy]`: who is asked again at each issuance, approval and introspection."""

    engine: Literal["none", "cedar", "authzen"] = "none"
    """Nobody; Cedar policies in this process (extra `policy`); or an AuthZEN decision point."""
    directory: str = "config/policies"
    """For `cedar`: where the policies are, every `*.cedar` file. They are read at start."""
    url: str | None = None
    """For `authzen`: the access evaluation endpoint (Authorization API 1.0 §6)."""
    token: SecretStr | None = None
    """The bearer token by which we are known there."""
    timeout: Annotated[float, Field(ge=0.05, le=10)] = 1.0
    """Seconds that one question may take, waiting for a place included."""
    at_once: Annotated[int, Field(ge=1, le=256)] = 16
    """Questions that one process asks at one time; more wait."""
    on_failure: Literal["deny", "allow"] = "deny"
    """What is answered where the decision point does not answer, in time and as it should."""
    private_hosts: tuple[str, ...] = ()
    """Hosts on private addresses that the URL may name, by http as well."""


class Bounds(Section):
    """`[deputize.bounds]`: what one request can cost."""

    body_bytes: Annotated[int, Field(ge=1024, le=1_048_576)] = 65_536
    """Bytes of a request's body."""
    scopes: Annotated[int, Field(ge=1, le=1000)] = 100
    """Scopes named by one request."""
    resources: Annotated[int, Field(ge=1, le=100)] = 20
    """Resources named by one authorization request."""
    token_bytes: Annotated[int, Field(ge=1024, le=65_536)] = 16_384
    """Bytes of a token or client assertion."""
    jti_length: Annotated[int, Field(ge=32, le=1024)] = 256
    """Characters of a `jti`."""
    name_length: Annotated[int, Field(ge=16, le=1024)] = 200
    """Characters of a name, a purpose or another text of a registration."""


class Web(Section):
    """`[deputize.web]`: how the pages present themselves."""

    organisation: str = "Deputize"
    """The name at the head of each page."""


class Settings(Section):
    """`[deputize]`: everything that the plugin can be told."""

    issuer: str
    """The issuer identifier (RFC 8414 §2): https, or http on loopback; never from a request."""
    database_url: str
    """`sqlite:///FILE` or `postgresql+psycopg://...`; our tables are named `deputize_*`."""
    key_secret: SecretStr | None = None
    """Encrypts the signing keys at rest; without it they are stored as they are."""
    clock_file: str | None = None
    """Moves the clock of all workers by the seconds that this file holds. In test mode only."""
    test_mode: bool = False
    """Allows what only tests need. Refused unless the issuer is on loopback."""
    tokens: Tokens = Tokens()
    delegation: Delegation = Delegation()
    tasks: Tasks = Tasks()
    agents: Agents = Agents()
    approvals: Approvals = Approvals()
    outbox: Outbox = Outbox()
    notify: Notify = Notify()
    audit: Audit = Audit()
    authorize: Authorize = Authorize()
    policy: Policy = Policy()
    bounds: Bounds = Bounds()
    web: Web = Web()

"""The interface of a host: what it tells, and never decides.

The host only signs the person in. Its facts are read before a transaction of ours is
opened, never inside it.
"""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class Authentication:
    """How and when the person signed in. RFC 9470 §3, OpenID Connect Core §2.

    :param auth_time: seconds since the epoch
    """

    auth_time: int | None = None
    acr: str | None = None
    amr: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Person:
    """A person of the host.

    :param key: immutable and never reused; no user name, no e-mail
    :param roles: `security` sees every agent and stops it; `admin` starts it again, too
    """

    key: str
    name: str
    groups: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Paths:
    """Where the host answers, as paths; None for what it does not have: we serve it then."""

    authorize: str | None = None
    token: str | None = None
    introspection: str | None = None
    revocation: str | None = None
    registration: str | None = None
    backchannel_authentication: str | None = None
    pushed_authorization_request: str | None = None
    jwks: str | None = None
    oauth_metadata: str | None = None
    openid_metadata: str | None = None


@dataclass(frozen=True, slots=True)
class PersonToken:
    """A person's own token, by which an application of theirs asks our API.

    :param client_id: the host's client that it was issued to
    """

    person: Person
    client_id: str
    scope: frozenset[str]
    authentication: Authentication = Authentication()


class Host(Protocol):
    """The identity provider that the plugin extends."""

    paths: Paths

    def current_person(self) -> Person | None:
        """Return who is signed in on this request."""
        ...

    def sign_in_url(self, next_url: str) -> str:
        """Return where to send a browser that must sign in, and come back to `next_url`."""
        ...

    def authentication(self) -> Authentication | None:
        """Return how the current person signed in, or None where the host cannot tell."""
        ...

    def find_person(self, key: str) -> Person | None:
        """Return the person of that key, or None where there is none."""
        ...

    def find_person_by_name(self, username: str) -> Person | None:
        """Return the person who signs in as `username`: for `apply`, never for tokens."""
        ...

    def person_from_token(self, token: str) -> PersonToken | None:
        """Return whose access token of the host's own it is, if it is good; None where the host
        cannot tell. Never for a token that a client got for itself."""
        ...

    def is_active(self, key: str) -> bool:
        """Tell whether the person may still act: asked at each mint."""
        ...


@runtime_checkable
class FindsByHint(Protocol):
    """A host that knows people by what others call them, too. Without it, an agent that was
    deputized cannot name its person by a `login_hint` (CIBA Core §7.1).
    """

    def find_person_by_hint(self, hint: str) -> Person | None:
        """Return the one person who is called so, by user name or e-mail say, active or not;
        None where there is none, or more than one. Who signs in as somebody decides nothing
        by it: it is asked for whom an agent wants to ask."""
        ...


@runtime_checkable
class FindsAddress(Protocol):
    """A host that knows where people are reached. Without it, nobody is by a channel that takes
    an address: none is ever typed into a page of ours, by whoever holds the browser.
    """

    def find_address(self, key: str, channel: str) -> str | None:
        """Return where the person of that key is reached by the channel: the e-mail address for
        `email`; None where that is not known. One that they have proved to be theirs."""
        ...

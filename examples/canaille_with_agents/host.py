"""Canaille as Deputize sees it: its people, its sign-in page, its paths."""

from canaille.app import models
from canaille.app.session import current_user_session
from canaille.backends import Backend
from canaille.core.auth import AuthenticationSession, redirect_to_next_auth_step
from canaille.core.configuration import Permission
from canaille.core.models import User
from canaille.oidc.provider import compute_amr_values
from flask import current_app, g, session, url_for

from deputize.host import Authentication, Paths, UserHost


class CanailleHost(UserHost):
    """What `deputize.host.Host` asks for.

    A person's key is Canaille's `id`: a UUID on every backend (`entryUUID` in LDAP), which
    stays when the user name and the e-mail address change. Canaille has every endpoint, so
    Deputize serves none of its own beside them.
    """

    paths = Paths(
        authorize="/oauth/authorize",
        token="/oauth/token",
        introspection="/oauth/introspect",
        revocation="/oauth/revoke",
        registration="/oauth/register",
        jwks="/oauth/jwks.json",
        oauth_metadata="/.well-known/oauth-authorization-server",
        openid_metadata="/.well-known/openid-configuration",
    )

    def load_user(self, key: str) -> User | None:
        """The user with this id, locked or not."""
        return Backend.instance.get(models.User, id=key)

    def find_user(self, username: str) -> User | None:
        """The user of this name; an e-mail address, with which people sign in too, is none."""
        return Backend.instance.get(models.User, user_name=username)

    def current_user(self) -> User | None:
        """The user of the session in front, where several people are signed in."""
        current = current_user_session()
        return current.user if current else None

    def is_user_active(self, user: User) -> bool:
        """Neither locked nor without the permission to sign in at any client."""
        return not user.locked and _may_use_oidc(user)

    def groups_of(self, user: User) -> frozenset[str]:
        """The names of the user's groups."""
        return frozenset(group.display_name for group in user.groups)

    def sign_in_url(self, next_url: str) -> str:
        """Canaille's sign-in page; the way back is kept in its session, as its own views do.

        Whoever is signed in and must sign in anew is asked for the password: the page where
        one chooses an account lets them pass without.
        """
        session["redirect-after-login"] = next_url
        user = self.current_user()
        if user is None or not self.is_user_active(user):
            return url_for("core.auth.login")
        g.auth = AuthenticationSession(user_name=user.user_name)
        g.auth.save()
        return redirect_to_next_auth_step().location

    def authentication(self) -> Authentication | None:
        """How the person signed in; None where they did not (an administrator in their name).

        When is left out: Canaille moves `last_login_datetime` on when somebody who is signed
        in chooses their account once more, and asks for no password then.
        """
        current = current_user_session()
        amr = compute_amr_values(current.authentication_methods) if current else None
        return Authentication(amr=tuple(amr)) if amr else None


def _may_use_oidc(user: User) -> bool:
    # Not `user.can_use_oidc`: the SQL backend's session keeps that from request to request.
    acls = current_app.config["CANAILLE"]["ACL"].values()
    return any(
        Permission.USE_OIDC in acl["PERMISSIONS"] and user.match_filter(acl["FILTER"])
        for acl in acls
    )

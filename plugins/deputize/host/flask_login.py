"""A host that signs people in with Flask-Login, which is imported when it is asked."""

from typing import Any

from flask import current_app

from .users import UserHost


class FlaskLoginHost(UserHost):
    """A `Host` over Flask-Login's current user and its `login_view`.

    :raises RuntimeError: from `sign_in_url`, where the login manager has no `login_view`
    """

    def current_user(self) -> Any:
        """Return Flask-Login's current user, if it is one."""
        from flask_login import current_user

        return current_user._get_current_object() if current_user.is_authenticated else None

    def sign_in_url(self, next_url: str) -> str:
        """Return the address of `login_view`."""
        from flask_login import login_url

        view = current_app.login_manager.login_view  # type: ignore[attr-defined]
        if view is None:
            raise RuntimeError("login_manager.login_view is not set: name the sign-in page")
        return str(login_url(view, next_url=next_url))

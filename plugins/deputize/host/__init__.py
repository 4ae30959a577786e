"""What a host must offer: who is signed in, and where its OAuth endpoints are.

`Host` says all of it. `SessionHost` and `FlaskLoginHost` answer most of it for the usual
ways in which a Flask app signs people in.
"""

from .flask_login import FlaskLoginHost
from .protocol import Authentication, FindsAddress, FindsByHint, Host, Paths, Person, PersonToken
from .users import SessionHost, UserHost

__all__ = [
    "Authentication",
    "FindsAddress",
    "FindsByHint",
    "FlaskLoginHost",
    "Host",
    "Paths",
    "Person",
    "PersonToken",
    "SessionHost",
    "UserHost",
]

"""Which decision point answers, by the settings: none, Cedar, or AuthZEN."""

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from ..part import ConfigurationError
from ..settings import Policy
from .authzen import AuthZen
from .point import DecisionPoint

Mistake = tuple[tuple[str, ...], str]


def open_point(settings: Policy) -> DecisionPoint | None:
    """Return what answers; None where nothing is asked.

    :raises ConfigurationError: for a policy that does not parse or type-check; for settings
        that lack something
    """
    wrong = [f"[deputize.policy] {key[-1]}: {text}" for key, text in policy_mistakes(settings)]
    if wrong:
        raise ConfigurationError("\n".join(wrong))
    if settings.engine == "authzen":
        return AuthZen(settings)
    if settings.engine == "cedar":
        from .cedar import Cedar

        return Cedar(Path(settings.directory))
    return None


def policy_mistakes(settings: Policy) -> Iterator[Mistake]:
    """Yield what no type can say of the settings: the key, from `policy` on, and the text."""
    if settings.engine == "cedar" and find_spec("cedarpy") is None:
        yield ("policy", "engine"), "needs the extra `policy`: pip install deputize[policy]"
    if settings.engine == "authzen" and settings.url is None:
        yield ("policy", "url"), "is missing: the engine is authzen"
    if settings.url is not None and not _is_good(settings.url, settings.private_hosts):
        text = "expected the https URL of an access evaluation endpoint; http is for private_hosts"
        yield ("policy", "url"), text

    token = settings.token.get_secret_value() if settings.token else ""
    if not token.isascii() or any(not letter.isprintable() or letter == " " for letter in token):
        yield ("policy", "token"), "expected a bearer token: ASCII letters, and no space"


def _is_good(url: str, private_hosts: tuple[str, ...]) -> bool:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return False
    schemes = ("https", "http") if parts.hostname in private_hosts else ("https",)
    return bool(parts.hostname) and parts.scheme in schemes and "@" not in parts.netloc

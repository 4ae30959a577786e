"""`idp-keys`: the keys that sign this host's ID tokens. The plugin's are `keys`."""

import click

from deputize.cli.shared import TAKES_ID, Failure, moment, print_table

from .clock import now
from .keys import (
    NOTICE,
    NoSuchKeyError,
    SigningKey,
    all_keys,
    published_keys,
    retire_signing_key,
    rotate_signing_key,
    signing_kid,
)


@click.group("idp-keys")
def idp_keys() -> None:
    """List, rotate and retire the keys that sign ID tokens."""


@idp_keys.command("list")
def list_keys() -> None:
    """List the keys, oldest first."""
    published = {key.kid for key in published_keys()}
    print_table(
        ("kid", "made", "signs from", "state"),
        [
            (key.kid, moment(key.created_at), moment(key.signs_from), _state(key, published))
            for key in all_keys()
        ],
    )


@idp_keys.command("rotate")
@click.option("--now", "at_once", is_flag=True, help="Sign with it at once, before others know it.")
def rotate(at_once: bool) -> None:
    """Make a new key; it signs in ten minutes, when applications have had time to see it."""
    _told(rotate_signing_key(0 if at_once else NOTICE))


@idp_keys.command("retire", context_settings=TAKES_ID)
@click.argument("kid")
def retire(kid: str) -> None:
    """Drop a key now: every ID token that it signed is good no more.

    The newest key is replaced by a new one.
    """
    try:
        made = retire_signing_key(kid)
    except NoSuchKeyError:
        raise Failure(f"{kid}: there is no such key that is not retired") from None
    click.echo(f"{kid} is retired")
    if made:
        _told(made)


def _told(made: SigningKey) -> None:
    click.echo(f"{made.kid} signs from {moment(made.signs_from)}")


def _state(key: SigningKey, published: set[str]) -> str:
    if key.retired_at is not None:
        return f"retired {moment(key.retired_at)}"
    if key.kid == signing_kid():
        return "signs"
    if key.kid not in published:
        return "over"
    return "waits" if key.signs_from > now() else "verifies"

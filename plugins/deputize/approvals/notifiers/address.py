"""Where a person is reached: the host says it, and nobody types it into a page of ours. But for
browsers, each of which is added at that very browser.
"""

from ...delegation.context import Context
from ...host import FindsAddress
from ...outbox.channel import KeepsAddresses


def find_address(context: Context, key: str, name: str) -> str:
    """Return where the person is reached by the channel; empty where that is not known."""
    channel, host = context.channels[name], context.host
    if isinstance(channel, KeepsAddresses):
        return channel.find_address(key)
    found = host.find_address(key, name) if isinstance(host, FindsAddress) else None
    return found or ""


def show_address(context: Context, key: str, name: str) -> str:
    """Return it as its owner may see it, and who looks over their shoulder."""
    channel, address = context.channels[name], find_address(context, key, name)
    if address and isinstance(channel, KeepsAddresses):
        return channel.describe(address)
    return masked(address) if address else ""


def masked(address: str) -> str:
    """Return an address so that its owner knows it, and who looks over their shoulder does not.

    Of a URL nothing but its scheme is told: the rest can be a key.
    """
    scheme, is_url, _ = address.partition("://")
    if is_url:
        return f"{scheme}://…"
    local, at, domain = address.rpartition("@")
    return f"{local[:1]}…{at}{domain}" if at else f"{address[:1]}…"

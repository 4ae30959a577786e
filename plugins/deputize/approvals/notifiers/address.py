"""Where a person is reached: the host says it, and nobody types it into a page of ours."""

from ...host import FindsAddress, Host


def find_address(host: Host, key: str, channel: str) -> str:
    """Return where the person is reached by the channel; empty where that is not known."""
    found = host.find_address(key, channel) if isinstance(host, FindsAddress) else None
    return found or ""


def masked(address: str) -> str:
    """Return an address so that its owner knows it, and who looks over their shoulder does not.

    Of a URL nothing but its scheme is told: the rest can be a key.
    """
    scheme, is_url, _ = address.partition("://")
    if is_url:
        return f"{scheme}://…"
    local, at, domain = address.rpartition("@")
    return f"{local[:1]}…{at}{domain}" if at else f"{address[:1]}…"

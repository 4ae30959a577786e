"""What people are called: the host says it, and is asked once for each whom a page names."""

from ..host import Host

#: People whom one page asks the host for: each may cost it a statement.
ASKED = 100


class Names:
    """The names of one page.

    :param host: asked outside any transaction of ours
    """

    def __init__(self, host: Host) -> None:
        self._host = host
        self._known: dict[str, str] = {}

    def of(self, key: str) -> str:
        """Return what the person of that key is called; the key, where the host knows nobody."""
        if key not in self._known:
            found = self._host.find_person(key) if len(self._known) < ASKED else None
            self._known[key] = found.name if found else key
        return self._known[key]

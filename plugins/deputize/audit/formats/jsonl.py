"""JSON Lines: the events themselves, byte by byte as they are sealed. Pure."""


def jsonl_line(body: bytes) -> str:
    """Return the event as it was recorded: canonical JSON has no newline in it."""
    return body.decode()

"""What can go wrong: one error, and it lets nobody in."""


class IntrospectionError(Exception):
    """The server could not be asked, or its answer is not one: answer 503, let nobody in."""

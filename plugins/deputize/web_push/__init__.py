"""The browsers in which a person is told that an agent waits for their word."""

"""Declared, not clicked: agents, resource servers and scopes as a file that is applied."""

"""Passkeys: the keys by which people sign, where being signed in is not enough."""

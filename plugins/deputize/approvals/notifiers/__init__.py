"""Telling people that an agent waits for their word: the channels, the words, the page where each
person chooses. Nothing that is sent decides anything."""

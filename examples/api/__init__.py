"""A calendar that agents read for people, on Flask and on FastAPI; see README.md."""

"""An agent that plans a trip, by threads and by asyncio; see README.md."""

"""The same trip by asyncio, where booker and the helper look at the calendar at the same time.

python -m examples.agent.async_trip http://127.0.0.1:8000 http://127.0.0.1:8001
"""

import asyncio
import sys

import httpx
from examples.agent.trip import CALENDAR, CALLBACK, READ, secret_of

from deputize.client import AsyncAgentClient, AsyncHold, AsyncToken


async def trip(planner: AsyncAgentClient, booker: AsyncAgentClient, api_url: str) -> None:
    """Play it, and say what the calendar answers to whom."""
    async with AsyncHold(await ask_person(planner)) as hold:
        await look_at(api_url, "planner", hold)
        helper = await hold.spawn(scope=READ, purpose="Looks for free days")
        await asyncio.gather(
            look_at(api_url, "booker", await give(hold, booker)),
            look_at(api_url, "the helper", await give(hold, helper)),
        )
        await hold.revoke()  # the work is done: all three end


async def ask_person(planner: AsyncAgentClient) -> AsyncToken:
    """Return what the person lets planner do."""
    url, asked = await planner.authorization_url(
        CALLBACK, scope=f"{READ} agents:spawn", resource=[CALENDAR]
    )
    print("Please open", url, flush=True)
    came_back = await asyncio.to_thread(input, "The address that the browser came back to: ")
    return await planner.redeem(asked.code_in(came_back), asked)


async def give(hold: AsyncHold, to: AsyncAgentClient) -> AsyncHold:
    """Hand the calendar on; return what the other holds then."""
    handed_over = await hold.hand_over(to.client_id, READ)
    return AsyncHold(await to.take(handed_over.value))


async def look_at(api_url: str, who: str, hold: AsyncHold) -> None:
    """Call the API with a token for it alone."""
    async with httpx.AsyncClient(base_url=api_url, auth=hold.auth(CALENDAR, READ)) as api:
        events = (await api.get("/events")).raise_for_status().json()
    print(f"{who}: {events['seen_by']}, free on {', '.join(events['free'])}", flush=True)


async def main(issuer: str, api_url: str) -> None:
    """Play with the agents of config/demo.toml, or others of the same names."""
    discover = AsyncAgentClient.discover
    async with (
        await discover(issuer, "planner", secret=secret_of("planner")) as planner,
        await discover(issuer, "booker", secret=secret_of("booker")) as booker,
    ):
        await trip(planner, booker, api_url)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))

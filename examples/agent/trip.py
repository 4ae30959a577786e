"""One trip: planner asks a person, reads their calendar, hands that on, starts a helper.

python -m examples.agent.trip http://127.0.0.1:8000 http://127.0.0.1:8001
"""

import os
import sys

import httpx

from deputize.client import AgentClient, Hold, Token

CALENDAR = "https://calendar.example"
CALLBACK = "http://127.0.0.1/callback"
READ = "calendar:read"


def trip(planner: AgentClient, booker: AgentClient, api_url: str) -> None:
    """Play it, and say what the calendar answers to whom."""
    with Hold(ask_person(planner)) as hold:
        look_at(api_url, "planner", hold)

        # Only booker can take what is handed to it, so it may travel as any text does.
        handed_over = hold.hand_over("booker", READ).value
        look_at(api_url, "booker", Hold(booker.take(handed_over)))

        helper = hold.spawn(scope=READ, purpose="Looks for free days")
        handed_over = hold.hand_over(helper.client_id, READ).value
        look_at(api_url, "the helper", Hold(helper.take(handed_over)))

        hold.revoke()  # the work is done: all three end


def ask_person(planner: AgentClient) -> Token:
    """Return what the person lets planner do."""
    url, asked = planner.authorization_url(
        CALLBACK, scope=f"{READ} agents:spawn", resource=[CALENDAR]
    )
    print("Please open", url, flush=True)
    came_back = input("The address that the browser came back to: ")
    return planner.redeem(asked.code_in(came_back), asked)


def look_at(api_url: str, who: str, hold: Hold) -> None:
    """Call the API with a token for it alone."""
    with httpx.Client(base_url=api_url, auth=hold.auth(CALENDAR, READ)) as api:
        events = api.get("/events").raise_for_status().json()
    print(f"{who}: {events['seen_by']}, free on {', '.join(events['free'])}", flush=True)


def main(issuer: str, api_url: str) -> None:
    """Play with the agents of config/demo.toml, or others of the same names."""
    with (
        AgentClient.discover(issuer, "planner", secret=secret_of("planner")) as planner,
        AgentClient.discover(issuer, "booker", secret=secret_of("booker")) as booker,
    ):
        trip(planner, booker, api_url)


def secret_of(client_id: str) -> str:
    """Return an agent's secret; the demo's is for everybody to read."""
    return os.environ.get(f"{client_id.upper()}_SECRET", f"{client_id}-secret-0123456789")


if __name__ == "__main__":
    main(*sys.argv[1:])

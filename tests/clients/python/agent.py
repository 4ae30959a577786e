"""An agent by Authlib's client: a person deputizes it, it does its part of the work, it hands
the rest to another agent, and gives everything up in the end.
"""

import json
import os
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
from assertion import Assertion
from authlib.common.security import generate_token
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from joserfc.jwk import ECKey
from loopback import Listener

ISSUER = os.environ["ISSUER"]
CALENDAR = "https://calendar.example"
FLIGHTS = "https://flights.example"
TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"

Answer = dict[str, Any]
metadata: Answer = requests.get(
    f"{ISSUER}/.well-known/oauth-authorization-server", timeout=10
).json()


def main() -> None:
    agent = connect(os.environ["CLIENT_ID"], os.environ["CLIENT_AUTH"])
    booker = OAuth2Session("booker", os.environ["BOOKER_SECRET"], **metadata)

    granted = ask_the_person(agent)
    refreshed = agent.refresh_token(refresh_token=granted["refresh_token"])
    renewed = exchange(agent, refreshed)
    narrowed = exchange(agent, renewed, resource=CALENDAR, scope="calendar:read")

    offered = exchange(agent, renewed, audience="booker", scope="flights:search")
    taken = exchange(booker, offered, resource=FLIGHTS)
    active = introspect(booker, taken)

    # Everything hangs on what the person granted, and ends with it.
    revoke(agent, refreshed["refresh_token"])
    afterwards = introspect(booker, taken)
    refused = refusal(agent, renewed)

    own = agent.fetch_token(
        grant_type="client_credentials", scope="calendar:read", resource=CALENDAR
    )
    revoke(agent, own["access_token"])

    seen = {"metadata": metadata, "granted": granted, "refreshed": refreshed, "renewed": renewed}
    seen |= {"narrowed": narrowed, "offered": offered, "taken": taken, "active": active}
    seen |= {"afterwards": afterwards, "refused": refused, "own": own}
    print(json.dumps(seen))


def connect(client_id: str, method: str) -> OAuth2Session:
    """Make the agent's client; how it is registered says how it authenticates.

    A `scope` given here would be sent with each exchange and refresh too: leave it out.
    """
    methods = {
        "token_endpoint_auth_method": method,
        "revocation_endpoint_auth_method": method,
        "code_challenge_method": "S256",
    }
    if method != "private_key_jwt":
        return OAuth2Session(client_id, os.environ["CLIENT_SECRET"], **methods, **metadata)
    key = ECKey.import_key(json.loads(os.environ["CLIENT_KEY"]))
    client = OAuth2Session(client_id, key, **methods, **metadata)
    client.register_client_auth_method(Assertion(token_endpoint=ISSUER))
    return client


def ask_the_person(agent: OAuth2Session) -> Answer:
    person = Listener("/callback")
    code_verifier = generate_token(48)
    url, state = agent.create_authorization_url(
        metadata["authorization_endpoint"],
        redirect_uri=person.redirect_uri,
        scope="calendar:read flights:search tasks",
        resource=[CALENDAR, FLIGHTS],
        code_verifier=code_verifier,
    )
    back = person.visit(url)
    person.close()
    validate_issuer(back)
    token: Answer = agent.fetch_token(
        authorization_response=back,
        state=state,
        redirect_uri=person.redirect_uri,
        code_verifier=code_verifier,
    )
    return token


def validate_issuer(authorization_response: str) -> None:
    """Compare `iss` (RFC 9207 §2.4), which this client of Authlib's leaves to its caller."""
    answer = parse_qs(urlsplit(authorization_response).query)
    if answer.get("iss") != [ISSUER]:
        raise RuntimeError("the answer is not from the server that was asked")


def exchange(actor: OAuth2Session, subject_token: Answer, **wanted: str) -> Answer:
    token: Answer = actor.fetch_token(
        grant_type=TOKEN_EXCHANGE,
        subject_token=subject_token["access_token"],
        subject_token_type=ACCESS_TOKEN,
        **wanted,
    )
    return token


def introspect(asker: OAuth2Session, token: Answer) -> Answer:
    url = metadata["introspection_endpoint"]
    answer: Answer = asker.introspect_token(url, token=token["access_token"]).json()
    return answer


def revoke(agent: OAuth2Session, token: str) -> None:
    agent.revoke_token(metadata["revocation_endpoint"], token=token).raise_for_status()


def refusal(agent: OAuth2Session, token: Answer) -> Answer:
    try:
        return exchange(agent, token)
    except OAuthError as refused:
        return {"error": refused.error, "error_description": refused.description}


if __name__ == "__main__":
    main()

"""An ordinary application by Authlib's client for Flask: a person signs in to it, it knows
who they are, and they sign out again.
"""

import json
import os
import sys
from typing import Any

from authlib.common.security import generate_token
from authlib.integrations.base_client import OAuthError
from authlib.integrations.flask_client import OAuth
from authlib.integrations.requests_client import OAuth2Session
from flask import Flask, abort, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

ISSUER, CLIENT_ID = os.environ["ISSUER"], os.environ["CLIENT_ID"]
CLIENT_SECRET, PORT = os.environ["CLIENT_SECRET"], int(os.environ["PORT"])

app = Flask(__name__)
app.secret_key = generate_token(48)
idp = OAuth(app).register(
    "idp",
    client_id=CLIENT_ID,
    client_secret=CLIENT_SECRET,
    server_metadata_url=f"{ISSUER}/.well-known/openid-configuration",
    client_kwargs={"scope": "openid profile", "code_challenge_method": "S256"},
)
seen: dict[str, Any] = {}


@app.get("/sign-in")
def sign_in() -> ResponseReturnValue:
    answer: ResponseReturnValue = idp.authorize_redirect(
        url_for("webapp", _external=True), prompt=request.args.get("prompt")
    )
    return answer


@app.get("/webapp")
def webapp() -> ResponseReturnValue:
    # RFC 9207 §2.4, which Authlib leaves to the application.
    if request.args.get("iss") != ISSUER:
        abort(400)
    token = idp.authorize_access_token()
    # Authlib has validated the ID token, its signature and its nonce included.
    seen.update(granted=token, claims=token["userinfo"], userinfo=idp.userinfo(token=token))
    return f"Welcome, {seen['userinfo']['name']}.\n"


@app.errorhandler(OAuthError)
def refused(error: OAuthError) -> ResponseReturnValue:
    seen["silent"] = {"error": error.error}
    return "You are not signed in.\n"


@app.get("/sign-out")
def sign_out() -> ResponseReturnValue:
    answer: ResponseReturnValue = idp.logout_redirect(
        url_for("signed_out", _external=True), id_token_hint=seen["granted"]["id_token"]
    )
    return answer


@app.get("/signed-out")
def signed_out() -> ResponseReturnValue:
    idp.validate_logout_response()
    seen["signedOut"] = True
    return "Goodbye.\n"


def main() -> None:
    with make_server("127.0.0.1", PORT, app, request_handler=Quiet) as server:
        send_person(server, "/sign-in", until="granted")
        without_the_person()
        send_person(server, "/sign-out", until="signedOut")
        send_person(server, "/sign-in?prompt=none", until="silent")
    print(json.dumps(seen))


def send_person(server: BaseWSGIServer, path: str, until: str) -> None:
    print(f"Please open http://127.0.0.1:{PORT}{path}", file=sys.stderr, flush=True)
    while not seen.keys() & {until, "silent"}:
        server.handle_request()
    if until not in seen:
        raise RuntimeError(f"the person came back with {seen['silent']}")


def without_the_person() -> None:
    """Refresh, ask about the new token, give up."""
    metadata = idp.load_server_metadata()
    session = OAuth2Session(CLIENT_ID, CLIENT_SECRET, **metadata)
    refreshed = dict(session.refresh_token(refresh_token=seen["granted"]["refresh_token"]))
    endpoint = metadata["introspection_endpoint"]
    introspected = session.introspect_token(endpoint, token=refreshed["access_token"]).json()
    seen.update(metadata=metadata, refreshed=refreshed, introspected=introspected)

    refresh_token = refreshed["refresh_token"]
    answer = session.revoke_token(metadata["revocation_endpoint"], token=refresh_token)
    answer.raise_for_status()
    try:
        session.refresh_token(refresh_token=refresh_token)
    except OAuthError as error:
        seen["refused"] = {"error": error.error}


class Quiet(WSGIRequestHandler):
    """Writes no code of an answer into a log."""

    def log_request(self, *_: object) -> None:
        pass


if __name__ == "__main__":
    main()

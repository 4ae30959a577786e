"""One agent as a process: `python -m deputize_idp.demo.agent NAME`.

It makes its own key, which never leaves it, and says the public half; then it does what
it is asked, a line of JSON each, and answers with one. A real agent would decide by
itself what to do; what it does is what `deputize.client` offers.
"""

import json
import sys
from collections.abc import Callable
from typing import Any

import httpx
from joserfc.jwk import ECKey

from deputize.client import (
    AgentClient,
    AuthorizationRequest,
    OAuthError,
    Outcome,
    ProtocolError,
    Question,
    Token,
    new_key,
)

from .callback import Callback
from .processes import Message


class Agent:
    """An agent, and the tokens that it holds, by the story's names for them."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.key = new_key()
        self.tokens: dict[str, Token] = {}
        self.client: AgentClient
        self.callback: Callback
        self.asked: AuthorizationRequest
        self.question: Question

    def introduction(self) -> Message:
        """Return the public half of its key as a JWK Set."""
        return {"jwks": {"keys": [self.key.as_dict(private=False)]}}

    def connect(self, issuer: str, client_id: str = "", key: Message | None = None) -> Message:
        """Find the server; a spawned agent comes with the key that it was registered with."""
        own = ECKey.import_key(key) if key else self.key
        self.client = AgentClient.discover(issuer, client_id or self.name, key=own, http=_http())
        return {}

    def ask_person(self, scope: str, resource: list[str]) -> Message:
        """Return the URL for the person's browser."""
        self.callback = Callback()
        url, self.asked = self.client.authorization_url(
            self.callback.redirect_uri, scope=scope, resource=resource
        )
        self.callback.listen(self.asked)
        return {"url": url}

    def redeem(self, keep: str) -> Message:
        """Wait for the person's browser to come back, and redeem what it brings."""
        return self._keep(keep, self.client.redeem(self.callback.wait(), self.asked))

    def narrow(
        self,
        of: str,
        resource: str,
        keep: str,
        scope: str | None = None,
        details: list[Message] | None = None,
    ) -> Message:
        token = self.tokens[of].narrow(resource, scope, authorization_details=details)
        return self._keep(keep, token)

    def put_question(
        self, of: str, scope: str, resource: str, message: str, details: list[Message]
    ) -> Message:
        """Ask the person in the middle of the task."""
        self.question = self.tokens[of].put_question(
            scope, resource, message=message, authorization_details=details
        )
        return {}

    def answered(self, keep: str) -> Message:
        """Wait for the person's word."""
        return self._keep(keep, self.question.poll() or self.question.wait())

    def press_yes(self, of: str, url: str) -> Message:
        """Try to decide in the person's place, by its own token."""
        headers = {"Authorization": f"Bearer {self.tokens[of].value}"}
        with _http() as http:
            answer = http.post(url, data={"decision": "approve"}, headers=headers)
        return {"status": answer.status_code}

    def renew(self, of: str) -> Message:
        return self._keep(of, self.tokens[of].renew())

    def hand_over(self, of: str, to: str, scope: str) -> Message:
        return _told(self.tokens[of].hand_over(to, scope))

    def take(self, token: str, keep: str, resource: str | None = None) -> Message:
        return self._keep(keep, self.client.take(token, resource))

    def spawn(self, of: str, scope: str, purpose: str) -> Message:
        """Start a helper; return what its own process needs."""
        child = self.tokens[of].spawn(scope=scope, purpose=purpose)
        key = child.key.as_dict(private=True) if child.key else None
        return {"client_id": child.client_id, "key": key}

    def propose(self, of: str, outcome: Outcome) -> Message:
        """Say what came of the task."""
        return {"status": self.tokens[of].propose(outcome).status}

    def call(self, url: str, token: str, method: str, body: Message | None = None) -> Message:
        """Call an API with a token, its own or overheard."""
        headers = {"Authorization": f"Bearer {token}"}
        with _http() as http:
            answer = http.request(method, url, headers=headers, json=body)
        return {"status": answer.status_code, "body": answer.json()}

    def do(self, request: Message) -> Message:
        """Return the answer to one request; a refusal is an answer."""
        doing: dict[str, Callable[..., Message]] = {
            "connect": self.connect,
            "ask_person": self.ask_person,
            "redeem": self.redeem,
            "narrow": self.narrow,
            "put_question": self.put_question,
            "answered": self.answered,
            "press_yes": self.press_yes,
            "renew": self.renew,
            "hand_over": self.hand_over,
            "take": self.take,
            "spawn": self.spawn,
            "propose": self.propose,
            "call": self.call,
        }
        try:
            return doing[request.pop("do")](**request)
        except OAuthError as error:
            return {"refused": str(error)}
        except (ProtocolError, TimeoutError, httpx.HTTPError) as error:
            return {"failed": str(error)}

    def _keep(self, name: str, token: Token) -> Message:
        self.tokens[name] = token
        return _told(token)


def _told(token: Token) -> Message:
    # A token for one use is opaque; asking about it, its holder does not use it.
    return {"token": token.value, "claims": dict(token.claims or token.introspect())}


def _http() -> httpx.Client:
    # All is on this machine: no proxy of the surroundings has a part in it.
    return httpx.Client(timeout=10, trust_env=False)


def main(name: str) -> None:
    """Introduce itself, then do as asked until nobody asks any more."""
    agent = Agent(name)
    _say(agent.introduction())
    for line in sys.stdin:
        _say(agent.do(json.loads(line)))


def _say(message: Any) -> None:
    print(json.dumps(message), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])

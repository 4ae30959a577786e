"""Documents of hosts that do ordinary things with them: tag, compress, read from a file.

Whatever a host does, whoever reads its keys and its metadata finds them whole, with ours.
"""

import gzip
import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from flask import Flask, Response, jsonify, request, send_file
from joserfc.jwk import RSAKey

from deputize import Deputize
from deputize.host import Paths
from deputize.settings import Settings
from support import world
from support.agents_http import http
from support.serving import serving

pytestmark = pytest.mark.sqlite_only

THEIRS = RSAKey.generate_key(2048, {"kid": "the-hosts", "use": "sig"}).as_dict(private=False)
DOCUMENTS = {
    "/oauth/jwks": {"keys": [THEIRS]},
    "/.well-known/openid-configuration": {
        "issuer": "https://issuer.example", "userinfo_endpoint": "https://issuer.example/me",
    },
}  # fmt: skip
PATHS = Paths(jwks="/oauth/jwks", openid_metadata="/.well-known/openid-configuration")


def conditional(app: Flask, _folder: Path) -> None:
    """Answers `If-None-Match` (RFC 9110 §13.1.2), as a proxy or a client asks."""

    @app.after_request
    def tag(response: Response) -> Response:
        if request.path in DOCUMENTS:
            response.add_etag()
            response.make_conditional(request)
        return response


def compressed(app: Flask, _folder: Path) -> None:
    """Compresses whatever the client takes, as Flask-Compress does."""

    @app.after_request
    def compress(response: Response) -> Response:
        if "gzip" in request.headers.get("Accept-Encoding", "") and not response.is_streamed:
            response.set_data(gzip.compress(response.get_data()))
            response.headers["Content-Encoding"] = "gzip"
        return response


def from_files(app: Flask, folder: Path) -> None:
    """Serves documents that a build made."""
    for path, document in DOCUMENTS.items():
        file = folder / f"{hashlib.sha256(path.encode()).hexdigest()}.json"
        file.write_text(json.dumps(document))
        app.view_functions[path] = lambda file=file: send_file(file)


def plain(_app: Flask, _folder: Path) -> None:
    """Makes them each time."""


Kind = Callable[[Flask, Path], None]


def document_host(kind: Kind, folder: Path) -> AbstractContextManager[str]:
    """Serve a host that has `DOCUMENTS`, of that kind."""

    def make(url: str) -> Flask:
        host = world.people()
        host.paths = PATHS
        app = Flask("documents")
        app.secret_key = "only for tests"
        for path, document in DOCUMENTS.items():
            app.add_url_rule(path, path, lambda document=document: jsonify(document))
        settings = Settings(issuer=url, database_url=f"sqlite:///{folder}/a.db")
        kind(app, folder)
        Deputize(host=host, settings=settings).init_app(app)
        return app

    return serving(make)


@pytest.fixture(scope="class", params=[plain, conditional, compressed, from_files])
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with document_host(request.param, tmp_path_factory.mktemp("host")) as running:
        yield running


class TestDocuments:
    """Whatever the host does with its documents, they are whole."""

    def test_the_keys_of_both(self, url: str) -> None:
        answer = http.get(f"{url}/oauth/jwks")
        assert answer.status_code == 200
        kids = [key["kid"] for key in answer.json()["keys"]]
        assert kids[0] == "the-hosts"
        assert len(kids) == 2

    def test_the_metadata_of_both(self, url: str) -> None:
        told = http.get(f"{url}/.well-known/openid-configuration").json()
        assert told["userinfo_endpoint"] == "https://issuer.example/me"
        assert told["agents_page"].startswith(url)

    def test_a_second_visit_finds_them_whole_too(self, url: str) -> None:
        """With what the first was told to keep: unchanged (304), or everything again."""
        first = http.get(f"{url}/oauth/jwks")
        asked = {"If-None-Match": first.headers.get("etag", '"none"')}
        if "last-modified" in first.headers:
            asked["If-Modified-Since"] = first.headers["last-modified"]
        second = http.get(f"{url}/oauth/jwks", headers=asked)
        assert second.status_code == 304 or second.json() == first.json()

    def test_a_copy_from_before_is_not_called_fresh(self, url: str) -> None:
        """Who has kept the host's document from before the plugin must learn of our keys."""
        with Flask("documents").app_context():
            before = jsonify(DOCUMENTS["/oauth/jwks"])
        before.add_etag()
        kept = {"If-None-Match": before.headers["ETag"]}
        answer = http.get(f"{url}/oauth/jwks", headers=kept)
        assert answer.status_code == 200
        assert len(answer.json()["keys"]) == 2

    def test_head(self, url: str) -> None:
        assert http.head(f"{url}/oauth/jwks").status_code == 200


def test_a_host_that_is_out_of_order_is_not_made_to_look_well(tmp_path: Path) -> None:
    """Our keys alone, with 200, would make who caches them forget the host's."""

    def broken(app: Flask, _folder: Path) -> None:
        for path in DOCUMENTS:
            app.view_functions[path] = lambda: (jsonify(error="maintenance"), 503)

    with document_host(broken, tmp_path) as url:
        for path in DOCUMENTS:
            answer = http.get(url + path)
            assert (answer.status_code, answer.json()) == (503, {"error": "maintenance"})

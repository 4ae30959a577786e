"""Behind a reverse proxy, as `examples/deploy` has it: a process that ends TLS in front of
`deputize serve`, with the settings of that example and PostgreSQL.

What the proxy says is believed as far as `trusted_proxies` says, what anybody else says never.
"""

import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from cli.running import Inside, Operator, free_port
from idp.browser import CALLBACK, PASSWORD, SECRET, SIGNED_OUT, Browser, query_of, s256

ROOT = Path(__file__).parents[2]
SETTINGS = ROOT / "config/production.example.toml"
ATTEMPTS = 3
DECLARED = f"""
[[people]]
username = "ana"
name = "Ana Ruiz"
password = "{PASSWORD}"

[[clients]]
client_id = "webapp"
redirect_uris = ["{CALLBACK}"]
post_logout_redirect_uris = ["{SIGNED_OUT}"]
client_secret = "{SECRET}"
scopes = ["openid", "profile"]
"""
FORGED = {
    "Host": "evil.example",
    "X-Forwarded-For": "10.6.6.6",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Proto": "http",
    "X-Forwarded-Port": "666",
    "X-Forwarded-Prefix": "/evil",
    "Forwarded": "for=10.6.6.6;host=evil.example;proto=http",
}


@dataclass(frozen=True)
class Site:
    """What people see (`url`), what stands behind it (`behind`), and whom they trust."""

    url: str
    behind: str
    certificate: Path

    def visitor(self, address: str = "127.0.0.1") -> Browser:
        """A browser on the machine with this address."""
        trust = ssl.create_default_context(cafile=str(self.certificate))
        transport = httpx.HTTPTransport(verify=trust, local_address=address)
        return Browser(self.url, transport=transport)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1, and its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(address, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = tmp_path_factory.mktemp("tls") / "site.pem"
    path.write_bytes(private + signed.public_bytes(pem))
    return path


@contextmanager
def proxied(target: str, port: int, certificate: Path, way: str) -> Iterator[None]:
    """The proxy, as a process of its own, until the end of the `with`."""
    command = [sys.executable, Path(__file__).with_name("proxy.py"), str(port)]
    with subprocess.Popen(
        [*command, target.rpartition(":")[2], certificate, way], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout
            assert process.stdout.readline() == "ready\n"
            yield
        finally:
            process.kill()


@contextmanager
def served(folder: Path, database: str, certificate: Path, **changes: str) -> Iterator[Site]:
    """The example's server behind a proxy; `way` is the proxy's, the rest are settings."""
    port, way = free_port(), changes.pop("way", "replace")
    secrets = {"KEY_SECRET_FILE": "deputize-keys", "SECRET_KEY_FILE": "cookies"}
    for name in secrets.values():
        (folder / name).write_text(f"{name}: thirty-two characters or more")
    environ = {
        "DEPUTIZE__ISSUER": f"https://127.0.0.1:{port}",
        "DEPUTIZE__KEY_SECRET_FILE": str(folder / "deputize-keys"),
        "DEPUTIZE_IDP__SECRET_KEY_FILE": str(folder / "cookies"),
        "DEPUTIZE_IDP__SIGN_IN_ATTEMPTS": str(ATTEMPTS),
        **changes,
    }
    settings = folder / "deputize.toml"
    settings.write_text(SETTINGS.read_text().replace('"secrets/', f'"{folder}/'))
    declared = folder / "declared.toml"
    declared.write_text(DECLARED)
    Inside(folder / "data", database, environ).done(
        "apply", str(declared), "--config", str(settings)
    )
    operator = Operator(folder / "data", database, environ)
    with (
        operator.serving("--config", str(settings), workers=2) as behind,
        proxied(behind, port, certificate, way),
    ):
        yield Site(environ["DEPUTIZE__ISSUER"], behind, certificate)


pytestmark = pytest.mark.postgresql_only


@pytest.fixture(scope="module")
def site(
    module_database_url: str, certificate: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    with served(folder, module_database_url, certificate) as running:
        yield running


class TestIssuer:
    def test_it_is_the_configured_one_whatever_a_request_says(self, site: Site) -> None:
        with site.visitor() as browser:
            for path in ("openid-configuration", "oauth-authorization-server"):
                answer = browser.get(f"/.well-known/{path}", headers=FORGED)
                document = answer.json()
                urls = {v for v in document.values() if isinstance(v, str)}
                assert document["issuer"] == site.url
                assert all(url.startswith(site.url) for url in urls)
                assert "evil" not in answer.text

    def test_a_person_signs_in_consents_and_signs_out_through_it(self, site: Site) -> None:
        """Nowhere on the way is there an address of what stands behind."""
        verifier = "v" * 43
        asked = {
            "response_type": "code",
            "client_id": "webapp",
            "redirect_uri": CALLBACK,
            "scope": "openid profile",
            "code_challenge": s256(verifier),
            "code_challenge_method": "S256",
        }
        with site.visitor() as browser:
            page = browser.get("/oauth/authorize", params=asked)
            assert page.headers["location"].startswith("/sign-in?")
            page = browser.get(page.headers["location"])
            back = browser.submit(page, username="ana", password=PASSWORD)
            answer = browser.allow(browser.get(back.headers["location"]))
            said = query_of(answer.headers["location"])
            assert said["iss"] == site.url
            redeemed = browser.post(
                "/oauth/token",
                data={
                    "grant_type": "authorization_code",
                    "code": said["code"],
                    "redirect_uri": CALLBACK,
                    "code_verifier": verifier,
                },
                auth=("webapp", SECRET),
            )
            assert redeemed.status_code == 200, redeemed.text
            hint = redeemed.json()["id_token"]
            out = {"id_token_hint": hint, "post_logout_redirect_uri": SIGNED_OUT}
            assert browser.get("/end-session", params=out).headers["location"] == SIGNED_OUT
            assert browser.get("/account").headers["location"].startswith("/sign-in")

    @pytest.mark.parametrize("path", ["/", "/account", "/deputize/agents", "/deputize"])
    def test_redirects_stay_on_the_site(self, site: Site, path: str) -> None:
        with site.visitor() as browser:
            location = browser.get(path, headers=FORGED).headers.get("location", "/")
        assert location.startswith(("/", site.url))
        assert not location.startswith("//")
        assert "evil" not in location


class TestCookies:
    def test_they_insist_on_https(self, site: Site) -> None:
        with site.visitor() as browser:
            cookie = browser.sign_in().headers["set-cookie"]
            assert cookie.startswith("__Host-session=")
            for attribute in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
                assert attribute in cookie
            assert "Domain" not in cookie
            assert browser.get("/account").status_code == 200

    def test_so_they_do_whatever_a_request_says(self, site: Site) -> None:
        with site.visitor() as browser:
            answer = browser.get("/sign-in", headers=FORGED)
        assert answer.headers["set-cookie"].startswith("__Host-session=")
        assert "max-age" in answer.headers["strict-transport-security"]


class TestAddress:
    """Failed sign-ins are held against the address that the proxy saw."""

    def test_each_visitor_is_counted_alone(self, site: Site) -> None:
        assert tried(site, "127.0.0.2", "one") == [400] * ATTEMPTS + [429]
        with site.visitor("127.0.0.3") as another:
            assert another.sign_in("one", "wrong").status_code == 400

    def test_an_address_that_a_visitor_makes_up_is_not_believed(self, site: Site) -> None:
        assert tried(site, "127.0.0.2", "two", made_up=True) == [400] * ATTEMPTS + [429]

    def test_nor_where_the_proxy_adds_to_it(
        self, module_database_url: str, certificate: Path, tmp_path: Path
    ) -> None:
        with served(tmp_path, module_database_url, certificate, way="append") as site:
            assert tried(site, "127.0.0.2", "three", made_up=True) == [400] * ATTEMPTS + [429]
            with site.visitor("127.0.0.3") as another:
                assert another.sign_in("three", "wrong").status_code == 400

    def test_without_a_trusted_proxy_no_header_is_believed(
        self, module_database_url: str, certificate: Path, tmp_path: Path
    ) -> None:
        """Whoever reaches the server itself; all who come by the proxy are one address."""
        none = {"DEPUTIZE_IDP__TRUSTED_PROXIES": "0"}
        with served(tmp_path, module_database_url, certificate, **none) as site:
            assert tried(site, "127.0.0.2", "four", made_up=True) == [400] * ATTEMPTS + [429]
            with site.visitor("127.0.0.3") as another:
                assert another.sign_in("four", "wrong").status_code == 429
            answer = httpx.get(f"{site.behind}/sign-in", headers=FORGED)
            assert answer.headers["set-cookie"].startswith("__Host-session=")


def tried(site: Site, address: str, username: str, *, made_up: bool = False) -> list[int]:
    """What one more wrong password than is allowed is answered with."""
    answers = []
    with site.visitor(address) as browser:
        for attempt in range(ATTEMPTS + 1):
            if made_up:
                browser.headers["X-Forwarded-For"] = f"10.0.{attempt}.1"
            answers.append(browser.sign_in(username, "wrong").status_code)
    return answers

"""`examples/deploy`: each file is what its program reads, and all of them agree."""

import ast
import json
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from urllib.parse import urlsplit

import click
import pytest
from packaging.requirements import Requirement
from tests.packaging.deploy_files import (
    DEPLOY,
    DOCKERFILE,
    NGINX,
    README,
    SETTINGS,
    UNIT,
    Block,
    read_dockerfile,
    read_nginx,
    read_unit,
)
from tests.packaging.installed import ROOT, closure, declared

from cli.running import Operator
from deputize_idp.cli import deputize
from deputize_idp.configuration import Chosen, Configuration, load_configuration
from deputize_idp.serve import DRAIN_SECONDS

SECRETS = ("deputize-keys", "cookies")
INSTALLED = Path("/etc/deputize")  # where the files go

NGINX_KNOWS = {
    "http": {"log_format", "limit_req_zone", "limit_req_status"},
    "upstream": {"server", "keepalive"},
    "server": {
        "listen", "server_name", "return", "ssl_certificate", "ssl_certificate_key",
        "ssl_protocols", "ssl_session_cache", "ssl_session_tickets", "server_tokens", "access_log",
        "client_max_body_size", "large_client_header_buffers", "client_body_timeout",
        "proxy_set_header", "proxy_http_version", "proxy_connect_timeout", "proxy_read_timeout",
        "proxy_cache", "proxy_next_upstream",
    },
    "location": {"limit_req", "proxy_pass", "allow", "deny"},
}  # fmt: skip
DOCKER_KNOWS = {
    "FROM", "WORKDIR", "COPY", "RUN", "ENV", "USER", "VOLUME", "EXPOSE", "STOPSIGNAL",
    "HEALTHCHECK", "ENTRYPOINT", "CMD",
}  # fmt: skip


@pytest.fixture
def configuration(tmp_path: Path) -> Configuration:
    """The settings as the server loads them, with secrets beside them."""
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    for name in SECRETS:
        (secrets / name).write_text(f"{name}, of 32 characters or more")
    file = Path(shutil.copy(SETTINGS, tmp_path))
    return load_configuration(Chosen(tmp_path / "data", file), {})


@pytest.fixture(scope="module")
def site() -> Block:
    """nginx's server for https."""
    (found,) = [s for s in read_nginx().inner("server") if s.all_of("ssl_certificate")]
    return found


def parsed(words: list[str]) -> dict[str, object]:
    """What `deputize` makes of a command line; it raises where it can't be."""
    command = deputize.commands[words[0]]
    return click.Context(command).command.make_context(words[0], words[1:]).params


def started_by_systemd() -> list[str]:
    (command,) = read_unit()["Service"]["ExecStart"]
    return shlex.split(command)


def started_by_docker() -> list[str]:
    said = dict(read_dockerfile())
    return [*json.loads(said["ENTRYPOINT"]), *json.loads(said["CMD"])]


class TestSettings:
    def test_they_load_and_name_no_secret(self, configuration: Configuration) -> None:
        assert configuration.plugin.issuer == "https://id.example.com"
        assert urlsplit(configuration.plugin.database_url).password is None
        text = SETTINGS.read_text()
        assert not re.search(r"^(key_secret|secret_key|\w*password\w*) *=", text, re.M)
        assert set(re.findall(r'"secrets/([\w-]+)"', text)) == set(SECRETS)

    def test_one_database_is_for_both(self, configuration: Configuration) -> None:
        assert configuration.idp.database_url == configuration.plugin.database_url

    def test_test_mode_is_off(self, configuration: Configuration) -> None:
        assert not configuration.plugin.test_mode

    def test_as_many_proxies_are_trusted_as_there_are(
        self, configuration: Configuration, site: Block
    ) -> None:
        headers = dict(site.all_of("proxy_set_header"))
        assert configuration.idp.trusted_proxies == 1
        assert headers["X-Forwarded-For"] == "$remote_addr"  # replaced: one entry
        assert headers["X-Forwarded-Proto"] == "$scheme"


class TestAgreement:
    """Names, ports and paths are the same in every file."""

    @pytest.mark.parametrize("command", [started_by_systemd, started_by_docker])
    def test_the_command_can_be_typed(self, command: Callable[[], list[str]]) -> None:
        program, *words = command()
        assert Path(program).name == "deputize"
        asked = [word if word != f"{INSTALLED}/deputize.toml" else str(SETTINGS) for word in words]
        assert asked != words, "the settings are not where the others have them"
        said = parsed(asked)
        assert (said["data"], said["port"]) == (Path("/var/lib/deputize"), 8000)

    def test_nginx_speaks_to_where_the_server_listens(self) -> None:
        (upstream,) = read_nginx().inner("upstream")
        words = started_by_systemd()
        listens = f"{words[words.index('--host') + 1]}:{words[words.index('--port') + 1]}"
        assert upstream.get("server") == (listens,)
        for location in (b for s in read_nginx().inner("server") for b in s.inner("location")):
            assert location.get("proxy_pass") == (f"http://{upstream.arguments[0]}",)

    def test_nginx_is_the_issuer(self, configuration: Configuration) -> None:
        host = urlsplit(configuration.plugin.issuer).hostname
        for server in read_nginx().inner("server"):
            assert server.get("server_name") == (host,)
            for _, target in server.all_of("return"):
                assert target == f"{configuration.plugin.issuer}$request_uri"

    def test_a_body_has_the_same_bound_everywhere(
        self, configuration: Configuration, site: Block
    ) -> None:
        (said,) = site.get("client_max_body_size")
        assert said.endswith("k")
        bound = int(said.removesuffix("k")) * 1024
        assert bound == configuration.idp.max_request_size
        assert bound == configuration.plugin.bounds.body_bytes

    def test_the_data_folder_is_the_units_own(self) -> None:
        service = read_unit()["Service"]
        words = started_by_systemd()
        (state,) = service["StateDirectory"]
        assert words[words.index("--data") + 1] == f"/var/lib/{state}"

    def test_each_path_is_in_the_steps(self) -> None:
        """Whoever follows the README makes what the other files name."""
        named = {word for word in started_by_systemd() if word.startswith("/etc")}
        named |= {f"{INSTALLED}/secrets/{name}" for name in (*SECRETS, "pgpass")}
        named |= {"/etc/systemd/system/deputize.service", "/etc/nginx/conf.d/deputize.conf"}
        missing = {path for path in named if path not in README.read_text()}
        assert not missing

    def test_the_password_file_is_the_same(self) -> None:
        variable = f"PGPASSFILE={INSTALLED}/secrets/pgpass"
        assert variable in read_unit()["Service"]["Environment"]
        assert variable in dict(read_dockerfile())["ENV"]


class TestDockerfile:
    def test_it_is_made_of_instructions(self) -> None:
        assert {name for name, _ in read_dockerfile()} == DOCKER_KNOWS

    def test_it_does_not_run_as_root(self) -> None:
        of_the_last_stage = [name for name, _ in read_dockerfile()]
        last = len(of_the_last_stage) - of_the_last_stage[::-1].index("FROM")
        users = [rest for name, rest in read_dockerfile()[last:] if name == "USER"]
        assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", users[-1])

    def test_no_secret_is_baked_in(self) -> None:
        assert not [rest for name, rest in read_dockerfile() if name == "ARG"]
        copied = [rest for name, rest in read_dockerfile() if name in ("COPY", "ADD")]
        assert not [rest for rest in copied if "secret" in rest or rest.split()[0] == "."]
        variables = dict(read_dockerfile())["ENV"]
        assert not re.search(r"(SECRET|PASSWORD|TOKEN)\w*=", variables)

    def test_what_it_copies_is_there_and_let_through(self) -> None:
        ignored = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
        assert "*" in ignored
        for rest in [rest for name, rest in read_dockerfile() if name == "COPY"]:
            if not rest.startswith("--from"):
                for source in rest.split()[:-1]:
                    assert (ROOT / source).exists()
                    assert f"!{source}" in ignored

    def test_it_installs_the_versions_of_the_lock(self, wheel: Path) -> None:
        """Its `sed`, run, against what the tests themselves run with."""
        (line,) = [rest for name, rest in read_dockerfile() if name == "RUN" and "sed" in rest]
        command = line.partition(" > ")[0]
        ran = subprocess.run(
            ["sh", "-c", command], cwd=ROOT, capture_output=True, text=True, check=True
        )
        pinned = {r.name: r for r in map(Requirement, ran.stdout.splitlines())}
        assert not [r.name for r in pinned.values() if r.extras], "no constraint may have extras"
        needed = closure(declared(wheel), frozenset({"server", "postgres"}))
        for distribution in needed:
            name = re.sub(r"[-_.]+", "-", distribution.name).lower()
            assert version(name) in pinned[name].specifier, name

    def test_its_health_check_tells_a_server_from_none(self, tmp_path: Path) -> None:
        said = dict(read_dockerfile())["HEALTHCHECK"]
        program, flag, script = json.loads(said.partition("CMD ")[2])
        assert (program, flag) == ("python", "-c")
        ast.parse(script)
        with Operator(tmp_path / "data").serving() as url:
            here = script.replace("http://127.0.0.1:8000", url)
            assert here != script
            assert subprocess.run([shutil.which("python3") or "", "-c", here]).returncode == 0
        ended = subprocess.run(
            [shutil.which("python3") or "", "-c", here], capture_output=True, check=False
        )
        assert ended.returncode != 0


class TestUnit:
    def test_it_takes_away_what_the_server_does_not_need(self) -> None:
        service = read_unit()["Service"]
        expected = {
            "NoNewPrivileges": "yes",
            "ProtectSystem": "strict",
            "ProtectHome": "yes",
            "PrivateTmp": "yes",
            "UMask": "0077",
            "StateDirectoryMode": "0700",
            "CapabilityBoundingSet": "",
        }
        for key, value in expected.items():
            assert service[key] == [value]
        assert service["User"] not in ([], ["root"])

    def test_it_waits_longer_than_the_workers_do(self) -> None:
        service = read_unit()["Service"]
        assert (service["KillSignal"], service["KillMode"]) == (["SIGTERM"], ["mixed"])
        assert int(service["TimeoutStopSec"][0]) > DRAIN_SECONDS

    def test_systemd_finds_nothing_wrong(self, tmp_path: Path) -> None:
        analyze = shutil.which("systemd-analyze") or pytest.skip("systemd-analyze is missing")
        unit = tmp_path / UNIT.name
        unit.write_text(UNIT.read_text().replace(started_by_systemd()[0], "/bin/true"))
        verified = subprocess.run([analyze, "verify", unit], capture_output=True, text=True)
        assert (verified.returncode, verified.stderr) == (0, "")
        judged = [analyze, "security", "--offline=true", "--threshold=20", "--no-pager", unit]
        assert subprocess.run(judged, capture_output=True).returncode == 0, "exposure above 2.0"


class TestNginx:
    def test_each_directive_is_known_where_it_stands(self) -> None:
        def judge(block: Block) -> None:
            unknown = {name for name, _ in block.directives} - NGINX_KNOWS[block.name]
            assert not unknown, f"{block.name}: {unknown}"
            for inner in block.blocks:
                judge(inner)

        judge(read_nginx())

    def test_headers_are_set_once_for_all_locations(self, site: Block) -> None:
        """A location with one of its own would lose the rest."""
        for location in site.inner("location"):
            assert not location.all_of("proxy_set_header")
        headers = dict(site.all_of("proxy_set_header"))
        for name in ("X-Forwarded-Host", "X-Forwarded-Prefix", "Forwarded", "Connection"):
            assert headers[name] == ""

    def test_nothing_is_kept_sent_twice_or_logged_with_its_query(self, site: Block) -> None:
        assert site.get("proxy_cache") == ("off",)
        assert site.get("proxy_next_upstream") == ("off",)
        (log_format,) = read_nginx().all_of("log_format")
        for secret in ("$request ", "$request_uri", "$args", "$query_string", "$http_referer"):
            assert secret not in f"{' '.join(log_format)} "
        assert site.get("access_log")[1] == log_format[0]

    def test_whoever_asks_too_much_is_slowed_down(self, site: Block) -> None:
        zones = {a[1].partition(":")[0] for a in read_nginx().all_of("limit_req_zone")}
        used = {a[0] for b in site.inner("location") for a in b.all_of("limit_req")}
        assert used == zones
        for location in site.inner("location"):
            assert location.all_of("limit_req") or location.get("deny") == ("all",)

    def test_plain_http_leads_to_https_and_nowhere_else(self) -> None:
        (plain,) = [s for s in read_nginx().inner("server") if not s.all_of("ssl_certificate")]
        assert plain.get("return")[0] == "308"
        assert not plain.blocks

    def test_nginx_finds_nothing_wrong(self, tmp_path: Path) -> None:
        path = f"{os.environ['PATH']}:/usr/sbin"
        nginx = shutil.which("nginx", path=path) or pytest.skip("nginx is missing")
        openssl = shutil.which("openssl") or pytest.skip("openssl is missing")
        files = ["-keyout", tmp_path / "key", "-out", tmp_path / "pem"]
        certificate = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=x"]
        subprocess.run([*certificate, *files], capture_output=True, check=True)
        here = NGINX.read_text()
        for there, file in (
            ("/etc/nginx/tls/id.example.com.pem", "pem"),
            ("/etc/nginx/tls/id.example.com.key", "key"),
            ("/var/log/nginx/deputize.log", "log"),
        ):
            assert there in here
            here = here.replace(there, str(tmp_path / file))
        whole = tmp_path / "nginx.conf"
        whole.write_text(f"pid {tmp_path}/pid;\nevents {{}}\nhttp {{\n{here}\n}}\n")
        tried = subprocess.run([nginx, "-t", "-c", whole], capture_output=True, text=True)
        assert tried.returncode == 0, tried.stderr
        assert "[warn]" not in tried.stderr, tried.stderr


def test_the_dockerfile_is_named_by_the_readme() -> None:
    assert str(DOCKERFILE.relative_to(ROOT)) in README.read_text()

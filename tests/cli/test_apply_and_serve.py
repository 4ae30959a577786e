"""`deputize apply` beside `deputize serve`: what is declared works, at once, on every worker."""

import tomllib
from pathlib import Path

import httpx

from cli.running import DEMO, PASSWORD, Operator, Served
from idp.browser import Browser
from support import agents_http

EXTRA = """
[[agents]]
client_id = "{name}"
owner = "ana"
scopes = ["calendar:read"]
client_secret = "{name}-secret-01234567890123"
"""


def test_what_was_applied_before_is_there(served: Served) -> None:
    assert served.own_token("booker")
    assert served.hold()["scope"] == "agents:spawn calendar:read flights:search tasks"


def test_an_application_of_the_host_is_declared_too(served: Served) -> None:
    webapp = served.agent("webapp")
    answer = webapp.post("token_endpoint", grant_type="authorization_code", code="none")
    assert answer.json()["error"] == "invalid_grant", "the client itself was authenticated"


def test_apply_while_it_runs_is_seen_at_once_by_every_worker(
    served: Served, tmp_path: Path
) -> None:
    late = agents_http.Agent("late", served.metadata, secret="late-secret-01234567890123")
    for _ in range(6):
        assert late.post("token_endpoint", grant_type="client_credentials").status_code == 401
    file = tmp_path / "late.toml"
    file.write_text(EXTRA.format(name="late"))
    served.operator.done("apply", str(file))
    for _ in range(6):
        assert late.post("token_endpoint", grant_type="client_credentials").status_code == 200
    file.write_text(EXTRA.format(name="late").replace('"calendar:read"', '"calendar:write"'))
    served.operator.done("apply", str(file))
    for _ in range(6):
        answer = late.post("token_endpoint", grant_type="client_credentials")
        assert answer.json()["scope"] == "calendar:write"


def test_a_person_who_is_made_inactive_leaves(served: Served, tmp_path: Path) -> None:
    text = '[[people]]\nusername = "{0}"\nname = "Zoe"\npassword = "{1}"\nactive = {2}\n'
    file = tmp_path / "zoe.toml"
    file.write_text(text.format("zoe", PASSWORD, "true"))
    served.operator.done("apply", str(file))
    token = served.hold(person="zoe")["access_token"]
    assert served.agent("planner").introspect(token).json()["active"]
    file.write_text(text.format("zoe", PASSWORD, "false"))
    assert "~ person zoe: changed" in served.operator.done("apply", str(file))
    for _ in range(6):
        assert served.agent("planner").introspect(token).json() == {"active": False}
    with Browser(served.url) as browser:
        assert browser.sign_in("zoe", PASSWORD).status_code == 400


def test_the_same_again_changes_nothing(served: Served) -> None:
    told = served.operator.done("apply", str(DEMO), "--dry-run")
    assert told == "14 unchanged: nothing was written, this was a dry run\n"
    assert served.operator.done("apply", str(DEMO)) == "14 unchanged\n"


def test_what_is_exported_changes_nothing_and_tells_no_secret(
    served: Served, tmp_path: Path
) -> None:
    exported = served.operator.done("export")
    assert PASSWORD not in exported
    assert "password" not in exported
    assert "secret-0123456789" not in exported
    tables = tomllib.loads(exported)
    assert list(tables) == ["people", "resource_servers", "scopes", "agents", "clients"]
    assert {agent["owner"] for agent in tables["agents"]} == {"ana", "ben"}
    file = tmp_path / "exported.toml"
    file.write_text(exported)
    (summary,) = served.operator.done("apply", str(file), "--prune").splitlines()
    assert summary.endswith(" unchanged")


def test_an_export_can_be_applied_to_an_empty_folder(served: Served, operator: Operator) -> None:
    file = operator.data.with_name("exported.toml")
    file.write_text(served.operator.done("export"))
    operator.inside.done("apply", str(file))
    assert operator.inside.done("export") == file.read_text()


def test_both_documents_tell_of_both(served: Served) -> None:
    for name in ("oauth-authorization-server", "openid-configuration"):
        document = httpx.get(f"{served.url}/.well-known/{name}").json()
        assert document["issuer"] == served.url
        assert (
            "urn:ietf:params:oauth:grant-type:token-exchange" in document["grant_types_supported"]
        )
        assert document["userinfo_endpoint"] == f"{served.url}/oauth/userinfo"
        assert document["registration_endpoint"] == f"{served.url}/oauth/register"
    algorithms = [key["alg"] for key in httpx.get(document["jwks_uri"]).json()["keys"]]
    assert set(algorithms) == {"RS256", "ES256"}


def test_a_token_of_one_is_nothing_to_the_other(served: Served) -> None:
    """Invariant V17: an agent's token opens none of the host's own endpoints."""
    for token in (served.own_token("booker"), served.hold()["access_token"]):
        answer = httpx.get(
            f"{served.url}/oauth/userinfo", headers={"Authorization": f"Bearer {token}"}
        )
        assert answer.status_code == 401
        assert served.agent("webapp").introspect(token).json() == {"active": False}

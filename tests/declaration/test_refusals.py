"""What can't be declared: one line for each mistake, with entry, key and what was expected."""

import json
from collections.abc import Callable

import pytest

from declaration.house import BOOKER, EVERYTHING, PLANNER, SCOPES, SECRET, SERVER, House
from deputize.declaration.export import write_toml
from deputize.declaration.read import read_declaration
from deputize.part import ConfigurationError
from support import agents_http

PRIVATE = {"keys": [agents_http.new_key().as_dict(private=True)]}
SINGLE_USE = SCOPES.replace('"Read your calendar"', '"Read"\nsingle_use = true')


def agent(**members: object) -> str:
    """The booker with other members; None takes one away."""
    usual: dict[str, object] = {
        "client_id": "booker",
        "owner": "ben",
        "scopes": ["calendar:read"],
        "client_secret": SECRET,
    }
    lines = [f"{k} = {json.dumps(v)}" for k, v in (usual | members).items() if v is not None]
    return "\n".join([SERVER, SCOPES, "[[agents]]", *lines])


def scope(**members: object) -> str:
    usual = {"name": "a", "resource": "https://calendar.example", "description": "A"}
    lines = [f"{k} = {json.dumps(v)}" for k, v in (usual | members).items() if v is not None]
    return "\n".join([SERVER, "[[scopes]]", *lines])


def server(**members: object) -> str:
    usual = {"identifier": "https://a.example", "client_id": "a-api", "client_secret": SECRET}
    lines = [f"{k} = {json.dumps(v)}" for k, v in (usual | members).items() if v is not None]
    return "\n".join(["[[resource_servers]]", *lines])


PAYMENT = """
[[authorization_details_types]]
type = "payment"
scope = "pay"
schema = "payment.schema.json"
template = "Pay {amount}"
compare = { amount = "at_most" }
consumable = "amount"
"""


def details_type(**members: object) -> str:
    usual = {
        "type": "payment",
        "scope": "pay",
        "schema": {"type": "object"},
        "template": "Pay {amount}",
        "compare": {"amount": "at_most"},
    }
    return scope(name="pay") + "\n" + write_toml({"authorization_details_types": [usual | members]})


SCOPE, AGENT = '[[scopes]] "a": ', '[[agents]] "booker": '
API = '[[resource_servers]] "https://a.example": '

REFUSED = {
    "an unknown table": ("[[agent]]\n", 'agent: unknown key; did you mean "agents"?'),
    "a table that is no list": ('[agents]\nx = "y"\n', "agents: expected tables: write [[agents]]"),
    "an unknown key": (agent(scope=["a"]), AGENT + 'scope: unknown key; did you mean "scopes"?'),
    "an unknown key far from all": (scope(zzz=1), SCOPE + "zzz: unknown key; known here are:"),
    "a heartbeat that nobody could send": (
        agent(scopes=["calendar:read"], task_heartbeat="5m"),
        AGENT + "task_heartbeat: needs the scope tasks, by which the agent reports",
    ),
    "a missing key": (agent(owner=None), AGENT + "owner: is missing"),
    "an entry without a name": ("[[agents]]\n", "[[agents]] number 1: client_id: is missing"),
    "a number for a text": (agent(name=7), AGENT + "name: expected a valid string"),
    "a text for a list": (agent(scopes="a b"), AGENT + "scopes: expected a valid list"),
    "a text for a truth": (scope(sensitive="yes"), SCOPE + "sensitive: expected a valid boolean"),
    "a bad duration": (agent(expires_in="90 days"), AGENT + "expires_in: expected a duration"),
    "no time at all": (agent(expires_in=0), AGENT + "expires_in: expected greater than or equal"),
    "a time without offset": (
        agent(expires_at="2027-01-01T00:00:00"),
        AGENT + "expires_at: expected a time with its offset",
    ),
    "two expiries": (
        agent(expires_in="90d", expires_at="2027-01-01T00:00:00Z"),
        AGENT + "expires_in and expires_at exclude each other",
    ),
    "a short secret": (agent(client_secret="x" * 23), AGENT + "client_secret: expected 24"),
    "a short secret of an API": (
        server(client_secret="x" * 23),
        API + "client_secret: expected 24",
    ),
    "an API without a secret": (server(client_secret=None), API + "client_secret: is missing"),
    "a digest that is none": (
        agent(client_secret=None, client_secret_sha256="abc"),
        AGENT + "client_secret_sha256: string should match",
    ),
    "an agent that can't authenticate": (
        agent(client_secret=None),
        AGENT + "needs client_secret, jwks, jwks_file, jwks_uri or token_endpoint_auth_method",
    ),
    "a public agent without redirect URIs": (
        agent(client_secret=None, token_endpoint_auth_method="none"),
        AGENT + "a public agent (none) needs redirect_uris",
    ),
    "a public agent with a secret": (
        agent(token_endpoint_auth_method="none", redirect_uris=["https://a.example/cb"]),
        AGENT + "none and client_secret exclude each other",
    ),
    "private_key_jwt without keys": (
        agent(client_secret=None, token_endpoint_auth_method="private_key_jwt"),
        AGENT + "private_key_jwt and jwks come together",
    ),
    "a method that there is not": (
        agent(token_endpoint_auth_method="tls_client_auth"),
        AGENT + "token_endpoint_auth_method: expected one of",
    ),
    "a grant that there is not": (
        agent(grant_types=["password"]),
        AGENT + "grant_types: expected some of",
    ),
    "a push that leads nowhere": (
        agent(backchannel_token_delivery_mode="push"),
        AGENT + "backchannel_token_delivery_mode: ping and push come together with an endpoint",
    ),
    "codes that lead nowhere": (
        agent(grant_types=["authorization_code"]),
        AGENT + "grant_types: authorization_code needs redirect_uris",
    ),
    "an alg that nobody signs by": (
        agent(backchannel_authentication_request_signing_alg="HS256"),
        AGENT + "backchannel_authentication_request_signing_alg: expected one of ES256",
    ),
    "an agent without a key that must sign": (
        agent(backchannel_authentication_request_signing_alg="ES256"),
        AGENT + "backchannel_authentication_request_signing_alg: needs jwks, jwks_file or jwks_uri",
    ),
    "an empty file of keys": (agent(client_secret=None, jwks_file="no.json"), AGENT + "jwks_file:"),
    "plain http off loopback": (
        agent(redirect_uris=["http://a.example/cb"]),
        AGENT + "redirect_uris.0: expected https, or http on loopback",
    ),
    "a script for a redirect URI": (
        agent(redirect_uris=["javascript:alert(1)"]),
        AGENT + "redirect_uris.0: expected https",
    ),
    "a client id with a slash": (
        agent(client_id="https://b"),
        '[[agents]] "https://b": client_id: expected 1 to 64 letters',
    ),
    "the word for helpers as a client id": (
        agent(client_id="spawned"),
        '[[agents]] "spawned": client_id: expected another name',
    ),
    "a reserved scope for an agent": (
        agent(scopes=["admin"]),
        AGENT + "scopes.0: expected another scope: this one is the server's own",
    ),
    "openid for an agent": (agent(scopes=["openid"]), AGENT + "scopes.0: expected another scope"),
    "an unknown scope": (
        agent(scopes=["calendar:raed"]),
        AGENT + 'scopes: "calendar:raed" is no scope that is declared or known; '
        'did you mean "calendar:read"?',
    ),
    "an unknown resource": (
        agent(resources=["https://calender.example"]),
        AGENT + 'resources: "https://calender.example" is no resource server',
    ),
    "an owner whom nobody knows": (
        agent(owner="zoe"),
        AGENT + 'owner: nobody signs in as "zoe"',
    ),
    "a sponsor whom nobody knows": (agent(sponsor="zoe"), AGENT + "sponsor: nobody signs in"),
    "a person's key as client id": (
        agent(client_id="key-of-ana"),
        '[[agents]] "key-of-ana": client_id: is the identifier of a person',
    ),
    "a depth of none": (agent(max_delegation_depth=0), AGENT + "max_delegation_depth: expected"),
    "a control character": (agent(name="a\u0000b"), AGENT + "name: expected one line of printable"),
    "an escape sequence": (agent(purpose="\u001b[2J"), AGENT + "purpose: expected printable text"),
    "two lines for a name": (agent(name="a\nb"), AGENT + "name: expected one line of printable"),
    "a person's key as an API's client id": (
        server(client_id="key-of-ana"),
        API + "client_id: is the identifier of a person",
    ),
    "the server's own scope": (
        scope(name="tasks"),
        '[[scopes]] "tasks": name: expected another name: this scope is the server\'s own',
    ),
    "two words for a scope": (scope(name="a b"), '[[scopes]] "a b": name: expected one word'),
    "a scope of nobody": (
        scope(resource="https://b.example"),
        SCOPE + 'resource: "https://b.example" is no resource server',
    ),
    "single use where it can't be counted": (
        SERVER + SINGLE_USE,
        '[[scopes]] "calendar:read": single_use: needs use_id = true or false',
    ),
    "a fragment in an audience": (
        server(identifier="https://a.example#x"),
        "identifier: expected a canonical URL",
    ),
    "a user in an audience": (
        server(identifier="https://u@a.example"),
        "identifier: expected a canonical URL",
    ),
    "the issuer as an API": (
        server(identifier="http://127.0.0.1:8000"),
        "identifier: is the issuer's own",
    ),
    "the registration endpoint as an API": (
        server(identifier="http://127.0.0.1:8000/oauth/register"),
        "identifier: is the issuer's own",
    ),
    "two of a name": (BOOKER + BOOKER, AGENT + "client_id: is declared twice"),
    "an agent with an API's client id": (
        agent(client_id="calendar-api"),
        "client_id: calendar-api is already declared under [[resource_servers]]",
    ),
    "an application with an agent's": (
        agent() + '\n[[clients]]\nclient_id = "booker"\n',
        '[[clients]] "booker": client_id: booker is already declared under [[agents]]',
    ),
    "two APIs with one client id": (
        server() + "\n" + server(identifier="https://b.example"),
        "client_id: a-api is already declared under [[resource_servers]]",
    ),
    "authorization_details whose schema is in no file": (
        PAYMENT,
        '[[authorization_details_types]] "payment": schema: ',
    ),
    "authorization_details of an unknown scope": (
        details_type(scope="pya"),
        '[[authorization_details_types]] "payment": scope: "pya" is no scope',
    ),
    "authorization_details that are used up and not compared": (
        details_type(consumable="count"),
        'consumable: needs compare = "at_most" for that member',
    ),
    "authorization_details with a comparison of another kind": (
        details_type(compare={"amount": "about"}),
        "compare.amount: expected one of equal, at_most, at_least, subset, range",
    ),
    "authorization_details with a schema that is none": (
        details_type(schema={"type": "dictionary"}),
        "schema: 'dictionary' is not valid",
    ),
    "authorization_details with a null in the schema": (
        PAYMENT.replace('"payment.schema.json"', '"null.json"'),
        "schema: expected a table, or the name of a JSON file that holds one; no null",
    ),
    "authorization_details with a time in the schema": (
        PAYMENT.replace('"payment.schema.json"', "{default = 2027-01-01}"),
        "schema: expected a table",
    ),
    "authorization_details with what JSON lacks": (
        PAYMENT.replace('"payment.schema.json"', "{maximum = inf}"),
        "schema: expected a table",
    ),
    "authorization_details with a template that reaches further": (
        details_type(template="Pay {amount.__class__}"),
        "template: write {member} or {member:symbol}",
    ),
    "authorization_details with a mistake": (
        '[[authorization_details_types]]\ntype = "payment"\n',
        '[[authorization_details_types]] "payment": schema: is missing',
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_it_is_refused_and_nothing_is_written(sqlite_house: House, case: str) -> None:
    text, expected = REFUSED[case]
    sqlite_house.write('{"default": null}', "null.json")
    before = sqlite_house.rows()
    lines = sqlite_house.refused(text)
    assert any(expected in line for line in lines), lines
    assert sqlite_house.rows() == before


@pytest.mark.parametrize(
    "jwks",
    [PRIVATE, {"keys": []}, {"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}, {"keys": "x"}],
    ids=["private", "none", "symmetric", "no list"],
)
def test_keys_that_are_not_public_and_strong(sqlite_house: House, jwks: object) -> None:
    sqlite_house.write(json.dumps(jwks), "keys.json")
    (line,) = sqlite_house.refused(agent(client_secret=None, jwks_file="keys.json"))
    assert line.startswith(AGENT + "jwks: ")


def test_no_line_repeats_a_secret(sqlite_house: House) -> None:
    short = "hunter2-is-short"
    lines = sqlite_house.refused(agent(client_secret=short) + f'\njwks = "{short}"\n')
    assert lines
    assert short not in "".join(lines)


def test_all_mistakes_are_told_at_once(sqlite_house: House) -> None:
    text = scope(name="tasks") + "\n" + server(client_id="/") + "\n[[agents]]\nclient_id = 'a'\n"
    assert len(sqlite_house.refused(text)) == 3


@pytest.mark.parametrize("text", ["[[agents]\n", "a = \udcff", "x = 1\nx = 2"])
def test_a_file_that_is_not_toml(sqlite_house: House, text: str) -> None:
    file = sqlite_house.folder / "broken.toml"
    file.write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(ConfigurationError, match=r"broken\.toml: not TOML: "):
        read_declaration(file)


@pytest.mark.parametrize(
    ("make", "reason"),
    [(lambda file: None, "No such file"), (lambda file: file.mkdir(), "Is a directory")],
)
def test_a_file_that_can_not_be_read(
    sqlite_house: House, make: Callable[..., None], reason: str
) -> None:
    file = sqlite_house.folder / reason
    make(file)
    with pytest.raises(ConfigurationError, match=reason):
        read_declaration(file)


class TestOneNamespace:
    """A client id names one thing, also where the other thing is from an earlier file."""

    @pytest.fixture
    def furnished(self, database_url: str, house: House) -> House:
        house.apply(EVERYTHING)
        return house

    def test_an_agent_can_not_take_an_apis(self, furnished: House) -> None:
        text = BOOKER.replace('"booker"', '"calendar-api"')
        (line,) = furnished.refused(text)
        assert line.endswith("client_id: is a resource server's")

    def test_an_api_can_not_take_an_agents(self, furnished: House) -> None:
        (line,) = furnished.refused(server(client_id="planner"))
        assert line.endswith("client_id: planner is an agent's")

    def test_an_api_can_not_take_another_apis(self, furnished: House) -> None:
        (line,) = furnished.refused(server(client_id="calendar-api"))
        assert line.endswith("is that of the resource server https://calendar.example")

    def test_nor_a_retired_ones(self, furnished: House) -> None:
        furnished.apply("", "--prune")
        (line,) = furnished.refused(server(client_id="calendar-api"))
        assert line.endswith("is that of the retired resource server https://calendar.example")

    def test_a_retired_scope_is_unknown(self, furnished: House) -> None:
        furnished.apply(SERVER + PLANNER.replace('"calendar:read", "calendar:write", ', ""),
                        "--prune")  # fmt: skip
        (line,) = furnished.refused(agent(client_id="new").replace(SCOPES, ""))
        assert '"calendar:read" is no scope that is declared or known' in line

"""What is exported is a declaration: applied again it changes nothing, and it tells no secret."""

import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from declaration.house import (
    DETAILS_TYPE,
    EVERYTHING,
    PLANNER,
    SCHEMA,
    SCOPES,
    SECRET,
    SERVER,
    House,
    details_type,
)
from deputize.agents.lifecycle import Status
from deputize.declaration.export import write_toml
from deputize.endings.stop_agent import stop_agent
from support import agents_http


def test_it_can_be_applied_again(house: House) -> None:
    house.apply(EVERYTHING)
    before = house.rows()
    assert house.apply(house.export(), "--prune") == ["5 unchanged"]
    assert house.rows() == before


@pytest.mark.sqlite_only
def test_it_makes_the_same_elsewhere(house: House, tmp_path: Path) -> None:
    house.apply(EVERYTHING)
    elsewhere = House(tmp_path / "elsewhere", f"sqlite:///{tmp_path}/elsewhere/db.sqlite3")
    elsewhere.apply(house.export())
    assert elsewhere.export() == house.export()
    elsewhere.context.db.close()


@pytest.mark.sqlite_only
def test_it_holds_no_secret_but_its_hash(house: House) -> None:
    house.apply(EVERYTHING)
    assert SECRET not in house.export()
    agents = tomllib.loads(house.export())["agents"]
    assert all(len(agent["client_secret_sha256"]) == 64 for agent in agents)


@pytest.mark.sqlite_only
def test_keys_and_awkward_words_survive(house: House) -> None:
    keys = agents_http.jwks(agents_http.new_key())
    members = {"jwks": keys, "backchannel_authentication_request_signing_alg": "ES256"}
    members["backchannel_user_code_parameter"] = True
    awkward = 'Says "no\\\\way" to \\u00e9migr\\u00e9s \\U0001F600'
    with_keys = PLANNER.replace(
        f'client_secret = "{SECRET}"', write_toml({"x": [members]}).partition("\n")[2]
    ).replace('"Books trips"', f'"""{awkward}"""')
    house.apply(SERVER + SCOPES + with_keys)
    assert house.agent("planner").purpose == 'Says "no\\way" to émigrés \U0001f600'
    assert house.agent("planner").token_endpoint_auth_method == "private_key_jwt"
    assert house.agent("planner").request_signing_alg == "ES256"
    assert house.agent("planner").user_code_parameter is True
    assert house.apply(house.export()) == ["4 unchanged"]


@pytest.mark.sqlite_only
def test_where_an_agent_is_told_survives(house: House) -> None:
    """CIBA Core §4: what is not declared any more is polled for again."""
    endpoint = "https://planner.example/told"
    told = f'''backchannel_token_delivery_mode = "push"
    backchannel_client_notification_endpoint = "{endpoint}"
    '''
    house.apply(SERVER + SCOPES + PLANNER + told)
    assert house.agent("planner").backchannel_token_delivery_mode == "push"
    assert house.agent("planner").backchannel_client_notification_endpoint == endpoint
    assert house.apply(house.export()) == ["4 unchanged"]
    house.apply(SERVER + SCOPES + PLANNER)
    assert house.agent("planner").backchannel_token_delivery_mode == "poll"


@pytest.mark.sqlite_only
def test_a_suspended_agent_is_in_it_and_a_retired_one_is_not(house: House) -> None:
    house.apply(EVERYTHING)
    stop_agent(house.context.db, "planner", Status.SUSPENDED, why="suspended")
    stop_agent(house.context.db, "booker", Status.RETIRED, why="suspended")
    assert [a["client_id"] for a in tomllib.loads(house.export())["agents"]] == ["planner"]
    assert house.apply(house.export(), "--prune") == ["4 unchanged"]
    assert house.agent("planner").status == Status.SUSPENDED


def test_a_type_of_details_survives(house: House) -> None:
    """Its schema too, whatever JSON Schema says in it."""
    schema = SCHEMA | {"$comment": 'é "\\"', "properties": {"amount": {"multipleOf": 0.01}}}
    house.apply(SERVER + SCOPES + details_type(schema=schema, consumable="amount"))
    before = house.rows()
    assert house.apply(house.export(), "--prune") == ["4 unchanged"]
    assert house.rows() == before
    (exported,) = tomllib.loads(house.export())["authorization_details_types"]
    assert exported == DETAILS_TYPE | {"schema": schema, "consumable": "amount"}


TEXT = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.one_of(
    TEXT,
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.lists(TEXT),
    st.dictionaries(TEXT, TEXT),
    st.integers(0, 2**35).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)),
)


@given(st.dictionaries(st.from_regex(r"[a-z_]{1,9}", fullmatch=True), VALUES))
def test_toml_reads_back_whatever_is_written(entry: dict[str, object]) -> None:
    assert tomllib.loads(write_toml({"kind": [entry]})) == {"kind": [entry]}

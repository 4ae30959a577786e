"""What a page of the graph shows is its address: read from it, and written into each link."""

from dataclasses import asdict, replace
from typing import Any
from urllib.parse import urlencode

from flask import url_for
from werkzeug.datastructures import MultiDict

from ..core.values import is_client_id, is_id, is_resource_identifier
from .drawing import By
from .graph import ALL, ENDED, LIVE, Wanted

_TABLE = "table"


def read_wanted(asked: "MultiDict[str, str]") -> Wanted:
    """Return what is asked for; whatever can't be is as if it were not there."""

    def told(name: str, is_good: Any) -> str:
        value = asked.get(name, "")
        return value if is_good(value) else ""

    by = asked.get("by", "")
    return Wanted(
        person=told("person", is_id),
        agent=told("agent", is_client_id),
        task=told("task", is_id),
        resource=told("resource", is_resource_identifier),
        state=told("state", (LIVE, ENDED, ALL).__contains__) or LIVE,
        by=By(by) if by in list(By) else None,
        node=told("node", is_id),
        as_table=asked.get("view") == _TABLE,
    )


def graph_url(wanted: Wanted, endpoint: str = "deputize_graph.graph", **changes: Any) -> str:
    """Return the address of the graph with `wanted`, but for `changes`."""
    return f"{url_for(endpoint)}{query_of(replace(wanted, **changes))}"


def query_of(wanted: Wanted) -> str:
    """Return the query by which `read_wanted` reads it again, with its question mark."""
    told = {k: v for k, v in asdict(wanted).items() if v and v != LIVE and k != "as_table"}
    told |= {"view": _TABLE} if wanted.as_table else {}
    return f"?{urlencode(told)}" if told else ""

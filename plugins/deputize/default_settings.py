"""Writes every setting as TOML, with its docstring and its default: `config/default.toml`.

The classes are the truth; this file only reads them.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

_WIDTH = 96


def default_toml(
    sections: Mapping[str, type[BaseModel]], left_out: Mapping[str, frozenset[str]]
) -> str:
    """Return the tables of `sections`, each key with its default; what has none is a comment.

    :param left_out: by section, what no file says
    """
    tables = (
        _table(name, model, left_out.get(name, frozenset())) for name, model in sections.items()
    )
    return "\n".join(line for table in tables for line in table).rstrip() + "\n"


def _table(name: str, model: type[BaseModel], left_out: frozenset[str]) -> Iterator[str]:
    yield from _comment(model.__doc__ or "")
    yield f"[{name}]"
    fields = {key: f for key, f in model.model_fields.items() if key not in left_out}
    below = {key: f for key, f in fields.items() if isinstance(f.default, BaseModel | dict)}
    for key, field in fields.items():
        if key not in below:
            yield from _comment(field.description or "")
            yield _line(key, field)
    yield ""
    for key, field in below.items():
        if isinstance(field.default, BaseModel):
            yield from _table(f"{name}.{key}", type(field.default), frozenset())
        else:
            yield from _comment(field.description or "")
            yield f"[{name}.{key}]"
            yield from (f"{_key(k)} = {_value(v)}" for k, v in field.default.items())
            yield ""


def _line(key: str, field: FieldInfo) -> str:
    if field.default is None or field.default is PydanticUndefined:
        return f"# {key} ="
    return f"{key} = {_value(field.default)}"


def _key(name: str) -> str:
    return name if name.replace("_", "").replace("-", "").isalnum() else json.dumps(name)


def _value(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _comment(text: str) -> Iterator[str]:
    line = "#"
    for word in text.split():
        if len(line) + len(word) > _WIDTH:
            yield line
            line = "#"
        line += f" {word}"
    yield line

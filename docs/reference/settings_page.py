"""settings.md: every setting with its meaning, its default and what is accepted."""

from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin

from annotated_types import Ge, Gt, Le
from markdown_page import page, table
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from deputize.settings import Settings as PluginSettings
from deputize_idp.configuration import LEFT_OUT
from deputize_idp.settings import Settings as IdpSettings

ABOUT = """
Weakest first: the defaults here, the file (`--config FILE`, TOML), the environment, the command
line. In the environment, `[deputize.tokens] lifetime` is `DEPUTIZE__TOKENS__LIFETIME`, and
`[idp] code_lifetime` is `DEPUTIZE_IDP__CODE_LIFETIME`. A secret can lie in a file of its own:
`key_secret_file`, or `DEPUTIZE__KEY_SECRET_FILE`. An unknown key is refused at start, with its
place and the nearest known one. To copy from: [`config/default.toml`](../../config/default.toml),
which `deputize config default` writes. `deputize serve` fills in `issuer` and `database_url`.
"""


def settings() -> str:
    """Return the page."""
    sections = {"deputize": PluginSettings, "idp": IdpSettings}
    return page("Settings", ABOUT, (line for s in sections.items() for line in _section(*s)))


def _section(name: str, model: type[BaseModel]) -> Iterator[str]:
    before, _, meaning = (model.__doc__ or "").partition(": ")
    yield from (f"## [{name}]", "", _sentence(meaning or before), "")
    fields = {k: f for k, f in model.model_fields.items() if k not in LEFT_OUT.get(name, ())}
    below = {k: f.default for k, f in fields.items() if isinstance(f.default, BaseModel)}
    own = {k: f for k, f in fields.items() if k not in below}
    yield from table(("key", "default", "accepted", "meaning"), map(_row, own, own.values()))
    yield ""
    for key, default in below.items():
        yield from _section(f"{name}.{key}", type(default))


def _row(key: str, field: FieldInfo) -> tuple[str, ...]:
    return f"`{key}`", _default(field.default), _accepted(field), _sentence(field.description or "")


def _default(value: Any) -> str:
    if value is PydanticUndefined:
        return "required"
    if isinstance(value, dict):
        return ", ".join(f"`{name}`" for name in value)
    return "none" if value in (None, ()) else f"`{str(value).lower() if value is False else value}`"


def _accepted(field: FieldInfo) -> str:
    if get_origin(field.annotation) is Literal:
        return ", ".join(f"`{value}`" for value in get_args(field.annotation))
    limits = {type(m): m for m in field.metadata if isinstance(m, Ge | Gt | Le)}
    least = limits[Ge].ge if Ge in limits else limits[Gt].gt + 1 if Gt in limits else None
    if least is None:
        return ""
    return f"{least} to {limits[Le].le}" if Le in limits else f"{least} or more"


def _sentence(text: str) -> str:
    return text[:1].upper() + " ".join(text.split())[1:]

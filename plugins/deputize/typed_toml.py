"""TOML read into typed models: each mistake is one line that names file and key.

A line says what was expected and, for an unknown key, the nearest known one. What was
written there is not repeated: it may be a secret.
"""

import tomllib
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from .part import ConfigurationError

Location = tuple[str | int, ...]


def read_toml(file: Path) -> dict[str, Any]:
    """Return the tables of `file`.

    :raises ConfigurationError: where it cannot be read, or is not TOML
    """
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"{file}: {error.strerror}") from None
    except ValueError as error:
        raise ConfigurationError(f"{file}: not TOML: {error}") from None


def mistakes(error: ValidationError, model: type[BaseModel]) -> Iterator[tuple[Location, str]]:
    """Yield where each mistake is, and what was expected there."""
    for each in error.errors(include_url=False, include_input=False, include_context=False):
        location = each["loc"]
        if each["type"] == "extra_forbidden":
            yield location, unknown_key(str(location[-1]), known_keys(model, location[:-1]))
        elif each["type"] == "missing":
            yield location, "is missing"
        else:
            yield location, _expectation(each["msg"])


def unknown_key(name: str, known: list[str]) -> str:
    """Return what to say of the unknown key `name` where the `known` ones can stand."""
    if nearest := get_close_matches(name, known, n=1, cutoff=0.6):
        return f'unknown key; did you mean "{nearest[0]}"?'
    return f"unknown key; known here are: {', '.join(known)}"


def known_keys(model: type[BaseModel], location: Location) -> list[str]:
    """Return the keys that can stand in the table at `location`."""
    at = model_at(model, location)
    return sorted(at.model_fields) if at else []


def model_at(model: type[BaseModel], location: Location) -> type[BaseModel] | None:
    """Return the model of the table at `location`; None where no table can stand."""
    for key in location:
        field = model.model_fields.get(str(key))
        below = _model_of(field.annotation) if field else None
        if below is None:
            return None
        model = below
    return model


def raise_mistakes(lines: list[str]) -> None:
    """Raise one error with a line for each mistake, if there is any.

    :raises ConfigurationError: naming each
    """
    if lines:
        raise ConfigurationError("\n".join(lines))


def _model_of(annotation: Any) -> type[BaseModel] | None:
    for candidate in (annotation, *get_args(annotation)):
        if isinstance(candidate, type) and issubclass(candidate, BaseModel):
            return candidate
    return None


def _expectation(message: str) -> str:
    text = message.removeprefix("Value error, ").replace("Input should be", "expected")
    return text[:1].lower() + text[1:]

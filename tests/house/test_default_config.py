"""`config/`: the reference is what the classes say, and every file there can be loaded."""

from pathlib import Path

import pytest
from click.testing import CliRunner
from pydantic import BaseModel

from deputize.settings import Settings as PluginSettings
from deputize_idp import Settings
from deputize_idp.cli import deputize
from deputize_idp.configuration import Chosen, load_configuration

CONFIG = Path(__file__).parents[2] / "config"


def test_the_reference_is_what_the_settings_say() -> None:
    written = CliRunner().invoke(deputize, ["config", "default"]).stdout
    command = "deputize config default > config/default.toml"
    assert (CONFIG / "default.toml").read_text() == written, command


def test_the_reference_holds_the_defaults(tmp_path: Path) -> None:
    loaded = load_configuration(Chosen(tmp_path, CONFIG / "default.toml"), {})
    plain = load_configuration(Chosen(tmp_path), {})
    assert loaded == plain


def test_the_production_example_is_good(tmp_path: Path) -> None:
    example = tmp_path / "production.toml"
    example.write_text((CONFIG / "production.example.toml").read_text())
    (tmp_path / "secrets").mkdir()
    for name in ("deputize-keys", "cookies"):
        (tmp_path / "secrets" / name).write_text("x" * 43)
    loaded = load_configuration(Chosen(tmp_path, example), {})
    assert loaded.plugin.issuer == loaded.idp.issuer == "https://id.example.com"
    assert loaded.plugin.agents.self_registered == "refuse"


@pytest.mark.parametrize("model", [PluginSettings, Settings])
def test_every_setting_has_its_meaning(model: type[BaseModel]) -> None:
    for name, field in model.model_fields.items():
        if isinstance(field.default, BaseModel):
            test_every_setting_has_its_meaning(type(field.default))
        else:
            assert field.description, f"{model.__name__}.{name}"

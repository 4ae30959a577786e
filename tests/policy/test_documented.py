"""What docs/policy.md shows is what there is: its policies and its cases are run."""

import re
from pathlib import Path

import pytest

from deputize.policy.cases import differing, read_cases
from deputize.policy.cedar import Cedar

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "policy.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (policies,) = blocks("cedar")
    (tmp_path / "page.cedar").write_text(policies)
    return tmp_path


def test_the_policies_answer_as_the_cases_say(directory: Path) -> None:
    (cases,) = (block for block in blocks("toml") if "[[case]]" in block)
    file = directory / "cases.toml"
    file.write_text(cases)
    read = read_cases(file)
    assert len(read) == cases.count("[[case]]")
    assert list(differing(Cedar(directory), read)) == []


def test_the_policy_that_is_shipped_allows_everything() -> None:
    shipped = Cedar(ROOT / "config" / "policies")
    assert shipped.where.startswith("Cedar, 1 policies")

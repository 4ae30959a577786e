"""`policy check`, `test` and `try`: what an operator sees before an agent does."""

from pathlib import Path

import pytest
from click.testing import Result

from deputize.cli import deputize
from support.world import CALENDAR, World


@pytest.fixture(scope="module")
def policies() -> str:
    return f"""
        @id("no-checker")
        forbid (principal == Agent::"checker", action, resource);

        @id("doubt") @outcome("step_up")
        forbid (principal, action, resource == Resource::"{CALENDAR}")
        when {{ context.depth > 1 }};
    """


def run(world: World, *args: str) -> Result:
    return world.app.test_cli_runner().invoke(deputize, ["policy", *args])


class TestCheck:
    def test_what_is_in_use(self, world: World) -> None:
        told = run(world, "check")
        assert (told.exit_code, told.output.startswith("● Cedar, 3 policies of ")) == (0, True)

    def test_another_directory_with_a_mistake(self, world: World, tmp_path: Path) -> None:
        (tmp_path / "a.cedar").write_text(
            "permit (principal, action, resource) when { context.x };"
        )
        told = run(world, "check", str(tmp_path))
        assert told.exit_code == 1
        assert told.stderr.startswith(f"{tmp_path}/a.cedar:1: attribute `x`")
        assert len(told.stderr.splitlines()) == 1


class TestTest:
    @pytest.fixture
    def file(self, tmp_path: Path) -> Path:
        return tmp_path / "cases.toml"

    def test_all_as_expected(self, world: World, file: Path) -> None:
        file.write_text('[[case]]\nagent="checker"\nresource="x"\nexpect="deny"\n')
        told = run(world, "test", str(file))
        assert (told.exit_code, told.output) == (0, "1 of 1 as expected\n")

    def test_what_differs_is_named(self, world: World, file: Path) -> None:
        file.write_text(
            '[[case]]\nname="checker in"\nagent="checker"\nresource="x"\nexpect="allow"\n'
            '[[case]]\nagent="a"\nresource="x"\nexpect="allow"\nby=["other"]\n'
        )
        told = run(world, "test", str(file))
        assert told.exit_code == 1
        assert told.output.splitlines() == [
            "✕ checker in: expected allow, is deny by no-checker",
            "✕ case 2: expected by other, is by default",
            "0 of 2 as expected",
        ]

    @pytest.mark.parametrize(
        ("text", "line"),
        [
            ("[[case]]\nagent='a'\nresource='x'\nexpect='yes'", "case 1 expect: expected 'allow'"),
            ("[[case]]\nagnet='a'\nresource='x'\nexpect='deny'", "case 1 agent: is missing"),
            ("", "case: is missing"),
            ("[[case]]\n=", "not TOML"),
        ],
    )
    def test_a_mistake_is_told_with_its_place(
        self, world: World, file: Path, text: str, line: str
    ) -> None:
        file.write_text(text)
        told = run(world, "test", str(file))
        assert told.exit_code == 1
        assert told.stderr.startswith(f"{file}: {line}")


class TestTry:
    def test_a_yes_a_no_and_a_doubt(self, world: World) -> None:
        told = run(world, "try", "--agent", "planner", "--resource", CALENDAR)
        assert (told.exit_code, told.output) == (0, "allow: default\n")
        told = run(world, "try", "--agent", "checker", "--resource", CALENDAR)
        assert (told.exit_code, told.output) == (1, "deny: no-checker\n")
        through = ["--agent", "booker", "--chain", "planner,booker", "--resource", CALENDAR]
        told = run(world, "try", *through, "--scope", "calendar:read")
        assert (told.exit_code, told.output) == (1, "step-up: doubt\n")
        told = run(world, "try", *through, "--approved")
        assert told.exit_code == 0
        assert told.output == "step-up: doubt, and the person has approved it\n"

    def test_it_is_of_a_task_and_a_person_that_there_are(self, world: World) -> None:
        world.hold()
        task_id = world.events("delegation.issued")[-1]["task_id"]
        asked = ["try", "--agent", "planner", "--resource", CALENDAR]
        told = run(world, *asked, "--person", "ana", "--task", task_id)
        assert told.exit_code == 0, told.stderr
        assert run(world, *asked, "--task", "x").stderr == "x: there is no such task\n"
        assert run(world, *asked, "--person", "x").stderr == "x: nobody signs in by that name\n"
        assert "has let no agent act" in run(world, *asked, "--person", "eve").stderr

    def test_nothing_is_written(self, world: World) -> None:
        before = world.events()
        run(world, "try", "--agent", "checker", "--resource", CALENDAR)
        assert world.events() == before

    @pytest.mark.parametrize(
        ("args", "line"),
        [
            (["--agent", "nobody"], "nobody: there is no such agent"),
            (["--agent", "planner", "--chain", "planner,booker"], "--chain ends with who asks"),
            (["--agent", "a\x00b"], "there is no such agent"),
        ],
    )
    def test_who_there_is_not(self, world: World, args: list[str], line: str) -> None:
        told = run(world, "try", *args, "--resource", CALENDAR)
        assert told.exit_code == 1
        assert line in told.stderr

"""`deputize demo`: the story as it reads in a terminal, played by a script and by a browser."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import pytest
from playwright.sync_api import Browser, expect

DEMO = (sys.executable, "-m", "deputize_idp", "demo")
PATIENCE = 120  # seconds

STEPS = (
    "1. The server is up, with everyone declared",
    "2. Ana signs in and deputizes planner for a trip",
    "3. planner reads the calendar, with a token for it alone",
    "4. planner hands a narrower authority over to booker, for the flights API",
    "5. booker spawns a throw-away fare-scout and hands on (depth 3)",
    "6. Who acts for whom, and what each token says",
    "7. mallory, another registered agent, shows tokens that it overheard",
    "8. booker has to pay, which takes Ana's own word",
    "9. What Ana approved is for one payment, and for booker alone",
    "10. The trip is booked: planner says so, and Ana has the last word",
    "11. Ana accepts that it is over",
    "12. Every token below is refused at the next call",
    "13. The task leaves a receipt, which the public keys alone check",
    "14. A byte of the trail is changed, in a copy of the database",
)


def environment(folder: Path) -> dict[str, str]:
    """Let all that the demo makes lie in `folder`, which also marks its processes."""
    return os.environ | {"TMPDIR": str(folder), "COLUMNS": "200", "TERM": "dumb"}


def left_behind(folder: Path) -> list[str]:
    """Return what is left of a demo that had `folder`: files, and processes by their command."""
    files = [str(path) for path in folder.iterdir()]
    return files + [" ".join(process.cmdline()) for process in processes_of(folder)]


def processes_of(folder: Path) -> list[psutil.Process]:
    return [p for p in psutil.process_iter() if _is_of(p, folder)]


def _is_of(process: psutil.Process, folder: Path) -> bool:
    try:
        return process.environ().get("TMPDIR") == str(folder)
    except psutil.Error:
        return False


class Telling:
    """A demo that runs, and what it has said so far."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            DEMO,
            env=environment(folder),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.lines: list[str] = []

    def url_after(self, text: str) -> str:
        """Read on until it invites to a page; return the page's URL."""
        while text not in self._line():
            pass
        return self._line().strip()

    def end(self, number: int) -> int:
        """Send a signal; return the exit status."""
        self.process.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        self.lines += self.process.communicate(timeout=PATIENCE)[0].splitlines()
        return self.process.returncode

    def _line(self) -> str:
        assert self.process.stdout
        line = self.process.stdout.readline()
        assert line, "\n".join(self.lines)
        self.lines.append(line.rstrip("\n"))
        return line


@contextmanager
def telling(folder: Path) -> Iterator[Telling]:
    """Start a demo for a person to play; it is gone afterwards, whatever happened."""
    started = Telling(folder)
    try:
        yield started
    finally:
        if started.process.poll() is None:
            started.process.terminate()
            started.process.communicate(timeout=PATIENCE)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("once")


@pytest.fixture(scope="module")
def once(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [*DEMO, "--once"]
    return subprocess.run(
        command,
        env=environment(folder),
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )


def test_it_goes_as_told(once: subprocess.CompletedProcess[str]) -> None:
    assert once.returncode == 0, once.stdout + once.stderr
    assert once.stderr == ""


def test_each_step_is_told_in_order(once: subprocess.CompletedProcess[str]) -> None:
    told = [line for line in once.stdout.splitlines() if line[:1].isdigit()]
    assert told == list(STEPS)


@pytest.mark.parametrize(
    "line",
    [
        "calendar.example: planner acts for Ana: calendar:read",
        "flights.example: booker acts for Ana through planner: flights:search",
        "flights.example: fare-scout acts for Ana through planner and booker: flights:search",
        "pay.example: booker acts for Ana through planner: EUR 400.00 to Airline X",
    ],
)
def test_each_api_says_who_acts_for_whom(once: subprocess.CompletedProcess[str], line: str) -> None:
    assert f"     {line}\n" in once.stdout


def test_the_tree_shows_each_tokens_claims(once: subprocess.CompletedProcess[str]) -> None:
    tree = once.stdout.partition(STEPS[5])[2].partition(STEPS[6])[0]
    scout = tree.partition("fare-scout's token")[2]
    claims = {}
    for line in scout.strip().splitlines():
        name, _, value = line.strip().partition(" ")
        claims[name] = value.strip()
    assert claims == {
        "sub": "Ana",
        "act": "fare-scout { booker { planner } }",
        "aud": "https://flights.example",
        "scope": "flights:search",
        "exp": "in 5 minutes",
    }
    assert "may_act booker" in tree


def test_mallory_is_refused_each_time_by_a_rule_of_the_audit_trail(
    once: subprocess.CompletedProcess[str],
) -> None:
    lines = once.stdout.partition(STEPS[6])[2].partition(STEPS[7])[0].splitlines()
    tries = [line for line in lines if "mallory tries" in line]
    rules = [line.partition("audit trail: ")[2] for line in lines if "audit trail: " in line]
    assert len(tries) == 4
    assert rules == ["subject.not_the_actor"] * 2 + ["subject.may_act"] * 2
    assert [line[-3:] for line in lines if "mallory shows" in line] == ["401"] * 3


def test_paying_takes_anas_word_and_booker_cannot_give_it(
    once: subprocess.CompletedProcess[str],
) -> None:
    told = once.stdout.partition(STEPS[7])[2].partition(STEPS[8])[0].splitlines()
    (tried, asked, pressed, answered, paid) = [line for line in told if line[3:4] in ("●", "✕")]
    assert "audit trail: scope.needs_approval" in "".join(told)
    assert "✕ booker tries to narrow its hold to pay:transfer" in tried
    assert "● booker asks Ana for EUR 420.00 to Airline X: “TP1234 on 3 December" in asked
    assert "✕ booker presses yes for itself" in pressed
    assert "● Ana said yes to EUR 400.00 to Airline X" in answered
    assert "● booker shows payment token → 200" in paid


def test_what_was_approved_is_one_payment_of_bookers(
    once: subprocess.CompletedProcess[str],
) -> None:
    told = once.stdout.partition(STEPS[8])[2].partition(STEPS[9])[0]
    rules = [line.partition("audit trail: ")[2] for line in told.splitlines() if "trail" in line]
    assert rules == ["subject.not_ours", "target.beyond_delegation", "subject.not_ours"]
    assert "✕ booker shows payment token → 401" in told
    assert "●" not in told


def test_nothing_is_good_while_ana_has_not_accepted_the_end(
    once: subprocess.CompletedProcess[str],
) -> None:
    told = once.stdout.partition(STEPS[9])[2].partition(STEPS[10])[0]
    assert "● planner says “completed”, and waits for Ana" in told
    assert told.count("The task waits for its person to accept its end.") == 2
    assert told.count("audit trail: task.proposed") == 2
    assert "✕ booker shows flights token → 401" in told
    assert "● the task has ended" in once.stdout.partition(STEPS[10])[2].partition(STEPS[11])[0]


def test_every_token_is_refused_in_the_end(once: subprocess.CompletedProcess[str]) -> None:
    end = once.stdout.partition(STEPS[11])[2].partition(STEPS[12])[0]
    assert end.count("→ 401") == 3
    assert "→ 200" not in end
    assert end.count("audit trail: delegation.ended") == 3
    assert end.count("○") == end.count("  refused\n") == 8
    assert "●" not in end


def test_what_is_left_proves_itself(once: subprocess.CompletedProcess[str]) -> None:
    receipt, _, changed = once.stdout.partition(STEPS[12])[2].partition(STEPS[13])
    assert "● good: task" in receipt
    assert "of planner, completed" in receipt
    assert "✕ deputize audit verify: edited: seal" in changed


def test_no_token_is_shown(once: subprocess.CompletedProcess[str]) -> None:
    assert "eyJ" not in once.stdout


def test_nothing_is_left_behind(once: subprocess.CompletedProcess[str], folder: Path) -> None:
    assert once.stdout
    assert left_behind(folder) == []


def test_a_person_plays_it_in_a_browser(chromium: Browser, tmp_path: Path) -> None:
    with telling(tmp_path) as story:
        page = chromium.new_context().new_page()
        page.goto(story.url_after("and decide:"))
        page.get_by_label("User name").fill("ana")
        page.get_by_label("Password").fill("correct horse battery")
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("button", name="Let planner act").click()
        expect(page.get_by_text("planner can act for you now")).to_be_visible()

        page.goto(story.url_after("Decide in your inbox"))
        expect(page.get_by_role("heading", name="Pay €420.00 to Airline X")).to_be_visible()
        page.get_by_label("Amount").fill("99.90")
        page.get_by_role("button", name="Approve").click()

        page.goto(story.url_after("planner says that it is done"))
        page.get_by_role("link", name="Is it over?").click()
        page.get_by_role("button", name="Accept: it is over").click()

        page.goto(story.url_after("The server stays up"))
        expect(page.get_by_text("No agent acts for you right now.")).to_be_visible()
        expect(page.get_by_text("A task of planner")).to_be_visible()
        assert story.end(signal.SIGINT) == 0
    assert [line for line in story.lines if line[:1].isdigit()] == list(STEPS)
    paid = "pay.example: booker acts for Ana through planner: EUR 99.90 to Airline X"
    assert paid in [line.strip() for line in story.lines]
    assert left_behind(tmp_path) == []


def test_a_person_who_pays_nothing_ends_it(chromium: Browser, tmp_path: Path) -> None:
    with telling(tmp_path) as story:
        page = chromium.new_context().new_page()
        page.goto(story.url_after("and decide:"))
        page.get_by_label("User name").fill("ana")
        page.get_by_label("Password").fill("correct horse battery")
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("button", name="Let planner act").click()
        page.goto(story.url_after("Decide in your inbox"))
        page.get_by_role("button", name="Deny", exact=True).click()
        assert story.wait() == 1
    assert story.lines[-1].startswith("✕ Not as told: booker: answered: access_denied")
    assert left_behind(tmp_path) == []


def test_a_person_who_lets_planner_go_on_ends_it(chromium: Browser, tmp_path: Path) -> None:
    with telling(tmp_path) as story:
        page = chromium.new_context().new_page()
        page.goto(story.url_after("and decide:"))
        page.get_by_label("User name").fill("ana")
        page.get_by_label("Password").fill("correct horse battery")
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("button", name="Let planner act").click()
        page.goto(story.url_after("Decide in your inbox"))
        page.get_by_role("button", name="Approve").click()
        page.goto(story.url_after("planner says that it is done"))
        page.get_by_role("link", name="Is it over?").click()
        page.get_by_role("button", name="Not yet: let it go on").click()
        assert story.wait() == 1
    assert story.lines[-1] == "✕ Not as told: Ana let planner go on"
    assert left_behind(tmp_path) == []


def test_a_person_who_says_no_ends_it(chromium: Browser, tmp_path: Path) -> None:
    with telling(tmp_path) as story:
        page = chromium.new_context().new_page()
        page.goto(story.url_after("and decide:"))
        page.get_by_label("User name").fill("ana")
        page.get_by_label("Password").fill("correct horse battery")
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("button", name="Not now").click()
        expect(page.get_by_text("Nothing was granted.")).to_be_visible()
        assert story.wait() == 1
    assert story.lines[-1].startswith("✕ Not as told: planner: redeem: access_denied")
    assert left_behind(tmp_path) == []


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGTERM, 128 + signal.SIGTERM), (signal.SIGINT, 1)]
)
def test_a_signal_in_the_middle_leaves_nothing_behind(
    tmp_path: Path, number: signal.Signals, status: int
) -> None:
    with telling(tmp_path) as story:
        url = story.url_after("and decide:")
        assert len(processes_of(tmp_path)) > 6
        assert story.end(number) == status
    assert left_behind(tmp_path) == []
    with pytest.raises(httpx.ConnectError):
        httpx.get(url, trust_env=False)

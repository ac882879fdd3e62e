"""Lines for a terminal: their width, what hangs below what, and what is told of a step."""

from __future__ import annotations

from dataclasses import replace

import pytest

from verify.cli import main
from verify.record import RunRecord
from verify.report.text import columns, explanation


def _lines(run: RunRecord, width: int) -> list[str]:
    return [line.text for line in explanation(run.claims[0], run.evidence, width)]


def test_words_hang_below_words() -> None:
    """The second column is wrapped below itself."""
    assert [line.text for line in columns([("id", "one two three four five six seven")], 24)] == [
        "id  one two three four",
        "    five six seven",
    ]


def test_words_without_room_stand_below_the_name() -> None:
    """In a narrow terminal a long name has a line of its own."""
    assert [line.text for line in columns([("a-very-long-name", "one two three four five")], 24)] == [
        "a-very-long-name",
        "    one two three four",
        "    five",
    ]


@pytest.mark.parametrize("command", [["list"], ["explain", "compression-without-kl"]], ids=" ".join)
def test_the_width_that_is_asked_for_is_kept(
    command: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """COLUMNS decides, also without a terminal."""
    monkeypatch.setenv("COLUMNS", "60")
    main(command)
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 60


def test_without_a_width_no_line_is_broken(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What goes to a file has one line for each claim."""
    monkeypatch.delenv("COLUMNS", raising=False)
    main(["list"])
    assert "The KL divergence from the one-hot distribution at y to q is" in capsys.readouterr().out


@pytest.mark.parametrize(("relation", "sign"), [("<", "positive"), (r"\\le", "not negative")])
def test_the_gap_of_an_inequality_is_shown(sample_run: RunRecord, relation: str, sign: str) -> None:
    """As on the page: what right minus left is, and why the inequality holds."""
    claim = sample_run.claims[0]
    step = replace(claim.parts[0].steps[1], relation=relation, gap_text="p[1] q[1]")
    claim = replace(claim, parts=(replace(claim.parts[0], steps=(step,)),))
    lines = _lines(replace(sample_run, claims=(claim,)), 100)
    assert f"      right minus left, which is {sign}: p[1] q[1]" in lines


def test_one_of_a_kind_is_not_in_the_plural(sample_run: RunRecord) -> None:
    """One check, one input."""
    one = replace(sample_run, evidence=(replace(sample_run.evidence[0], inputs=1),))
    assert "Measured: 1 check, 1 input" in _lines(one, 100)

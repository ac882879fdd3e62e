"""Lines for a terminal: their width, what hangs below what, and what is told of a step."""

from __future__ import annotations

from dataclasses import replace

import pytest

from verify.cli import main
from verify.record import RunRecord
from verify.report.notation import notation
from verify.report.text import columns, explanation, findings, summary


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


def test_the_part_of_a_check_is_named_where_there_are_several(sample_run: RunRecord) -> None:
    """Two checks of one implementation are told apart."""
    check = sample_run.evidence[0]
    run = replace(sample_run, evidence=(check, replace(check, part="other", side="gradient")))
    assert any("F.nll_loss (other, gradient), float32 on cpu" in line for line in _lines(run, 200))


@pytest.mark.parametrize(("relation", "sign"), [("<", "positive"), (r"\\le", "not negative")])
def test_the_gap_of_an_inequality_is_shown(sample_run: RunRecord, relation: str, sign: str) -> None:
    """As on the page: what right minus left is, and why the inequality holds."""
    claim = sample_run.claims[0]
    step = replace(claim.parts[0].steps[1], relation=relation, gap_text="p[1] q[1]")
    claim = replace(claim, parts=(replace(claim.parts[0], steps=(step,)),))
    lines = _lines(replace(sample_run, claims=(claim,)), 100)
    assert f"      right minus left, which is {sign}: p₁ q₁" in lines


def test_one_of_a_kind_is_not_in_the_plural(sample_run: RunRecord) -> None:
    """One check, one input."""
    one = replace(sample_run, evidence=(replace(sample_run.evidence[0], inputs=1),))
    assert "Measured: 1 check, 1 input" in _lines(one, 100)


@pytest.mark.parametrize(
    ("plain", "shown"),
    [
        ("sum_{i=1..n} p[i] <= 1", "∑ᵢ₌₁ⁿ pᵢ ≤ 1"),
        ("prod_{i=1..N} 2^(-n b)", "∏ᵢ₌₁ᴺ 2⁻ⁿ ᵇ"),
        ("sum_{i=1..Q} x", "∑_{i=1..Q} x"),
        ("g[y] + g[1]", "g[y] + g₁"),
        ("softmax(g)[i] != f[i,j]", "softmax(g)[i] ≠ f[i,j]"),
        ("[i = y] (x + 1)^2 / 2^q", "[i = y] (x + 1)² / 2^q"),
        ("2 pi and `p[i] <= pi`, spin[i]", "2 π and `p[i] <= pi`, spin[i]"),
        ("sum_{i=1..2} sum_{j=1..m} r[j]", "∑ᵢ₌₁² ∑ⱼ₌₁ᵐ rⱼ"),
    ],
)
def test_formulas_are_set_in_the_characters_of_mathematics(plain: str, shown: str) -> None:
    """Where there are some; the rest stays readable as it was."""
    assert notation(plain) == shown


def test_a_finding_takes_two_lines_where_one_is_too_long(sample_run: RunRecord) -> None:
    """What it is, and below it how wrong."""
    assert len(list(findings(sample_run, 200))) == 1
    first, second = findings(sample_run, 80)
    assert first.text == "refuted: F.cross_entropy in float32 on cpu"
    assert second.text.strip().startswith("kl-one-hot: up to")


def test_a_run_ends_with_a_table_of_what_became_of_everything(sample_run: RunRecord) -> None:
    """Each count with its words; what is none is left out."""
    lines = [" ".join(line.text.split()) for line in summary(sample_run, 80)]
    assert lines == [
        "claims 1 proved",
        "1 false as worded, proved as corrected",
        "numeric checks 1 passed",
        "1 refuted",
        "not run numeric checks on cuda: no CUDA device",
    ]


def test_the_table_keeps_its_width(sample_run: RunRecord) -> None:
    """A long reason is cut; the page has it whole."""
    entry = replace(sample_run.not_run[0], why="because " * 40)
    lines = [line.text for line in summary(replace(sample_run, not_run=(entry,)), 70)]
    assert (max(map(len, lines)), lines[-1][-1]) == (70, "…")

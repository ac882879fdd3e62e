"""What a run amounts to: its sentence, its headline, what is established, and the order of its findings."""

from __future__ import annotations

from dataclasses import replace
from math import inf

from verify.record import NotRun, RunRecord
from verify.report.html import page
from verify.report.shape import grouped, standing
from verify.report.summary import established, gathered, summarise
from verify.report.text import verdicts
from verify.verdict import Counterexample

EXAMPLE = Counterexample((("g", "(1, 0)"),), "0.3", "0.5", 5.5, 4.0)


def test_the_sentence_counts_everything(sample_run: RunRecord) -> None:
    """The one sentence has claims, checks and what was not run."""
    assert summarise(sample_run).sentence == (
        "2 claims: 1 proved, 1 refuted as worded and proved as corrected; "
        "2 numeric checks: 1 passed, 1 refuted; not run: numeric checks on cuda (no CUDA device)."
    )


def test_the_headline_tells_what_was_established_and_what_was_found(sample_run: RunRecord) -> None:
    """In one line, whatever the run had."""
    open_claim = replace(sample_run.claims[0], status="unknown")
    passed = sample_run.evidence[:1]
    shown = {
        "2 claims established, 1\N{NO-BREAK SPACE}implementation beyond the bound": sample_run,
        "2 claims established, no measured error beyond its bound": replace(sample_run, evidence=passed),
        "2 claims established, nothing measured": replace(sample_run, evidence=()),
        "0 of 1 claim established, nothing measured": replace(sample_run, claims=(open_claim,), evidence=()),
        "No claim was judged": replace(sample_run, claims=()),
    }
    for words, run in shown.items():
        assert f"<h1>{words}</h1>" in page(run)


def test_what_was_not_run_in_several_dtypes_is_one_entry() -> None:
    """And what nobody can run comes after what somebody could."""
    refused = [
        NotRun(f"f in {dtype}", "not applicable to any input", "x") for dtype in ("float16", "float32")
    ]
    absent = NotRun("checks on cuda", "no device", "y")
    told = [entry.what for entry in gathered([*refused, absent, NotRun("f in float16", "other", "x")])]
    assert told == ["checks on cuda", "f in float16", "f in float16, float32"]


def test_a_run_without_claims_says_none(sample_run: RunRecord) -> None:
    """Nothing checked is not reported as something passed."""
    empty = replace(sample_run, claims=(), evidence=(), not_run=())
    assert summarise(empty).sentence == "0 claims: none; 0 numeric checks: none; nothing left out."


def test_a_refuted_claim_without_correction_is_not_established(sample_run: RunRecord) -> None:
    """Only a proved correction makes a refutation a result."""
    assert established(sample_run.claims[1])
    assert not established(replace(sample_run.claims[1], corrected=None))


def test_a_wording_that_is_false_is_headed_as_refuted(sample_run: RunRecord) -> None:
    """Where there is no correction, and where no correction was asked for."""
    alone = replace(sample_run.claims[1], corrected=None)
    assert standing(alone) == "refuted as worded, no correction established"
    assert standing(replace(alone, literal=None)) == "refuted"


def test_a_false_wording_without_correction_has_its_witness(sample_run: RunRecord) -> None:
    """In the lines of a terminal, too."""
    alone = replace(sample_run.claims[1], corrected=None)
    assert alone.literal is not None
    lines = [line.text.strip() for line in verdicts([alone])]
    assert f"{alone.literal.id}: refuted at {alone.witness}" in lines


def test_a_claim_with_an_unproved_part_is_not_established(sample_run: RunRecord) -> None:
    """The status of a claim does not hide the status of its parts."""
    claim = sample_run.claims[0]
    assert not established(replace(claim, parts=(replace(claim.parts[0], status="unknown"),)))


def test_findings_come_worst_first(sample_run: RunRecord) -> None:
    """The largest error relative to its bound is at the top, one without a number above all."""
    found = sample_run.evidence[1]
    milder = replace(found, implementation="milder", worst_ratio=2.0)
    nameless = replace(found, implementation="nameless", worst_ratio=None)
    order = [finding.worst.implementation for finding in grouped((milder, found, nameless))]
    assert order == ["nameless", "F.cross_entropy", "milder"]


def test_findings_about_zero_come_last(sample_run: RunRecord) -> None:
    """Infinite results first, then finite ones by their share of the bound, then those that should be 0."""
    found = replace(sample_run.evidence[1], counterexample=EXAMPLE)
    zero = replace(found, implementation="zero", worst_ulp=1e38, worst_ratio=inf)
    zero = replace(zero, counterexample=replace(EXAMPLE, exact="0"))
    worst_at_zero = replace(zero, implementation="worst at 0", counterexample=EXAMPLE, worst_ulp=1e37)
    worst_at_zero = replace(worst_at_zero, worst_case=replace(EXAMPLE, exact="0"))
    endless = replace(found, implementation="endless", worst_ulp=inf, worst_ratio=inf)
    order = [finding.worst.implementation for finding in grouped((worst_at_zero, zero, found, endless))]
    assert order == ["endless", "F.cross_entropy", "zero", "worst at 0"]

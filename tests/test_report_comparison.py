"""Two runs against each other: what is new, fixed, moved or gone, where it is shown, and the exit code."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from verify.cli import main
from verify.record import EvidenceRecord, RunRecord, SweepRecord
from verify.report.comparison import compare
from verify.report.html import page
from verify.report.markdown import markdown
from verify.report.model import encode, save
from verify.report.text import changes
from verify.verdict import Status

SWEEP = SweepRecord("sigmoid", "x", "value", "float16", "cpu", Status.PASSED, 65536, worst_ratio=0.5)


def _kinds(run: RunRecord, old: RunRecord) -> list[tuple[str, str]]:
    return [(change.kind, change.claim) for change in compare(run, old).changes]


def _with_check(run: RunRecord, **changed: object) -> RunRecord:
    """The run with its first check, which passes at 1/4 of its bound, changed."""
    check: EvidenceRecord = replace(run.evidence[0], **changed)  # type: ignore[arg-type]
    return replace(run, evidence=(check, *run.evidence[1:]))


def test_a_gradient_is_named_by_its_tensor(sample_run: RunRecord) -> None:
    """The gradients of one function in two tensors are different checks."""
    new = _with_check(sample_run, side="gradient of target", status=Status.REFUTED)
    (change,) = (one for one in compare(new, sample_run).changes if one.kind == "new")
    assert change.what == "F.nll_loss in float32 on cpu, gradient of target of main"


def test_a_run_has_not_changed_against_itself(sample_run: RunRecord) -> None:
    """Nothing is listed, and the sentence says so."""
    found = compare(sample_run, sample_run)
    assert (found.changes, found.facts, found.worse) == ((), (), False)
    assert found.sentence == "Against the run of 2026-01-02T03:04:05Z: no change."


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        ({}, {"status": Status.REFUTED}, "new"),
        ({"status": Status.UNKNOWN}, {"status": Status.REFUTED}, "new"),
        ({"status": Status.REFUTED}, {}, "fixed"),
        ({"status": Status.REFUTED}, {"status": Status.UNKNOWN}, "moved"),
        ({}, {"status": Status.UNKNOWN}, "moved"),
        ({}, {"worst_ratio": 0.51}, "moved"),
        ({"worst_ratio": 0.51}, {}, "moved"),
        ({"worst_ratio": 0.0}, {}, "moved"),
        ({}, {"worst_ratio": float("inf")}, "moved"),
        ({}, {"worst_ratio": float("nan")}, "moved"),
    ],
)
def test_what_became_of_a_check(
    sample_run: RunRecord, before: dict[str, object], after: dict[str, object], kind: str
) -> None:
    """A check that is refuted since, that holds again, whose status or size is another one."""
    old, new = _with_check(sample_run, **before), _with_check(sample_run, **after)
    assert _kinds(new, old) == [(kind, "kl-one-hot")]


@pytest.mark.parametrize("ratio", [0.125, 0.2, 0.5])
def test_a_change_within_the_factor_is_none(sample_run: RunRecord, ratio: float) -> None:
    """At most twice, and at least half, of what it was is no news."""
    assert _kinds(_with_check(sample_run, worst_ratio=ratio), sample_run) == []


def test_a_finding_that_was_not_run_again_is_not_fixed(sample_run: RunRecord) -> None:
    """It is gone, and nothing is known of it."""
    assert _kinds(replace(sample_run, evidence=()), sample_run) == [("gone", "kl-one-hot")]
    assert _kinds(sample_run, replace(sample_run, evidence=())) == [("new", "kl-one-hot")]


def test_a_sweep_is_compared(sample_run: RunRecord) -> None:
    """What torch does on every input is a finding too."""
    old, new = (
        replace(sample_run, sweeps=(replace(SWEEP, status=s),)) for s in (Status.PASSED, Status.REFUTED)
    )
    assert _kinds(new, old) == [("new", "every input")]


def test_claims_come_and_go(sample_run: RunRecord) -> None:
    """By their permanent names."""
    fewer = replace(sample_run, claims=sample_run.claims[:1])
    assert _kinds(sample_run, fewer) == [("added", "bits-per-word")]
    assert _kinds(fewer, sample_run) == [("removed", "bits-per-word")]


def test_a_claim_that_is_not_established_any_more_is_broken(sample_run: RunRecord) -> None:
    """And fixed the other way round."""
    claims = (replace(sample_run.claims[0], status="unknown"), sample_run.claims[1])
    broken = replace(sample_run, claims=claims)
    assert _kinds(broken, sample_run) == [("broken", "kl-one-hot")]
    assert _kinds(sample_run, broken) == [("fixed", "kl-one-hot")]


def test_a_claim_with_another_statement_has_moved(sample_run: RunRecord) -> None:
    """The same name and status do not make it the same claim, in a corrected form either."""
    claim = sample_run.claims[1]
    assert claim.corrected is not None
    part = replace(claim.corrected.parts[0], fingerprint="other")
    claim = replace(claim, corrected=replace(claim.corrected, parts=(part,)))
    other = replace(sample_run, claims=(sample_run.claims[0], claim))
    (change,) = compare(other, sample_run).changes
    assert (change.kind, change.claim) == ("moved", "bits-per-word")
    assert change.after.endswith(", another statement")


def test_the_worst_kind_comes_first(sample_run: RunRecord) -> None:
    """Broken claims, then new findings, then the rest."""
    claims = (replace(sample_run.claims[0], status="unknown"),)
    new = replace(_with_check(sample_run, status=Status.REFUTED), claims=claims)
    assert [kind for kind, _ in _kinds(new, sample_run)] == ["broken", "new", "removed"]


def test_versions_that_differ_are_told(sample_run: RunRecord) -> None:
    """A reader sees first that torch is another one."""
    newer = replace(sample_run, provenance=(*sample_run.provenance[:1], ("torch", "2.14.0")), seed=8)
    assert set(compare(newer, sample_run).facts) == {
        ("torch", "2.13.0", "2.14.0"),
        ("python", "CPython 3.11.7", "absent"),
        ("seed", "7", "8"),
    }


def test_every_view_shows_the_changes(sample_run: RunRecord) -> None:
    """The terminal, the Markdown and the page, with what was before and what is now."""
    found = compare(_with_check(sample_run, status=Status.REFUTED, worst_ratio=3.0), sample_run)
    lines = "\n".join(line.text for line in changes(found))
    for view in (lines, markdown(sample_run, found), page(sample_run, found)):
        assert "passed, 0.25 × its bound" in view
        assert "refuted, 3 × its bound" in view
        assert found.sentence in view


def test_many_changes_are_capped(sample_run: RunRecord) -> None:
    """No view drowns in them, and each says how many more there are."""
    many = [replace(sample_run.evidence[1], implementation=f"f{n}") for n in range(500)]
    found = compare(replace(sample_run, evidence=tuple(many)), replace(sample_run, evidence=()))
    assert "new: and 488 more on the page" in [line.text for line in changes(found)]
    assert "and 492 more on the page." in markdown(sample_run, found)
    assert "and 400 more; " in page(sample_run, found)


def test_what_an_old_report_says_is_escaped(sample_run: RunRecord) -> None:
    """Its text adds no element to the page."""
    old = replace(sample_run, claims=(replace(sample_run.claims[0], id="<img src=x>"),), created="<b>")
    text = page(sample_run, compare(sample_run, old))
    assert "<img" not in text
    assert "<b>" not in text


def _report(folder: Path, new: RunRecord, old: bytes, *arguments: str) -> int:
    save(new, folder / "new.json")
    (folder / "old.json").write_bytes(old)
    compared = ["--compare", str(folder / "old.json"), *arguments]
    return main(["report", str(folder / "new.json"), "--output", str(folder / "out"), *compared])


@pytest.mark.parametrize(
    ("status", "before", "code"),
    [(Status.PASSED, Status.REFUTED, 0), (Status.REFUTED, Status.PASSED, 1)],
)
def test_the_exit_code_says_whether_something_got_worse(
    sample_run: RunRecord, tmp_path: Path, status: Status, before: Status, code: int
) -> None:
    """0 where findings are fixed, 1 where there is a new one."""
    old, new = (_with_check(sample_run, status=one) for one in (before, status))
    assert _report(tmp_path, new, encode(old)) == code


def test_the_changes_are_in_the_json(
    sample_run: RunRecord, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A program reads the same that a person does."""
    old = encode(_with_check(sample_run, status=Status.REFUTED))
    assert _report(tmp_path, sample_run, old, "--json") == 0
    (change,) = json.loads(capsys.readouterr().out)["comparison"]["changes"]
    assert (change["kind"], change["after"]) == ("fixed", "passed, 0.25 × its bound")


@pytest.mark.parametrize(
    ("old", "complaint"),
    [
        (b"{", "not JSON"),
        (b"{}", "JSON without format_version"),
        (b'{"format_version": 99}', "format_version 99, but this release reads 1"),
    ],
)
def test_an_old_file_that_is_no_report_is_refused(
    sample_run: RunRecord, tmp_path: Path, old: bytes, complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """In one line with its name, and before anything is written."""
    assert _report(tmp_path, sample_run, old) == 2
    assert f"old.json: {complaint}" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()

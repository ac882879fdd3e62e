"""JUnit XML of a run: what is a failure, what is skipped, and that any text survives in it."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path
from xml.etree.ElementTree import Element

import pytest

from verify.cli import main
from verify.record import NotRun, RunRecord, SweepRecord
from verify.report.junit import junit
from verify.report.model import save
from verify.verdict import Status

SWEEP = SweepRecord(
    "sigmoid",
    "x",
    "value",
    "float16",
    "cpu",
    Status.REFUTED,
    65536,
    refuted=3,
    worst_ulp=9.0,
    worst_input="-5",
)


def _cases(run: RunRecord, *, findings_fail: bool = False) -> list[Element]:
    return list(ElementTree.fromstring(junit(run, findings_fail=findings_fail)).iter("testcase"))


def _outcomes(run: RunRecord, *, findings_fail: bool = False) -> list[str]:
    """Outcome and type of each case, in order."""
    return [
        " ".join((told.tag, told.get("type", ""))) if (told := _told(case)) is not None else "passed"
        for case in _cases(run, findings_fail=findings_fail)
    ]


def _told(case: Element) -> Element | None:
    return next((child for child in case if child.tag != "properties"), None)


def test_everything_that_was_looked_at_is_a_case(sample_run: RunRecord) -> None:
    """Claims, numeric checks, sweeps and what was not run, in suites of their own."""
    root = ElementTree.fromstring(junit(replace(sample_run, sweeps=(SWEEP,))))
    suites = {suite.get("name"): len(suite.findall("testcase")) for suite in root.findall("testsuite")}
    assert suites == {"claims": 2, "numeric checks": 2, "every input": 1, "not run": 1}


def test_a_finding_is_skipped_and_says_so(sample_run: RunRecord) -> None:
    """A defect of torch does not fail the run, as with the exit code of `run`; nor does it pass."""
    run = replace(sample_run, sweeps=(SWEEP,))
    finding = "skipped finding"
    assert _outcomes(run) == ["passed", "passed", "passed", finding, finding, "skipped not run"]


def test_a_refuted_gradient_has_its_witness(sample_run: RunRecord) -> None:
    """It can be replayed from the log of a service."""
    found = replace(sample_run.evidence[1], witness="lossproof1:x")
    told = _told(_cases(replace(sample_run, evidence=(found,)))[2])
    assert told is not None
    assert "witness: lossproof1:x" in (told.text or "")


def test_findings_fail_where_that_is_asked_for(sample_run: RunRecord) -> None:
    """As the exit code does with `--fail-on finding`."""
    assert _outcomes(sample_run, findings_fail=True)[3] == "failure finding"


def test_a_claim_that_is_not_established_fails(sample_run: RunRecord) -> None:
    """With the statements that are not proved, and why."""
    claim = sample_run.claims[0]
    part = replace(claim.parts[0], status="unknown", reason="step 2 does not follow")
    run = replace(sample_run, claims=(replace(claim, status="unknown", parts=(part,)),))
    told = _told(_cases(run)[0])
    assert told is not None
    assert (told.tag, told.text) == ("failure", "main: unknown: step 2 does not follow")


def test_the_correction_that_fails_is_named(sample_run: RunRecord) -> None:
    """A claim refuted as worded whose corrected form is not proved says which part of that it is."""
    claim = sample_run.claims[1]
    assert claim.corrected is not None
    part = replace(claim.corrected.parts[0], status="unknown", reason="no derivation is given")
    claim = replace(claim, corrected=replace(claim.corrected, parts=(part,)))
    told = _told(_cases(replace(sample_run, claims=(claim,)))[0])
    assert told is not None
    assert told.text == "geometric: unknown: no derivation is given"


def test_what_is_undecided_is_skipped_with_its_reason(sample_run: RunRecord) -> None:
    """Undecided is not passed."""
    check = replace(sample_run.evidence[0], status=Status.UNKNOWN, reason="enclosure too wide")
    told = _told(_cases(replace(sample_run, evidence=(check,)))[2])
    assert told is not None
    assert told.attrib == {"type": "undecided", "message": "enclosure too wide"}


def test_what_was_not_run_says_why_and_how_it_can_be(sample_run: RunRecord) -> None:
    """Both in the message."""
    told = _told(_cases(sample_run)[-1])
    assert told is not None
    assert told.get("message") == "no CUDA device; run on a machine with one, then merge the reports"


def test_a_finding_carries_its_input_and_reproducer(sample_run: RunRecord) -> None:
    """Whoever sees it in a log can go on from there."""
    told = _told(_cases(sample_run)[3])
    assert told is not None
    for shown in (
        "g = (19.4375, 0)",
        "exact 3.6176",
        "returned 0.0",
        "print(torch.zeros(1))",
        "tensor([0.])",
    ):
        assert shown in (told.text or "")


def test_the_counts_are_those_of_the_cases(sample_run: RunRecord) -> None:
    """Of each suite and of all."""
    root = ElementTree.fromstring(junit(sample_run))
    for element in (root, *root.findall("testsuite")):
        cases = list(element.iter("testcase"))
        for tag, plural in (("failure", "failures"), ("skipped", "skipped")):
            assert int(element.get(plural, "")) == len([c for c in cases if c.find(tag) is not None])
        assert int(element.get("tests", "")) == len(cases)


@pytest.mark.parametrize("text", ["<a b='c'>&\"]]>", "nul \0 escape \x1b[2J", "\ud800 \ufffe", "a\nb\tc"])
def test_any_text_can_be_parsed(sample_run: RunRecord, text: str) -> None:
    """Markup is text again when it is read; what XML cannot hold is replaced."""
    check = replace(
        sample_run.evidence[1], implementation=text, reproducer=text, reproduced=text, reason=text
    )
    claim = replace(sample_run.claims[0], id=text, section=text)
    run = replace(sample_run, claims=(claim,), evidence=(check,), not_run=(NotRun(text, text, text),))
    readable = text.translate(dict.fromkeys((0, 0x1B, 0xD800, 0xFFFE), "\N{REPLACEMENT CHARACTER}"))
    assert _cases(run)[0].get("name") == readable


def test_the_same_run_gives_the_same_bytes(sample_run: RunRecord) -> None:
    """The time is that of the run."""
    assert junit(sample_run) == junit(sample_run)
    assert b'timestamp="2026-01-02T03:04:05"' in junit(sample_run)


def test_it_lies_beside_the_page(sample_run: RunRecord, tmp_path: Path) -> None:
    """`report` writes it."""
    save(sample_run, tmp_path / "mine.json")
    main(["report", str(tmp_path / "mine.json"), "--output", str(tmp_path / "out")])
    assert (tmp_path / "out" / "junit.xml").read_bytes() == junit(sample_run)


def test_a_long_suite_keeps_what_has_to_be_seen(sample_run: RunRecord) -> None:
    """Of the checks that passed some are left out, none of the others, and the suite says how many."""
    check, found = sample_run.evidence
    many = tuple(replace(check, implementation=f"f{place}") for place in range(6000))
    root = ElementTree.fromstring(junit(replace(sample_run, evidence=(*many, found))))
    (suite,) = (one for one in root if one.get("name") == "numeric checks")
    names = [case.get("name", "") for case in suite.iter("testcase")]
    assert (suite.get("tests"), len(names)) == ("5000", 5000)
    assert "F.cross_entropy" in names[-1]
    told = {one.get("name"): one.get("value") for one in suite.iter("property")}
    assert told["left out"] == "1001, see report.json"

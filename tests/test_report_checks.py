"""Checks of functions: files of them become a report, alone or merged with a run; other files are refused."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from verify.cli import main
from verify.errors import ReportFormatError
from verify.record import CheckRecord, ExpectedRecord, RunRecord
from verify.report.comparison import compare
from verify.report.model import decode, encode, load, merge
from verify.results import Results, plain
from verify.verdict import Counterexample, Status, Verdict

CASE = Counterexample(
    (("input", "[0x1p+7]"), ("options", "contiguous tensors")), "128.0", "inf", math.inf, 4.0
)
REFUTED = Verdict(
    "losses.mine as softmax: value in float32 on cpu",
    Status.REFUTED,
    "element 0 is not a number",
    "searched",
    20,
    worst_ulp=math.inf,
    worst_ratio=math.inf,
    level="stable",
    grade="unstable",
    counterexample=CASE,
    reproducer="import torch\n",
    witness="lossproof1:softmax:value:float32:cpu:losses:mine:eNp:0",
)
KNOWN = {"reason": "overflows", "witness": REFUTED.witness, "expires": "2027-06-30", "strict": True}


def _entry(outcome: str, verdict: Verdict | None = REFUTED, **more: Any) -> dict[str, Any]:
    told = {"id": "tests/test_it.py::test_it[mine]", "outcome": outcome, "reason": ""}
    return {**told, "verdict": None if verdict is None else plain(verdict), **more}


def _session(*entries: dict[str, Any], **more: Any) -> bytes:
    return json.dumps({"status": "refuted", "checks": entries, **more}).encode()


def _read(*entries: dict[str, Any], **more: Any) -> RunRecord:
    return decode(_session(*entries, **more), "checks.json")


def test_a_check_keeps_what_was_found() -> None:
    """Its subject is split into what it is made of; the verdict is kept, an infinite error included."""
    (check,) = _read(_entry("refuted")).checks
    assert check == CheckRecord(
        "losses.mine",
        "softmax",
        "value",
        "float32",
        "cpu",
        "refuted",
        Status.REFUTED,
        id="tests/test_it.py::test_it[mine]",
        coverage="searched",
        inputs=20,
        worst_ulp=math.inf,
        worst_ratio=math.inf,
        grade="unstable",
        counterexample=CASE,
        reproducer="import torch\n",
        witness=REFUTED.witness,
    )


def test_an_expected_failure_keeps_its_reason_witness_and_expiry() -> None:
    """Beside what was found of it."""
    (check,) = _read(_entry("expected", expected=KNOWN)).checks
    assert (check.expected, check.status) == (
        ExpectedRecord("overflows", str(REFUTED.witness), "2027-06-30"),
        Status.REFUTED,
    )


@pytest.mark.parametrize(
    ("subject", "parts"),
    [
        ("f as g as softmax: side effects in float32 on cuda", ("f as g", "softmax", "side effects")),
        (
            "m.f as softmax: value of every input, first in float16 on cpu",
            ("m.f", "softmax", "value of every input, first"),
        ),
        ("something else", ("something else", "", "")),
        ("", ("tests/test_it.py::test_it[mine]", "", "")),
    ],
)
def test_a_subject_is_split_or_kept_whole(subject: str, parts: tuple[str, str, str]) -> None:
    """Whatever the name of the function is; what was not run has no other name than its subject or its id."""
    (check,) = _read(_entry("not run", None, subject=subject)).checks
    assert (check.candidate, check.operation, check.property) == parts


def test_verdicts_of_the_command_line_are_read() -> None:
    """`check --json`, and what `Results.to_json` gives: each verdict comes to what it says itself."""
    verdicts = (
        REFUTED,
        replace(REFUTED, status=Status.PASSED),
        replace(REFUTED, status=Status.UNKNOWN),
        replace(REFUTED, status=Status.UNKNOWN, applicable=False),
        Verdict(REFUTED.subject, Status.UNKNOWN, "not run: device 'cuda' is not present; present: cpu"),
    )
    run = decode(Results(verdicts).to_json().encode(), "checks.json")
    outcomes = [check.outcome for check in run.checks]
    assert outcomes == ["refuted", "held", "unknown", "not applicable", "not run"]


def test_the_verdict_of_a_sweep_is_read() -> None:
    """`sweep --json` is one verdict with more beside it."""
    subject = "losses.mine as sigmoid: value of every input of x in float16 on cpu"
    verdict = replace(REFUTED, subject=subject, coverage="exhaustive", inputs=65536)
    told = {**plain(verdict), "head": {"torch": "2"}, "regression": None}
    (check,) = decode(json.dumps(told).encode(), "sweep.json").checks
    assert (check.property, check.coverage, check.inputs) == (
        "value of every input of x",
        "exhaustive",
        65536,
    )


def test_a_file_says_when_and_where_it_was_written() -> None:
    """So the page can."""
    setting = {"format_version": 1, "created": "2026-01-02T03:04:05Z", "command": "pytest"}
    run = _read(_entry("refuted"), **setting, provenance=[["torch", "2.13.0"]])
    assert (run.created, run.command, run.provenance) == (
        "2026-01-02T03:04:05Z",
        "pytest",
        (("torch", "2.13.0"),),
    )


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (_session(_entry("refuted"))[:-40], "not JSON"),
        (_session(_entry("refuted"), format_version=99), "format_version 99"),
        (_session(_entry("splendid")), r"outcome 'splendid' at `\$\.checks\[0\]\.outcome` is none of held,"),
        (_session(_entry("expected")), r"`\$\.checks\[0\]` is expected and has no `expected`"),
        (_session({"id": "x"}), r"missing required field `outcome` - at `\$\.checks\[0\]`"),
        (_session(_entry("refuted") | {"verdict": plain(REFUTED) | {"inputs": "many"}}), r"verdict\.inputs"),
        (b'{"checks": 7}', r"\$\.checks"),
        (b'{"verdicts": [{}]}', r"\$\.verdicts\[0\]"),
        (b'{"subject": 1, "status": "passed"}', r"\$\.verdicts\[0\]\.subject"),
        (b'{"survivors": [], "test": "x"}', "without format_version"),
    ],
)
def test_a_file_that_is_no_checks_is_refused_in_one_line(data: bytes, complaint: str) -> None:
    """It names the file, what is wrong with it, and what to give instead."""
    with pytest.raises(ReportFormatError, match=rf"checks\.json: .*{complaint}") as caught:
        decode(data, "checks.json")
    assert "\n" not in str(caught.value)


def test_checks_are_kept_in_a_report(sample_run: RunRecord) -> None:
    """Writing and reading again changes nothing."""
    run = replace(sample_run, checks=_read(_entry("refuted"), _entry("expected", expected=KNOWN)).checks)
    assert decode(encode(run), "report.json") == run


def test_a_report_without_checks_is_read(sample_run: RunRecord) -> None:
    """As older releases wrote it."""
    raw = json.loads(encode(sample_run))
    del raw["checks"]
    assert decode(json.dumps(raw).encode(), "report.json") == sample_run


def test_checks_merge_with_a_run(sample_run: RunRecord) -> None:
    """Both are whole in the one report, with the seed of the run."""
    checks = _read(_entry("refuted"), created="2026-01-03T00:00:00Z")
    run = merge([checks, sample_run])
    assert (run.claims, run.evidence, run.checks) == (sample_run.claims, sample_run.evidence, checks.checks)
    assert (run.seed, run.created) == (7, "2026-01-03T00:00:00Z")


def test_a_check_that_ran_elsewhere_is_not_listed_as_not_run() -> None:
    """Of several machines one had the device; what none of them ran stays."""
    subject = REFUTED.subject
    absent = _read(
        _entry("not run", None, subject=subject), _entry("not run", None, subject="f as g: x in y on z")
    )
    told = [check.outcome for check in merge([absent, _read(_entry("refuted"))]).checks]
    assert told == ["not run", "refuted"]


def test_a_new_finding_in_a_function_is_a_change_for_the_worse() -> None:
    """Two files of checks can be compared as two runs can."""
    before, after = _read(_entry("held", replace(REFUTED, status=Status.PASSED))), _read(_entry("refuted"))
    changes = [(change.kind, change.claim, change.what) for change in compare(after, before).changes]
    assert changes == [("new", "as softmax", "losses.mine: value in float32 on cpu")]


def test_a_repaired_function_is_a_change_for_the_better() -> None:
    """Its witness passes."""
    before = _read(_entry("expected", expected=KNOWN))
    after = _read(_entry("unexpected pass", replace(REFUTED, status=Status.PASSED), expected=KNOWN))
    assert [change.kind for change in compare(after, before).changes] == ["fixed"]


def test_the_command_makes_all_views_of_checks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`lossproof report checks.json`: four files, and one sentence that speaks of functions."""
    (tmp_path / "checks.json").write_bytes(_session(_entry("refuted"), _entry("expected", expected=KNOWN)))
    assert main(["report", str(tmp_path / "checks.json"), "--output", str(tmp_path / "out"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["files"] == ["junit.xml", "report.html", "report.json", "report.md"]
    assert told["sentence"] == (
        "1 function checked, 2 checks: 1 refuted, 1 refuted as expected; nothing left out."
    )
    assert len(load(tmp_path / "out" / "report.json").checks) == 2


def test_the_command_names_the_file_that_is_torn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line, and nothing is written."""
    (tmp_path / "checks.json").write_bytes(_session(_entry("refuted"))[:100])
    assert main(["report", str(tmp_path / "checks.json"), "--output", str(tmp_path / "out")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "checks.json: not JSON" in line
    assert not (tmp_path / "out").exists()


def test_the_line_of_help_is_kept() -> None:
    """What the verdict says of an option that is to blame."""
    (check,) = _read(_entry("refuted", replace(REFUTED, hint="leave 3 axes out"))).checks
    assert check.hint == "leave 3 axes out"

"""Runs on disk: round trips, merging, and files that are not reports."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest

from verify.errors import ReportFormatError, UnavailableError, UsageError
from verify.record import RunRecord
from verify.report.model import decode, encode, load, merge, save


def test_a_saved_run_reads_back_equal(sample_run: RunRecord, tmp_path: Path) -> None:
    """Writing and reading changes nothing."""
    save(sample_run, tmp_path / "deep" / "report.json")
    assert load(tmp_path / "deep" / "report.json") == sample_run


def test_a_witness_survives(sample_run: RunRecord) -> None:
    """A gradient can be replayed from the file."""
    run = replace(sample_run, evidence=(replace(sample_run.evidence[1], witness="lossproof1:x"),))
    assert decode(encode(run), "copy").evidence[0].witness == "lossproof1:x"


def test_the_same_run_gives_the_same_bytes(sample_run: RunRecord) -> None:
    """A report can be compared byte by byte."""
    assert encode(sample_run) == encode(decode(encode(sample_run), "copy"))


@pytest.mark.parametrize("value", [math.inf, -math.inf])
def test_infinite_errors_survive(sample_run: RunRecord, value: float) -> None:
    """JSON has no infinity, and an infinite error must not come back as no error."""
    evidence = (replace(sample_run.evidence[0], worst_ulp=value), *sample_run.evidence[1:])
    run = replace(sample_run, evidence=evidence)
    assert decode(encode(run), "copy").evidence[0].worst_ulp == value


def test_nan_survives(sample_run: RunRecord) -> None:
    """An error that is not a number comes back as not a number."""
    run = replace(sample_run, evidence=(replace(sample_run.evidence[0], worst_ratio=math.nan),))
    ratio = decode(encode(run), "copy").evidence[0].worst_ratio
    assert ratio is not None
    assert math.isnan(ratio)


def test_the_file_is_strict_json(sample_run: RunRecord) -> None:
    """Other tools read the file: no bare Infinity or NaN in it."""
    run = replace(sample_run, evidence=(replace(sample_run.evidence[0], worst_ulp=math.inf),))
    raw = json.loads(encode(run), parse_constant=lambda name: pytest.fail(f"bare {name} in the JSON"))
    assert raw["evidence"][0]["worst_ulp"] == {"$number": "inf"}


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[]", "without format_version"),
        (b'{"name": "something else"}', "without format_version"),
        (b'{"format_version": 99}', "format_version 99"),
        (b'{"format_version": 1}', "missing required field `created`"),
        (b"[" * 100_000, "nested too deeply"),
    ],
)
def test_a_foreign_file_is_refused_in_one_line(data: bytes, complaint: str) -> None:
    """The message names the file, what is wrong with it and what to give instead."""
    with pytest.raises(ReportFormatError) as caught:
        decode(data, "some/file.json")
    message = str(caught.value)
    assert message.startswith("some/file.json: ")
    assert complaint in message
    assert "give a report.json" in message or "run again" in message
    assert "\n" not in message


def test_a_wrong_field_is_named_by_its_path(sample_run: RunRecord) -> None:
    """Of a damaged report the message says where the damage is."""
    raw = json.loads(encode(sample_run))
    raw["evidence"][1]["inputs"] = "many"
    with pytest.raises(ReportFormatError, match=r"\$\.evidence\[1\]\.inputs"):
        decode(json.dumps(raw).encode(), "report.json")


def test_an_unknown_status_is_refused(sample_run: RunRecord) -> None:
    """A claim has one of five statuses; a made-up one is not shown as if it meant something."""
    raw = json.loads(encode(sample_run))
    raw["claims"][0]["status"] = "obvious"
    with pytest.raises(ReportFormatError, match=r"\$\.claims\[0\]\.status"):
        decode(json.dumps(raw).encode(), "report.json")


def test_a_claim_that_is_listed_twice_is_refused(sample_run: RunRecord) -> None:
    """Two records under one id could say two things; the id is named."""
    raw = json.loads(encode(sample_run))
    raw["claims"].append(raw["claims"][0])
    with pytest.raises(ReportFormatError, match=r"report\.json: claim 'kl-one-hot' is listed twice"):
        decode(json.dumps(raw).encode(), "report.json")


def test_a_report_without_the_newer_fields_is_read(sample_run: RunRecord) -> None:
    """Fields that were added within the version have a default."""
    raw = json.loads(encode(sample_run))
    for record in raw["evidence"]:
        del record["worst_case"], record["expression"]
    assert decode(json.dumps(raw).encode(), "report.json") == sample_run


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """The message says which path could not be read."""
    with pytest.raises(UnavailableError, match=r"absent\.json"):
        load(tmp_path / "absent.json")


def test_a_failed_write_leaves_the_old_file(sample_run: RunRecord, tmp_path: Path) -> None:
    """A folder in the way of the file: an error, and no temporary file is left behind."""
    (tmp_path / "report.json").mkdir()
    with pytest.raises(UnavailableError, match="cannot write"):
        save(sample_run, tmp_path / "report.json")
    assert [path.name for path in tmp_path.iterdir()] == ["report.json"]


def test_merging_one_run_changes_nothing(sample_run: RunRecord) -> None:
    """The reports of one run can be written again from its JSON."""
    assert merge([sample_run]) == sample_run


def test_merging_adds_the_evidence_of_both(sample_run: RunRecord) -> None:
    """Two machines: both sets of checks stand, and a check that both share stands once."""
    other = replace(sample_run, evidence=(replace(sample_run.evidence[0], device="cuda"),))
    merged = merge([sample_run, other])
    assert merged.evidence == (*sample_run.evidence, *other.evidence)


def test_merging_drops_not_run_once_it_was_run(sample_run: RunRecord) -> None:
    """CUDA missing on one machine is no gap when the other one measured on CUDA."""
    other = replace(sample_run, evidence=(replace(sample_run.evidence[0], device="cuda"),), not_run=())
    assert merge([sample_run, other]).not_run == ()


def test_merging_keeps_the_least_favourable_status(sample_run: RunRecord) -> None:
    """A claim that failed on one machine is not saved by another."""
    failed = replace(sample_run.claims[0], status="unknown")
    other = replace(sample_run, claims=(failed,))
    assert merge([sample_run, other]).claims[0].status == "unknown"


def test_merging_different_statements_is_refused(sample_run: RunRecord) -> None:
    """Evidence for one statement is none for another of the same name."""
    claim = sample_run.claims[0]
    changed = replace(claim, parts=(replace(claim.parts[0], fingerprint="other"),))
    with pytest.raises(ReportFormatError, match="not the same statement"):
        merge([sample_run, replace(sample_run, claims=(changed,))])


def test_merging_nothing_is_refused() -> None:
    """An empty merge is a mistake, not an empty report."""
    with pytest.raises(UsageError, match="no report to merge"):
        merge([])

"""Numeric forms: what every claim says of numbers is computed by torch, and compared with exact values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

import verify
from verify.autograd import measure
from verify.claim import Claim, Part
from verify.evidence import gather
from verify.record import EvidenceRecord, RunRecord
from verify.report.html import page
from verify.report.text import explanation
from verify.runs import numeric_parts

IDS = [claim.id for claim in verify.claims()]


@pytest.mark.parametrize("claim_id", IDS)
def test_every_claim_has_a_numeric_form(claim_id: str) -> None:
    """There is a statement of it whose sides, or whose gradient, torch computes."""
    assert any(numeric_parts(verify.find(claim_id)))


def _statements(claim: Claim) -> Iterator[Part]:
    yield from (*claim.parts, *claim.holds_when)
    if claim.corrected is not None:
        yield from _statements(claim.corrected)


STATEMENTS = {part.id: part for claim in verify.claims() for part in _statements(claim)}


@pytest.mark.parametrize("part_id", STATEMENTS)
def test_every_statement_is_measured_or_says_why_not(part_id: str) -> None:
    """Torch computes its sides or its gradient, or there is a reason, and not both."""
    part = STATEMENTS[part_id]
    assert (part.numeric or part.gradient_of is not None) != bool(part.unmeasured)


@pytest.mark.parametrize("part_id", [part.id for part in STATEMENTS.values() if part.unmeasured])
def test_a_reason_names_the_statement_that_is_measured(part_id: str) -> None:
    """Its last word is the id of a statement with a numeric form."""
    named = STATEMENTS[STATEMENTS[part_id].unmeasured.split()[-1]]
    assert named.numeric or named.gradient_of is not None


def test_a_reason_is_told(sample_run: RunRecord) -> None:
    """On the page, and in the lines of a terminal."""
    claim = sample_run.claims[0]
    part = replace(claim.parts[0], unmeasured="no formula at all")
    claim = replace(claim, parts=(part,))
    assert "Not measured: no formula at all." in page(replace(sample_run, claims=(claim,)))
    assert "  not measured: no formula at all" in [line.text for line in explanation(claim, (), 80)]


@pytest.mark.torch
@pytest.mark.slow
@pytest.mark.parametrize("claim_id", IDS)
def test_the_numeric_form_of_every_claim_has_inputs(claim_id: str) -> None:
    """Each statement that is measured is judged on some inputs, by one implementation at least."""
    found: dict[str, list[EvidenceRecord]] = {part.id: [] for part in numeric_parts(verify.find(claim_id))}
    for part in numeric_parts(verify.find(claim_id)):
        for taken in [*([gather] if part.numeric else []), *([measure] if part.gradient_of else [])]:
            records, _ = taken(part, claim_id, dtypes=("float32",), devices=("cpu",), examples=8)
            found[part.id] += records
    assert all(any(record.inputs for record in records) for records in found.values())

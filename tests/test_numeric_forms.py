"""Numeric forms: what every claim says of numbers is computed by torch, and compared with exact values."""

from __future__ import annotations

import pytest

import verify
from verify.autograd import measure
from verify.evidence import gather
from verify.record import EvidenceRecord
from verify.runs import numeric_parts

IDS = [claim.id for claim in verify.claims()]


@pytest.mark.parametrize("claim_id", IDS)
def test_every_claim_has_a_numeric_form(claim_id: str) -> None:
    """There is a statement of it whose sides, or whose gradient, torch computes."""
    assert any(numeric_parts(verify.find(claim_id)))


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

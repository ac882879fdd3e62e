"""Certificates: each wrong implementation is wrong where its witness says, by as much as it says."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path

import pytest

import verify
from verify import corpus
from verify.backends import DTYPES, tensor_from
from verify.calls import Call
from verify.cases import Case
from verify.certificates import (
    Certificate,
    certificate,
    certificates,
    in_dtype,
    lines_of,
    ordinary_error,
    read,
)
from verify.checking import contract_of
from verify.corpus import REFERENCES
from verify.operations import operations_with_contract
from verify.ordinary import ordinary_call

pytestmark = pytest.mark.torch

FAULTS = {fault.id: fault for fault in corpus.wrong()}
CERTIFIED = read()
SHARE = 40
"""One certificate in so many is examined here; benchmarks/certify.py --write examines all."""

LONG = 4096
"""Characters of a call beyond which it is not among these: it may take half a minute."""

SAMPLE = [proof for proof in CERTIFIED if len(proof.call) <= LONG][::SHARE]

MAIN = (
    "softmax",
    "log_softmax",
    "logsumexp",
    "cross_entropy",
    "kl_div",
    "binary_cross_entropy_with_logits",
)


@pytest.mark.parametrize("proof", SAMPLE, ids=lambda proof: f"{proof.id}-{proof.dtype}")
def test_a_certificate_is_what_its_witness_shows(proof: Certificate) -> None:
    """The same wrong number, the same exact one, the same grade."""
    again = certificate(proof.id, FAULTS[proof.id].candidate, proof.witness)
    assert again is not None
    assert (again.dtype, again.grade) == (proof.dtype, proof.grade)
    assert float(again.exact) == pytest.approx(float(proof.exact), rel=1e-12, nan_ok=True)
    assert again.ulp == pytest.approx(proof.ulp, rel=0.02)


def test_every_certificate_is_of_a_fault() -> None:
    """None is left over from one that is gone, and none is there twice."""
    found = [(proof.id, proof.dtype) for proof in CERTIFIED]
    assert {name for name, _ in found} <= set(FAULTS)
    assert len(found) == len(set(found))


@pytest.mark.parametrize("operation", sorted(operations_with_contract()))
def test_every_operation_has_gross_and_subtle_values_and_gradients(operation: str) -> None:
    """So that no audit is without them."""
    proofs = [proof for proof in CERTIFIED if FAULTS[proof.id].operation == operation]
    for aspect in ("value", "gradient"):
        found = {proof.grade for proof in proofs if FAULTS[proof.id].breaks.partition(" of ")[0] == aspect}
        assert found >= {"gross", "subtle"}


@pytest.mark.parametrize("operation", MAIN)
def test_the_main_operations_have_25_wrong_values_and_25_wrong_gradients(operation: str) -> None:
    """In float32, or in another dtype where they are shown there."""
    counts = Counter(
        FAULTS[name].breaks.partition(" of ")[0]
        for name in certificates()
        if FAULTS[name].operation == operation
    )
    assert min(counts["value"], counts["gradient"]) >= 25


def _proof(ordinary: float, share: float) -> Certificate:
    return Certificate("id", "float32", "", "1", "2", 8e6, 1.0, share, ordinary)


@pytest.mark.parametrize(
    ("ordinary", "share", "grade"),
    [
        (0.1, 0.0, "gross"),
        (math.inf, 0.0, "gross"),
        (0.0999, 0.0, "moderate"),
        (0.0, 0.01, "moderate"),
        (0.0, math.inf, "moderate"),
        (0.0099, 0.0099, "subtle"),
    ],
)
def test_the_grade_comes_from_the_certified_errors(ordinary: float, share: float, grade: str) -> None:
    """A tenth at the ordinary call is gross; below 1 % there and at the witness is subtle."""
    assert _proof(ordinary, share).grade == grade


def test_certificates_come_back_from_their_lines(tmp_path: Path) -> None:
    """Infinite numbers too."""
    path = tmp_path / "certificates.jsonl"
    path.write_text("".join(f"{line}\n" for line in lines_of(CERTIFIED[:50])))
    assert read(path) == CERTIFIED[:50]


def test_what_is_right_has_no_certificate() -> None:
    """A witness of another's error does not refute it."""
    for proof in CERTIFIED[::400]:
        assert certificate("", REFERENCES[FAULTS[proof.id].operation], proof.witness) is None


def test_a_call_whose_numbers_a_dtype_cannot_hold_has_no_witness_there() -> None:
    """1 + 2^-20 is no number of bfloat16."""
    proof = next(p for p in CERTIFIED if p.dtype == "float32" and in_dtype(p.call, "bfloat16") is None)
    assert in_dtype(proof.call, "float64") is not None


@pytest.mark.parametrize("operation", sorted(operations_with_contract()))
def test_the_reference_is_right_at_the_ordinary_call(operation: str) -> None:
    """In value and gradient, to a few units of the last place."""
    contract = contract_of(operation)
    for aspect in ("value", "gradient"):
        case = Case(ordinary_call(contract, aspect), aspect, "float64", "cpu")
        assert ordinary_error(REFERENCES[operation], case) < 1e-15


OWN = [name for name, function in REFERENCES.items() if function.__module__.startswith("verify.")]
"""The operations whose reference is not a function of torch; those are among the right implementations."""


@pytest.mark.parametrize("operation", OWN)
def test_the_reference_is_not_refuted(operation: str) -> None:
    """It stands in for what wrong implementations decline."""
    results = verify.check(REFERENCES[operation], operation, examples=4)
    assert [verdict.reason for verdict in results if verdict.status is verify.Status.REFUTED] == []


@pytest.mark.parametrize("operation", sorted(operations_with_contract()))
def test_the_ordinary_call_has_the_same_numbers_in_every_dtype(operation: str) -> None:
    """Eight digits are enough for all of them."""
    call: Call = ordinary_call(contract_of(operation))
    for value in (call.upstream, *call.values):
        exact = tensor_from(value, "float64").double()
        assert all(tensor_from(value, dtype).double().equal(exact) for dtype in DTYPES)

"""Gradients as claims: in every tensor of every contract the gradient is the derivative, proved."""

from __future__ import annotations

import dataclasses

import pytest

import proofs
import verify
from proofs import gradients
from proofs.derivatives import ROW, Case, claim_id, gradient_part
from verify.claim import Claim, Part
from verify.contexts.symbolic import LONGEST, opinion
from verify.domain import index, real
from verify.errors import KernelError
from verify.kernel.build import build
from verify.kernel.derivation import derive
from verify.kernel.terms import subterms
from verify.operation import Operation
from verify.operations.nll import nll
from verify.refuter import attack

pytestmark = pytest.mark.slow

OTHER_IDS = {
    ("cross_entropy", "input"): ("nll-gradient", "soft-target-gradient"),
    ("binary_cross_entropy_with_logits", "input"): ("bce-gradient",),
    ("cross_entropy_with_z_loss", "input"): ("z-loss-gradient",),
    ("cross_entropy_with_temperature", "input"): ("temperature",),
}
"""The claims about a gradient that have a permanent id of their own, by contract and tensor."""

CLAIMS = {claim.id: claim for claim in proofs.GRADIENTS}
PARTS = {
    part.id: part
    for claim in proofs.GRADIENTS
    for part in claim.parts
    if any(t.head == "diff" for t in subterms(build(part.left, part.given)))
}
"""The statements whose left side is a derivative."""

TENSORS = [
    pytest.param(operation, gradient.of, id=f"{operation.contract.name}-{gradient.of}")
    for operation in verify.operations()
    if operation.contract is not None
    for gradient in operation.contract.gradients
]


def _claims(operation: Operation, tensor: str) -> list[Claim]:
    """The claims about the gradient of an operation in a tensor."""
    assert operation.contract is not None
    ids = OTHER_IDS.get((operation.contract.name, tensor), (claim_id(operation, tensor),))
    return [CLAIMS[i] for i in ids]


@pytest.mark.parametrize(("operation", "tensor"), TENSORS)
def test_every_gradient_of_a_contract_is_a_claim(operation: Operation, tensor: str) -> None:
    """Who adds an operation, or a tensor in which it has a gradient, adds the claim."""
    name = claim_id(operation, tensor)
    for claim in _claims(operation, tensor):
        about = [part for part in claim.parts if part.id.startswith(name) and part.id in PARTS]
        assert about
        assert {derive(part).theorem.relation for part in about} == {"="}


def test_there_is_no_claim_about_a_gradient_that_no_contract_has() -> None:
    """The table of claims and the contracts speak of the same tensors."""
    spoken = {claim.id for param in TENSORS for claim in _claims(*param.values)}  # type: ignore[arg-type]
    assert spoken == set(CLAIMS)


def _twice(part: Part) -> Part:
    def right(*arguments: object) -> object:
        return 2 * part.right(*arguments)

    step = dataclasses.replace(part.steps[-1], to=right)
    return dataclasses.replace(part, right=right, steps=(*part.steps[:-1], step))


@pytest.mark.parametrize("part_id", PARTS)
def test_a_wrong_gradient_is_rejected(part_id: str) -> None:
    """Twice the gradient is not the derivative, whatever the options."""
    with pytest.raises(KernelError):
        derive(_twice(PARTS[part_id]))


def test_a_contract_with_a_wrong_gradient_is_refuted() -> None:
    """A gradient that a room gets wrong is not proved, and the refuter shows where it is wrong."""
    contract = nll.contract
    assert contract is not None
    gradient = contract.gradients[0]
    wrong = dataclasses.replace(
        gradient, definition=lambda c, o, g, x, *rest: gradient.definition(c, o, -g, x, *rest)
    )
    operation = dataclasses.replace(nll, contract=dataclasses.replace(contract, gradients=(wrong,)))
    part = gradient_part(operation, "input", "", Case(ROW, declared=(real("kept"), real("weight", "C"))))
    with pytest.raises(KernelError):
        derive(part)
    assert attack(part).outcome == "refuted"


def test_sympy_agrees_where_it_decides() -> None:
    """SymPy's own derivative, told that the labels are in range, is the gradient or undecided."""
    opinions = {opinion(part) for claim in gradients.CLAIMS for part in claim.parts}
    assert opinions == {"true"}


def test_sympy_is_not_asked_about_long_equations() -> None:
    """It would take longer than all else that is done for a claim."""
    part = CLAIMS["linear-cross-entropy-input-gradient"].parts[0]
    assert opinion(part) == f"undecided (more than {LONGEST} operations)"


def test_sympy_is_told_the_ranges_of_labels_and_no_more() -> None:
    """The sum over [i = y] g_i is g_y as y is in range; that it is g_k is not said."""
    given = (real("g", "n"), index("y", "n"), index("k", "n"))

    def part(right: object) -> Part:
        return Part("range", "", given, _at_label, "=", right)  # type: ignore[arg-type]

    assert opinion(part(lambda c, g, y, k: g[y])) == "true"
    assert opinion(part(lambda c, g, y, k: g[k])) != "true"


def _at_label(c, g, y, k):  # type: ignore[no-untyped-def]
    return c.sum(lambda i: c.equal(i, y) * g[i], over=g)

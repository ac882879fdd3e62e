"""Gradients in the evidence: what a claim about a gradient says is measured on a function of torch."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch.nn import functional

import verify
from proofs.derivatives import ALONG, ENTRIES, Case, claim_id, gradient_part
from verify.autograd import measure
from verify.claim import GradientOf, Part
from verify.contract import Contract
from verify.corpus.compositions import COMPOSITIONS
from verify.corpus.references import REFERENCES
from verify.errors import UsageError
from verify.namesakes import namesake_of
from verify.operations import operations_with_contract
from verify.operations.kl_div import kl_div
from verify.operations.softmax import softmax
from verify.record import EvidenceRecord
from verify.verdict import Status

pytestmark = pytest.mark.torch

SOFTMAX = gradient_part(softmax, "input", "", Case(ALONG))
CONTRACTS = [operation.contract for operation in operations_with_contract().values() if operation.contract]


class _Doubled(torch.autograd.Function):
    """Passes a tensor through and doubles what flows back."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        """The tensor itself."""
        return x.clone()

    @staticmethod
    def backward(ctx: Any, upstream: Any) -> Any:
        """Twice the upstream gradient."""
        return 2 * upstream


def softmax_with_twice_its_gradient(input: Any, dim: int) -> Any:
    """Right values, wrong gradient."""
    return torch.softmax(_Doubled.apply(input), dim)


def _measured(part: Part, **how: Any) -> tuple[EvidenceRecord, ...]:
    options = {"dtypes": ("float32",), "devices": ("cpu",), **how}
    return measure(part, "claim", **options)[0]


def _by(part: Part, peer: Any) -> Part:
    assert part.gradient_of is not None
    return replace(part, gradient_of=replace(part.gradient_of, peer=peer))


def _wrong() -> EvidenceRecord:
    (record,) = _measured(_by(SOFTMAX, softmax_with_twice_its_gradient))
    return record


def test_a_wrong_gradient_is_refuted() -> None:
    """A function with right values and twice the gradient does not pass for the claim."""
    assert _wrong().status is Status.REFUTED


def test_a_refuted_gradient_is_named_by_its_function() -> None:
    """The finding stands under the function that was differentiated."""
    name = f"{__name__}.softmax_with_twice_its_gradient"
    assert _wrong().implementation == f"autograd of {name}"


def test_the_script_of_a_refuted_gradient_was_run() -> None:
    """It needs torch alone, and printed the number that the record tells."""
    record = _wrong()
    assert record.counterexample is not None
    assert "verify" not in (record.reproducer or "verify")
    assert f"got   {record.counterexample.got}" in (record.reproduced or "")


def test_the_witness_of_a_refuted_gradient_can_be_replayed() -> None:
    """The call comes back bit by bit, and is refuted again."""
    verdict = verify.replay(softmax_with_twice_its_gradient, _wrong().witness or "")
    assert verdict.status is Status.REFUTED


class _Softmax:
    """A function that no script can show, as it is an instance."""

    def __call__(self, input: Any, dim: int) -> Any:
        """Right values, wrong gradient."""
        return softmax_with_twice_its_gradient(input, dim)


def test_a_gradient_without_a_script_is_no_finding() -> None:
    """It is unknown, as other evidence is, and the reason says what was seen."""
    (record,) = _measured(_by(SOFTMAX, _Softmax()))
    assert record.status is Status.UNKNOWN
    assert "further off" in record.reason


def test_the_gradient_of_torch_passes() -> None:
    """The namesake of the operation is measured where no other function is named."""
    (record,) = _measured(SOFTMAX)
    assert (record.implementation, record.side, record.status) == (
        "autograd of F.softmax",
        "gradient",
        Status.PASSED,
    )


def test_each_dtype_has_a_record() -> None:
    """The verdict, the inputs and the errors are told for each dtype by itself."""
    dtypes = ("float16", "bfloat16", "float32", "float64")
    records = _measured(SOFTMAX, dtypes=dtypes)
    assert [(record.dtype, record.inputs > 0) for record in records] == [(dtype, True) for dtype in dtypes]


def test_the_same_seed_gives_the_same_evidence() -> None:
    """Draws do not depend on what was drawn before."""
    assert _measured(SOFTMAX, seed=3) == _measured(SOFTMAX, seed=3)


def test_more_examples_are_more_calls() -> None:
    """What is asked for in inputs is made in calls, some fewer of them."""
    few, many = (_measured(SOFTMAX, examples=n)[0].inputs for n in (8, 80))
    assert few < many


def test_options_of_the_statement_are_those_of_the_calls() -> None:
    """A statement about a target of logarithms is measured on such calls alone."""
    seen = set()

    def recorded(input: Any, target: Any, *, log_target: bool = False, reduction: str = "mean") -> Any:
        seen.add((log_target, reduction))
        return functional.kl_div(input, target, log_target=log_target, reduction=reduction)

    case = Case({**ENTRIES, "zeros": False, "log_target": True})
    _measured(_by(gradient_part(kl_div, "input", "", case), recorded))
    assert seen == {(True, "none")}


def test_the_other_tensor_is_a_property_of_its_own() -> None:
    """A statement about the target measures the gradient in the target."""
    case = Case({**ENTRIES, "zeros": False, "log_target": True})
    (record,) = _measured(gradient_part(kl_div, "target", "", case))
    assert record.side == "gradient of target"


def _lacking() -> Part:
    contract = replace(_contract(softmax.contract), name="no_such", namesake="torch.nn.functional.no_such")
    operation = replace(softmax, contract=contract)
    return replace(SOFTMAX, gradient_of=GradientOf(operation, "input"))


def _contract(contract: Contract | None) -> Contract:
    assert contract is not None
    return contract


def test_an_operation_that_torch_lacks_is_not_run() -> None:
    """The reason names what torch would have to have."""
    records, missing = measure(_lacking(), "claim", dtypes=("float32",), devices=("cpu",))
    assert records == ()
    assert [entry.why for entry in missing] == ["torch has no torch.nn.functional.no_such"]


def test_an_absent_device_is_not_run() -> None:
    """What was not measured is said, and the rest is."""
    if torch.cuda.is_available():
        pytest.skip("not run: this machine has the device")
    records, missing = measure(SOFTMAX, "claim", dtypes=("float32",), devices=("cpu", "cuda"))
    assert [record.device for record in records] == ["cpu"]
    assert [entry.what for entry in missing] == ["numeric checks on cuda"]


def test_an_option_that_the_operation_lacks_is_an_error() -> None:
    """A statement about an option that no call can have is measured on nothing, and says so."""
    part = replace(SOFTMAX, gradient_of=GradientOf(softmax, "input", {"temperature": 2}))
    with pytest.raises(UsageError, match="temperature"):
        _measured(part)


def test_a_statement_about_no_gradient_has_no_such_evidence() -> None:
    """There is nothing to differentiate."""
    part = replace(SOFTMAX, gradient_of=None)
    assert measure(part, "claim", dtypes=("float32",), devices=("cpu",)) == ((), ())


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.name)
def test_every_contract_has_a_function_to_differentiate(contract: Contract) -> None:
    """Torch's own or, where there is none, a composition of torch functions."""
    assert (namesake_of(contract) is None) == (contract.name in COMPOSITIONS)


@pytest.mark.parametrize("name", COMPOSITIONS)
def test_a_composition_computes_the_operation(name: str) -> None:
    """On plain calls it gives what the reference of the corpus gives."""
    torch.manual_seed(0)
    scores, shares = torch.randn(4, 3).double(), torch.rand(2, 4, 3).double().softmax(-1)
    labels, counts = torch.tensor([0, 2, 1, 1]), torch.randint(0, 5, (4, 3)).double()
    calls: dict[str, tuple[tuple[Any, ...], dict[str, Any]]] = {
        "cross_entropy_with_softcap": ((scores, labels), {"softcap": 15.0}),
        "cross_entropy_with_temperature": ((scores, labels), {"temperature": 0.5}),
        "cross_entropy_with_z_loss": ((scores, labels), {"z_loss": 0.5}),
        "entropy": ((shares[0],), {"dim": 1}),
        "js_divergence": ((shares[0], shares[1]), {"dim": 1}),
        "laplace_nll": ((scores, counts, shares[0]), {}),
        "negative_binomial_nll": ((shares[0], scores, counts), {}),
        "perplexity": ((scores, labels), {}),
        "rel_entr": ((shares[0], shares[1]), {}),
    }
    positional, keywords = calls[name]
    got = COMPOSITIONS[name][1](*positional, **keywords)
    assert torch.allclose(got, REFERENCES[name](*positional, **keywords), rtol=1e-12, atol=0)


def test_the_claims_about_gradients_are_measured() -> None:
    """Every statement that a contract's gradient is a derivative names that gradient."""
    about = {
        claim_id(part.gradient_of.operation, part.gradient_of.tensor)
        for claim in verify.claims()
        for part in claim.parts
        if part.gradient_of is not None
    }
    contracts = {operation.id: operation for operation in verify.operations() if operation.contract}
    assert about == {
        claim_id(operation, gradient.of)
        for operation in contracts.values()
        for gradient in _contract(operation.contract).gradients
    }

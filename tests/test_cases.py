"""Witnesses: a refuting call as a line of text that brings it back bit by bit, or is refused."""

from __future__ import annotations

import zlib
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
import torch
from torch.nn import functional

import verify
from verify.calls import Call
from verify.cases import Case, place_of, read_witness, write_witness
from verify.checking import contract_of, replay
from verify.contract import Contract, one_of
from verify.errors import UsageError
from verify.operations.softmax import softmax
from verify.tensors import same_bits, tensors_of, upstream_of
from verify.verdict import Status
from verify.wide import Wide

pytestmark = pytest.mark.torch


def unshifted(x: Any, dim: int) -> Any:
    """Overflows."""
    return x - torch.log(torch.exp(x).sum(dim, keepdim=True))


def by_another_label(x: Any, target: Any, **options: Any) -> Any:
    """Reads the next label."""
    return functional.cross_entropy(x, (target + 1) % x.shape[1], **options)


def _witness(candidate: Any = unshifted, name: str = "log_softmax", **how: Any) -> str:
    worst = verify.check(candidate, name, grad=False, examples=20, **how).worst
    assert worst is not None
    assert worst.witness is not None
    return worst.witness


def _call(rows: tuple[tuple[Fraction, ...], ...]) -> Call:
    lengths = {"N": len(rows), "C": len(rows[0])}
    contract = contract_of("log_softmax")
    options = {**{option.name: option.values[0] for option in contract.options}, "dim": 1}
    return Call(contract, options, lengths, (rows,), rows, "padded")


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_a_witness_brings_back_every_bit(dtype: str) -> None:
    """Tensors, upstream gradient and layout are those that were written."""
    rows = ((Fraction(-3, 4), Fraction(2) ** -14, Fraction(0)), (Fraction(1), Fraction(88), Fraction(-88)))
    call = _call(rows)
    read = read_witness(write_witness(Case(call, "value", dtype, "cpu")), contract_of).call
    (was,), (now,) = (list(tensors_of(one, dtype, "cpu")[0].values()) for one in (call, read))
    assert same_bits(was, now)
    assert same_bits(upstream_of(call, dtype, "cpu"), upstream_of(read, dtype, "cpu"))
    assert was.stride() == now.stride()


def test_a_witness_keeps_labels_weights_and_options() -> None:
    """A call with class indices reads back as it was, in every field."""
    case = _case_of(
        _witness(by_another_label, "cross_entropy", options={"weight": True, "ignore_index": -100})
    )
    assert _case_of(write_witness(case)) == case
    assert (case.call.options["weight"], case.call.options["ignore_index"]) == (True, -100)


def _case_of(witness: str) -> Case:
    return read_witness(witness, contract_of)


def test_an_option_that_came_later_is_at_its_default() -> None:
    """A witness outlives what is added to a contract."""
    later = one_of("later", 1, 2, default=1)

    def newer(name: str) -> Contract:
        contract = contract_of(name)
        return replace(contract, options=(*contract.options, later))

    assert read_witness(_witness(), newer).call.options["later"] == 1


def test_a_wide_table_of_few_numbers_packs_small() -> None:
    """Two rows of 50,257 with one entry that is not 0 take less than a screen."""
    table = torch.zeros(2, 50257, dtype=torch.float64)
    table[0, -1] = 12
    call = replace(_call(((Fraction(0),),)), values=(Wide(table),), lengths={"N": 2, "C": 50257})
    text = write_witness(Case(call, "value", "float32", "cpu"))
    assert len(text) < 1000
    assert torch.equal(_case_of(text).call.values[0].tensor, table)


def test_a_witness_is_one_word_of_a_shell() -> None:
    """No blank, quote or bracket, also for a function inside another one."""

    def inner(x: Any, dim: int) -> Any:
        return unshifted(x, dim)

    assert set(_witness(inner)) - set(":-_.%=") <= set(map(chr, range(48, 123))) - set(";<>?@[\\]^`")


def test_a_witness_is_refuted_again() -> None:
    """On its one call."""
    verdict = replay(unshifted, _witness())
    assert (verdict.status, verdict.coverage, verdict.inputs) == (Status.REFUTED, "witness", 1)


def test_a_repaired_function_passes_the_witness() -> None:
    """What is right is not refuted by the call that refuted another."""
    assert replay(functional.log_softmax, _witness()).status is Status.PASSED


def test_a_witness_of_ones_own_operation_needs_the_operation() -> None:
    """Only its author knows it."""
    contract = softmax.contract
    assert contract is not None
    mine = replace(softmax, id="mine", contract=replace(contract, name="mine"))
    worst = verify.check(lambda x, dim: torch.exp(x), mine, grad=False, examples=20).worst
    assert worst is not None
    assert worst.witness is not None
    assert replay(torch.softmax, worst.witness, operation=mine).status is Status.PASSED
    with pytest.raises(UsageError, match="unknown operation 'mine'"):
        replay(torch.softmax, worst.witness)


def _signed(body: str) -> str:
    return f"{body}:{zlib.crc32(body.encode()):08x}"


BROKEN = {
    "nothing": (lambda w: "", "'' is no witness"),
    "other text": (lambda w: "log_softmax", "is no witness"),
    "a later version": (lambda w: w.replace("lossproof1", "lossproof2"), "of another version"),
    "cut off": (lambda w: w[:-20], "cut off or changed"),
    "one letter changed": (lambda w: w.replace("float32", "float16"), "cut off or changed"),
    "no data": (lambda w: _signed(":".join([*w.split(":")[:7], "AAAA"])), "cannot be unpacked"),
    "a dtype that there is not": (
        lambda w: _signed(w.rpartition(":")[0].replace("float32", "float31")),
        "float31",
    ),
    "a property that there is not": (
        lambda w: _signed(w.rpartition(":")[0].replace("value", "volume")),
        "about the volume",
    ),
    "another operation": (
        lambda w: _signed(w.rpartition(":")[0].replace("log_softmax", "cross_entropy")),
        "other options of cross_entropy",
    ),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_witness_is_refused(kind: str) -> None:
    """With what is wrong with it, never with a traceback of its decoder."""
    change, told = BROKEN[kind]
    with pytest.raises(UsageError, match=told):
        replay(unshifted, change(_witness()))


def test_a_witness_for_another_operation_is_refused() -> None:
    """An expectation that got into the wrong place says so."""
    with pytest.raises(UsageError, match="the witness is about log_softmax, not about softmax"):
        replay(torch.softmax, _witness(), operation="softmax")


def test_the_place_of_a_function_is_where_to_import_it() -> None:
    """As the command line takes it."""
    assert place_of(contract_of) == "verify.checking:contract_of"
    assert place_of(3) == ""  # type: ignore[arg-type]


def test_the_place_of_a_function_of_torch_is_its_own_name() -> None:
    """Where torch names it for a class that torch does not show, it is found in torch."""
    assert place_of(torch.logsumexp) == "torch:logsumexp"

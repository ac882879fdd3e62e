"""Operations in torch: every named peer computes its operation, in every dtype that torch offers."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest

from verify import backends
from verify.contexts.models import model_for
from verify.contexts.rounding import error_bound
from verify.contexts.torch import Family, NotApplicableError, TorchContext, choices
from verify.errors import DomainError, UsageError
from verify.floats import format_named
from verify.judgement import judge
from verify.operation import Operation, Peer
from verify.operations.binary_cross_entropy import binary_cross_entropy, binary_cross_entropy_with_logits
from verify.operations.bits import bits
from verify.operations.cross_entropy import cross_entropy
from verify.operations.cross_entropy_with_logits import cross_entropy_with_logits
from verify.operations.cross_entropy_with_softcap import cross_entropy_with_softcap
from verify.operations.cross_entropy_with_temperature import cross_entropy_with_temperature
from verify.operations.cross_entropy_with_z_loss import cross_entropy_with_z_loss
from verify.operations.entropy import entropy
from verify.operations.focal_loss import focal_loss_derivative
from verify.operations.kl_div import kl_div
from verify.operations.linear_cross_entropy import linear_cross_entropy
from verify.operations.log_softmax import log_softmax
from verify.operations.logsumexp import logsumexp
from verify.operations.loss_derivatives import (
    binary_cross_entropy_derivative,
    cross_entropy_curvature,
    cross_entropy_derivative,
    soft_cross_entropy_derivative,
    squared_logsumexp_derivative,
    tempered_cross_entropy_derivative,
)
from verify.operations.nll import nll
from verify.operations.one_hot import one_hot
from verify.operations.perplexity import perplexity
from verify.operations.perplexity_with_logits import perplexity_with_logits
from verify.operations.sigmoid import sigmoid
from verify.operations.smoothed_cross_entropy import smoothed_cross_entropy
from verify.operations.softmax import softmax
from verify.operations.weighted_cross_entropy import weighted_cross_entropy
from verify.oracle import Undecided, enclose
from verify.reproducer import ReproducerError, got_of, run_script, write_script
from verify.verdict import Status

pytestmark = pytest.mark.torch


def _f(*numbers: float) -> tuple[Fraction, ...]:
    return tuple(Fraction(number) for number in numbers)


X = _f(1.5, -2.25, 0.125, 2.0)
P = _f(0.5, 0.25, 0.125, 0.125)
Q = _f(0.125, 0.25, 0.5, 0.125)


def _with_number(operation: Operation, number: float) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    """An operation of logits, a label and a number, and its arguments."""
    return lambda c, x, y, a: c.call(operation, x, y, a), (X, 1, Fraction(number))


PLAIN: tuple[tuple[Operation, Callable[..., Any], tuple[Any, ...]], ...] = (
    (softmax, lambda c, x, y: c.call(softmax, x)[y], (X, 2)),
    (log_softmax, lambda c, x, y: c.call(log_softmax, x)[y], (X, 2)),
    (logsumexp, lambda c, x: c.call(logsumexp, x), (X,)),
    (sigmoid, lambda c, z: c.call(sigmoid, z), (Fraction(5, 2),)),
    (entropy, lambda c, p: c.call(entropy, p), (P,)),
    (kl_div, lambda c, p, q: c.call(kl_div, p, q), (P, Q)),
    (nll, lambda c, q, y: c.call(nll, q, y), (Q, 2)),
    (cross_entropy, lambda c, p, q: c.call(cross_entropy, p, q), (P, Q)),
    (cross_entropy_with_logits, lambda c, g, y: c.call(cross_entropy_with_logits, g, y), (X, 1)),
    (cross_entropy_with_temperature, *_with_number(cross_entropy_with_temperature, 2)),
    (cross_entropy_with_softcap, *_with_number(cross_entropy_with_softcap, 30)),
    (cross_entropy_with_z_loss, *_with_number(cross_entropy_with_z_loss, 1)),
    (
        linear_cross_entropy,
        lambda c, h, w, y: c.call(linear_cross_entropy, h, w, y),
        (_f(0.5, -1.25), (_f(1, 2), _f(-0.5, 0.75), _f(1.5, 0.25)), 2),
    ),
    (
        perplexity_with_logits,
        lambda c, x, y: c.call(perplexity_with_logits, x, y),
        ((_f(0.5, 0.25), _f(-1, 2)), (1, 2)),
    ),
    (binary_cross_entropy, lambda c, f, t: c.call(binary_cross_entropy, f, t), _f(0.25, 1)),
    (
        binary_cross_entropy_with_logits,
        lambda c, z, t: c.call(binary_cross_entropy_with_logits, z, t),
        _f(0.75, 1),
    ),
    (
        smoothed_cross_entropy,
        *_with_number(smoothed_cross_entropy, 0.25),
    ),
    (
        weighted_cross_entropy,
        lambda c, x, y, w: c.call(weighted_cross_entropy, x, y, w),
        ((_f(0.5, 0.25), _f(-1, 2)), (1, 2), _f(0.5, 1.5)),
    ),
    (cross_entropy_derivative, lambda c, x, j, y: c.call(cross_entropy_derivative, x, j, y), (X, 2, 1)),
    (cross_entropy_curvature, lambda c, x, j, k: c.call(cross_entropy_curvature, x, j, k), (X, 2, 3)),
    (
        soft_cross_entropy_derivative,
        lambda c, x, j, p: c.call(soft_cross_entropy_derivative, x, j, p),
        (X, 2, P),
    ),
    (
        binary_cross_entropy_derivative,
        lambda c, z, t: c.call(binary_cross_entropy_derivative, z, t),
        _f(0.75, 0.25),
    ),
    (
        squared_logsumexp_derivative,
        lambda c, x, j: c.call(squared_logsumexp_derivative, x, j),
        (X, 3),
    ),
    (
        tempered_cross_entropy_derivative,
        lambda c, x, j, y, t: c.call(tempered_cross_entropy_derivative, x, j, y, t),
        (X, 2, 1, Fraction(2)),
    ),
    (focal_loss_derivative, lambda c, q, a: c.call(focal_loss_derivative, q, a), _f(0.75, 2)),
    (perplexity, lambda c, r: c.call(perplexity, r), (Q,)),
    (bits, lambda c, r: c.call(bits, r), (Fraction(3, 8),)),
)
PEERS = [
    pytest.param(operation, formula, values, peer, dtype, id=f"{peer.name}-{dtype}")
    for operation, formula, values in PLAIN
    for peer in operation.peers
    for dtype in backends.DTYPES
]


@pytest.mark.parametrize(("operation", "formula", "values", "peer", "dtype"), PEERS)
def test_every_peer_is_right_on_a_plain_input(
    operation: Operation, formula: Any, values: tuple[Any, ...], peer: Peer, dtype: str
) -> None:
    """On an input far from every edge each named torch function stays within its bound."""
    format, choice = format_named(dtype), {operation.id: peer}
    context = TorchContext(dtype, choice=choice)
    got = backends.exact_value(formula(context, *map(context.lift, values)))
    truth = enclose(formula, values, format=format)
    assert not isinstance(truth, Undecided)
    bound = error_bound(formula, values, model_for(dtype), choice)
    assert judge(got, truth, bound, format).status is Status.PASSED


@pytest.mark.parametrize("operation", [operation for operation, *_ in PLAIN], ids=lambda o: o.id)
def test_peers_have_their_own_names(operation: Operation) -> None:
    """Two implementations of one operation are told apart by name."""
    assert operation.peers
    assert len({peer.name for peer in operation.peers}) == len(operation.peers)


FORMULAS: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "a sum within a sum": (
        lambda c, g: c.sum(lambda k: c.sum(lambda i: c.exp(g[k, i]) * c.equal(i, k), over=g[k]), over=g),
        ((X, P),),
    ),
    "a row of a matrix": (lambda c, g: c.sum(lambda i: g[2][i] * g[1, i], over=g[1]), ((X, P),)),
    "an operation on every row": (lambda c, g: c.sum(lambda k: c.call(logsumexp, g[k]), over=g), ((X, P),)),
    "a label for every row": (
        lambda c, g, y: c.sum(lambda k: c.call(nll, c.call(softmax, g[k]), y[k]), over=g),
        ((X, P), (2, 3)),
    ),
    "a family of rows": (
        lambda c, g: c.family(lambda k: c.call(softmax, g[k]), over=g)[2, 3],
        ((X, P),),
    ),
    "a derived family": (lambda c, y, q: c.call(entropy, c.call(one_hot, y, q)) + q[y], (2, Q)),
    "a body without the index": (lambda c, x: c.sum(lambda i: c.number(3), over=x) + c.count(x), (X,)),
    "a product": (lambda c, q: c.prod(lambda i: q[i], over=q), (Q,)),
    "whole powers and constants": (lambda c, x: x[1] ** 2 - 2 / (1 + x[4]) + c.log(2), (X,)),
    "a ceiling": (lambda c, x: c.ceil(x[1]) - c.xlogy(x[3], 1 + x[3]), (X,)),
}


@pytest.mark.parametrize("name", FORMULAS)
def test_torch_computes_formulas_as_the_oracle_does(name: str) -> None:
    """Axes, rows, labels and constants mean in torch what they mean in balls."""
    formula, values = FORMULAS[name]
    truth = enclose(formula, values, format=format_named("float64"))
    assert not isinstance(truth, Undecided)
    for choice in choices(formula, values):
        context = TorchContext("float64", choice=choice)
        got = backends.exact_value(formula(context, *map(context.lift, values)))
        assert float(got) == pytest.approx(float(truth.lower), rel=1e-12)


@pytest.mark.parametrize("name", FORMULAS)
def test_a_script_computes_what_the_context_did(name: str) -> None:
    """Written for torch alone and run elsewhere, a formula gives the same number to the last bit."""
    formula, values = FORMULAS[name]
    choice = choices(formula, values)[0]
    context = TorchContext("float32", choice=choice)
    result = backends.exact_value(formula(context, *map(context.lift, values)))
    names = formula.__code__.co_varnames[1 : 1 + len(values)]
    script = write_script(
        "", [(formula, choice)], tuple(zip(names, values, strict=True)), "float32", "cpu", ""
    )
    assert "verify" not in script
    assert got_of(run_script(script)) == (result,)


def test_a_script_that_fails_says_how() -> None:
    """An exception in a script is what it printed, and is no result."""
    printed = run_script('raise ValueError("no")')
    assert printed == "ValueError: no"
    assert got_of(printed) == ()


def test_an_interpreter_that_dies_is_replaced() -> None:
    """A script that ends the interpreter is an error, and the next script runs."""
    with pytest.raises(ReproducerError, match="ended with code 3"):
        run_script("import os; os._exit(3)")
    assert got_of(run_script('print("got", 1.5)')) == (1.5,)


def test_a_constant_is_rounded_once() -> None:
    """1 + 2^-24 + 2^-60 is nearer to 1 + 2^-23 than to 1, also on the way through wider formats."""
    constant = 1 + Fraction(1, 2**24) + Fraction(1, 2**60)
    assert backends.exact_value(TorchContext("float32").number(constant)) == 1 + Fraction(1, 2**23)


def test_choices_are_all_combinations() -> None:
    """A formula of two operations is computed in as many ways as their peers multiply to."""
    ways = choices(lambda c, p, q: c.call(entropy, p) + c.call(kl_div, p, q), (P, Q))
    assert len(ways) == len(entropy.peers) * len(kl_div.peers)
    assert [peer.name for peer in ways[0].values()] == [entropy.peers[0].name, kl_div.peers[0].name]


def test_choices_do_not_look_inside_a_peer() -> None:
    """An operation that only the definition of a chosen one applies is not chosen."""
    ways = choices(lambda c, z, t: c.call(binary_cross_entropy_with_logits, z, t), _f(1, 1))
    assert {tuple(way) for way in ways} == {("binary_cross_entropy_with_logits",)}


def test_a_peer_that_raises_is_not_applicable() -> None:
    """What a peer raises becomes a value that says who declined and why."""
    context = TorchContext("float32", choice={"kl_div": kl_div.peers[1]})
    one, zero = _f(1, 0), _f(0.5, 0.5)
    with pytest.raises(NotApplicableError, match=r"log_target.*infinite at an entry"):
        context.call(kl_div, context.lift(one), context.lift(zero))


@pytest.mark.parametrize("key", [0, 5, -1])
def test_an_index_outside_the_family_is_an_error(key: int) -> None:
    """Positions count from 1 to n and never wrap round."""
    with pytest.raises(DomainError, match=f"index {key} is outside 1..4"):
        TorchContext("float32").lift(X)[key]


def test_a_family_has_the_length_of_its_first_axis() -> None:
    """Length counts rows for a matrix."""
    family = TorchContext("float32").lift((X, P, Q))
    assert isinstance(family, Family)
    assert (len(family), len(family[1])) == (3, 4)


@pytest.mark.parametrize(
    ("value", "dtype"),
    [(Fraction(1, 3), "float64"), (Fraction(2**24 + 1), "float32"), (Fraction(10) ** 400, "float64")],
)
def test_only_exact_numbers_become_tensors(value: Fraction, dtype: str) -> None:
    """A number that the dtype cannot hold is an error, never rounded on the way in."""
    with pytest.raises(UsageError, match=r"not exactly representable in float.*round it"):
        backends.tensor_from(value, dtype)


@pytest.mark.parametrize("dtype", backends.DTYPES)
def test_numbers_pass_through_tensors_unchanged(dtype: str) -> None:
    """The smallest and the largest numbers of a dtype survive the way in and out."""
    format = format_named(dtype)
    numbers = (format.smallest_subnormal, format.largest, -format.smallest_normal, Fraction(0))
    assert tuple(backends.exact_values(backends.tensor_from(numbers, dtype))) == numbers


def test_labels_count_from_zero_in_torch() -> None:
    """Label 1 of a statement is position 0 of a tensor."""
    assert backends.tensor_from((1, 3), "float32").tolist() == [0, 2]


def test_unknown_names_are_named() -> None:
    """A misspelt dtype or device is answered with the nearest name."""
    with pytest.raises(UsageError, match="unknown dtype 'float23'; did you mean float32"):
        backends.torch_dtype("float23")
    with pytest.raises(UsageError, match="unknown device 'cdua'"):
        backends.require_device("cdua")


def test_provenance_names_the_version() -> None:
    """The facts of the machine include the torch version."""
    assert dict(backends.provenance())["torch"] == backends.load_torch().__version__

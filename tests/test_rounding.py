"""The rounding context: its bounds hold, and agree to first order with the published ones."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from verify import backends
from verify.contexts.decimals import UnboundedError
from verify.contexts.models import Model, model_for
from verify.contexts.rounded import Rounded
from verify.contexts.rounding import RoundingContext, error_bound
from verify.elements import bounds_of, stable, values_of
from verify.errors import DomainError
from verify.floats import Format, format_named
from verify.forms import form_named
from verify.operation import Operation, Peer
from verify.operations.entropy import entropy
from verify.operations.kl_div import kl_div
from verify.operations.log_softmax import log_softmax
from verify.operations.logsumexp import logsumexp
from verify.operations.sigmoid import sigmoid
from verify.operations.softmax import softmax
from verify.oracle import Undecided, enclose
from verify.sweeps.subject import Subject

UNIT = 2.0**-24
EPS = 2 * UNIT

ROWS = [
    (7.3, -0.0123, 0.4567, 0.3141, -0.2718),
    (3.1, -0.077, 0.0199, 0.0013, 0.123, -0.031, 0.211, 0.0517),
    (90.7, 0.333, 1.21, -0.456, 0.0789, 0.999),
]
DISTRIBUTIONS = [
    ((0.1, 0.2, 0.3, 0.4), (0.45, 0.05, 0.15, 0.35)),
    ((0.013, 0.227, 0.411, 0.349), (0.511, 0.101, 0.293, 0.095)),
]


def _held(row: tuple[float, ...]) -> tuple[Fraction, ...]:
    """The float32 numbers nearest to a row."""
    return tuple(Fraction(format_named("float32").round(Fraction(x))) for x in row)


def _bound(operation: Operation, formula: Callable[..., Any], *values: Any) -> float:
    bound = error_bound(formula, values, model_for("float32"), {operation.id: operation.peers[0]})
    assert bound is not None
    return float(bound)


def _terms(row: tuple[Fraction, ...]) -> tuple[list[float], list[float], float, float, int]:
    """Softmax s, gaps d below the maximum, L = log of the sum, mean gap D and height h = n - 1."""
    gaps = [float(max(row) - x) for x in row]
    total = sum(math.exp(-gap) for gap in gaps)
    shares = [math.exp(-gap) / total for gap in gaps]
    return shares, gaps, math.log(total), sum(s * d for s, d in zip(shares, gaps, strict=True)), len(row) - 1


@pytest.mark.parametrize("row", ROWS)
def test_logsumexp_bound_is_the_published_one(row: tuple[float, ...]) -> None:
    """To first order: u|y| + eps L + u D + eps + h u."""
    x = _held(row)
    _, _, log_total, mean_gap, h = _terms(x)
    expected = UNIT * abs(float(max(x)) + log_total) + EPS * log_total + UNIT * mean_gap + EPS + h * UNIT
    assert _bound(logsumexp, lambda c, x: c.call(logsumexp, x), x) == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize("row", ROWS)
def test_softmax_bound_is_the_published_one(row: tuple[float, ...]) -> None:
    """To first order: s_j (u (d_j + D + h + 1) + 2 eps), one u below the table's, which rounds up."""
    x = _held(row)
    shares, gaps, _, mean_gap, h = _terms(x)
    for j in range(2, len(x) + 1):
        expected = shares[j - 1] * (UNIT * (gaps[j - 1] + mean_gap + h + 1) + 2 * EPS)
        found = _bound(softmax, lambda c, x, j: c.call(softmax, x)[j], x, j)
        assert found == pytest.approx(expected, rel=0.02, abs=2.0**-124)


@pytest.mark.parametrize("row", ROWS)
def test_log_softmax_bound_is_the_published_one(row: tuple[float, ...]) -> None:
    """To first order: u d_j + u |l_j| + u D + eps L + eps + h u."""
    x = _held(row)
    _, gaps, log_total, mean_gap, h = _terms(x)
    for j in range(2, len(x) + 1):
        value = gaps[j - 1] + log_total
        expected = UNIT * (gaps[j - 1] + value + mean_gap + h) + EPS * log_total + EPS
        found = _bound(log_softmax, lambda c, x, j: c.call(log_softmax, x)[j], x, j)
        assert found == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize(("p", "q"), DISTRIBUTIONS)
def test_kl_bound_is_the_published_one(p: tuple[float, ...], q: tuple[float, ...]) -> None:
    """To first order: u (3 A + T + h T)."""
    a = sum(abs(x * math.log(x)) + abs(x * math.log(y)) for x, y in zip(p, q, strict=True))
    t = sum(abs(x * math.log(x / y)) for x, y in zip(p, q, strict=True))
    expected = UNIT * (3 * a + t + (len(p) - 1) * t)
    found = _bound(kl_div, lambda c, p, q: c.call(kl_div, p, q), _held(p), _held(q))
    assert found == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize("p", [p for pair in DISTRIBUTIONS for p in pair])
def test_entropy_bound_is_the_published_one(p: tuple[float, ...]) -> None:
    """To first order: (eps + u + h u) sum p |log p|."""
    expected = (EPS + UNIT + (len(p) - 1) * UNIT) * sum(x * abs(math.log(x)) for x in p)
    assert _bound(entropy, lambda c, p: c.call(entropy, p), _held(p)) == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize("z", [-20.3, -1.7, 0.31, 5.9])
def test_sigmoid_bound_is_the_published_one(z: float) -> None:
    """To first order: sigma (eps (1 - sigma) + 2 u)."""
    share = 1 / (1 + math.exp(-z))
    expected = share * (EPS * (1 - share) + 2 * UNIT)
    assert _bound(sigmoid, lambda c, z: c.call(sigmoid, z), _held((z,))[0]) == pytest.approx(
        expected, rel=0.02
    )


def _tree(
    choose: random.Random, format: Format, c: RoundingContext, depth: int
) -> tuple[Any, Fraction, Rounded]:
    """A random expression: its value rounded at every step (or None), its exact value, its bound."""
    if depth == 0:
        leaf = Fraction(format.round(Fraction(choose.randint(1, 4000), 1 << choose.randint(0, 14))))
        leaf *= choose.choice((1, -1))
        return leaf, leaf, c.lift(leaf)
    a, b = (_tree(choose, format, c, depth - choose.randint(1, depth)) for _ in range(2))
    kind = choose.choice("+-*/")
    if kind == "/" and (b[0] == 0 or b[1] == 0):
        kind = "*"
    actions: dict[str, Callable[[Any, Any], Any]] = {
        "+": lambda x, y: x + y,
        "-": lambda x, y: x - y,
        "*": lambda x, y: x * y,
        "/": lambda x, y: x / y,
    }
    computed = format.round(actions[kind](a[0], b[0]))
    if isinstance(computed, float):
        raise UnboundedError("the format overflowed")
    return computed, actions[kind](a[1], b[1]), actions[kind](a[2], b[2])


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_arithmetic_stays_within_its_bound(dtype: str) -> None:
    """On random expressions the correctly rounded computation lies within the bound, the value enclosed."""
    choose, format = random.Random(7), format_named(dtype)
    context, checked = RoundingContext(model_for(dtype)), 0
    for _ in range(1500):
        try:
            computed, exact, bound = _tree(choose, format, context, 4)
        except UnboundedError:
            continue
        checked += 1
        assert Fraction(bound.lower) <= exact <= Fraction(bound.upper)
        assert abs(computed - exact) <= Fraction(bound.error)
    assert checked > 1000


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_exact_arithmetic_has_no_error(dtype: str) -> None:
    """A difference, a product and a multiple that the format holds have the bound 0."""
    c = RoundingContext(model_for(dtype))
    three, half = c.lift(Fraction(3)), c.lift(Fraction(1, 2))
    assert [(three - three).error, (three * half).error, (1 - half).error, (half * 0).error] == [0, 0, 0, 0]


def test_rounding_of_a_sum_is_seen() -> None:
    """1 + 2^-24 is not a float32, so adding it is not exact."""
    c = RoundingContext(model_for("float32"))
    assert (c.lift(Fraction(1)) + c.lift(Fraction(1, 2**24))).error > 0


def test_zero_terms_do_not_count_in_a_sum() -> None:
    """A sum with one term that is not exactly 0 is that term."""
    c = RoundingContext(model_for("float32"))
    row = c.lift((Fraction(0), Fraction(1, 3 * 2**20).limit_denominator(2**20), Fraction(0)))
    assert c.sum(lambda i: row[i], over=row).error == row[2].error


@pytest.mark.parametrize("x", [-800, -90, 90, 800, 10**6])
def test_the_model_has_no_largest_number(x: int) -> None:
    """An exponential beyond the format's range keeps a finite bound, relative to its true size."""
    bound = error_bound(lambda c, x: 1 / (1 + c.exp(-x)), (Fraction(x),), model_for("float32"), {})
    assert bound is not None
    assert bound < 1


@pytest.mark.parametrize("name", ["exp", "expm1"])
@pytest.mark.parametrize("x", [10**12, 10**19, 10**30])
def test_an_exponential_that_no_computer_holds_has_no_bound(name: str, x: int) -> None:
    """Beyond 10^18 the arithmetic of the bounds ends, before that the memory; downwards there is no end."""
    model = model_for("float64")
    assert error_bound(lambda c, a: getattr(c, name)(a), (Fraction(x),), model, {}) is None
    assert error_bound(lambda c, a: getattr(c, name)(-a), (Fraction(2**70),), model, {}) is not None


def test_a_gradient_at_a_huge_logit_has_no_bound_where_an_algorithm_has_none() -> None:
    """That of binary cross-entropy at 10^30, by way of exp(10^30); the other algorithms have one."""
    subject = Subject(
        lambda: None, form_named("binary_cross_entropy_with_logits", None), "gradient", "float32"
    )
    huge = subject.order.format.round(Fraction(10**30))
    call = subject.call(huge)
    values = values_of(call, "gradient")
    algorithms = stable(subject.contract, "gradient", model_for("float32"))
    assert bounds_of(call, algorithms, values) is None
    assert subject.bound(huge) is not None


def _fast(dtype: str) -> Model:
    return replace(model_for(dtype), fast=True)


@pytest.mark.torch
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_an_exponential_by_powers_of_two_is_within_the_bound_of_gpu_arithmetic(dtype: str) -> None:
    """exp2(x log2 e) on 4,000 numbers from -80 to 0; exp's own bound is too small for it."""
    import torch

    x = torch.linspace(-80, 0, 4000, dtype=getattr(torch, dtype))
    got = torch.exp2(x * math.log2(math.e)).tolist()
    beyond = 0
    for value, number in zip(x[::50].tolist(), got[::50], strict=True):
        truth = enclose(lambda c, a: c.exp(a), (Fraction(value),), format=format_named(dtype))
        assert not isinstance(truth, Undecided)
        off = abs(Fraction(number) - truth.lower)
        bounds = [
            error_bound(lambda c, a: c.exp(a), (Fraction(value),), model, {})
            for model in (model_for(dtype), _fast(dtype))
        ]
        assert bounds[0] is not None
        assert bounds[1] is not None
        assert off <= bounds[1]
        beyond += off > bounds[0]
    assert beyond


def test_gpu_arithmetic_allows_an_exponential_out_of_range_no_more_than_it_can_be_off() -> None:
    """1 / (1 + exp(10^7)) keeps a bound: beyond the format's range the scaled argument changes nothing."""
    found = error_bound(lambda c, a: 1 / (1 + c.exp(a)), (Fraction(10**7),), _fast("float32"), {})
    assert found is not None
    assert found < Fraction(1, 2**100)


@pytest.mark.parametrize(
    ("formula", "extra"),
    [
        (lambda c, a: c.exp(-a), 6),
        (lambda c, a: c.log(a), 2),
        (lambda c, a: 1 / a, 1),
    ],
    ids=["exp(-3)", "log 3", "1 / 3"],
)
def test_gpu_arithmetic_adds_the_roundings_of_constants_and_products(formula: Any, extra: int) -> None:
    """2u |x| for exp(x), 2u for a logarithm, and u for a quotient, relative to the value."""
    plain, fast = (
        error_bound(formula, (Fraction(3),), model, {}) for model in (model_for("float32"), _fast("float32"))
    )
    assert plain is not None
    assert fast is not None
    value = abs(formula(_Floats(), 3.0))
    assert float(fast - plain) == pytest.approx(extra * 2.0**-24 * value, rel=1e-3)


def test_a_square_root_is_off_by_half_of_what_its_argument_is_and_its_own_error() -> None:
    """Relative to the value, of the square root of 3 rounded once before: u and 2u."""
    u = Fraction(1, 2**24)
    found = error_bound(
        lambda c, a: c.sqrt(a * c.number(Fraction(1, 3))), (Fraction(9),), model_for("float32"), {}
    )
    assert found is not None
    assert float(found) == pytest.approx(float(3 * u) * math.sqrt(3), rel=1e-2)


class _Floats:
    """A context of Python's floats."""

    exp = staticmethod(math.exp)
    log = staticmethod(math.log)


def test_a_divisor_that_may_vanish_has_no_bound() -> None:
    """1 / (1 + x - 1 - x), where the sums round, cannot be bounded."""
    x = Fraction(1, 2**30)
    assert error_bound(lambda c, x: c.log((1 + x) - 1), (x,), model_for("float32"), {}) is None


def test_infinities_follow_the_conventions() -> None:
    """The log of 0 is minus infinity without error, 0 log 0 is 0, and inf - inf has no value."""
    c = RoundingContext(model_for("float32"))
    zero = c.lift(Fraction(0))
    assert c.log(zero).exact == -math.inf
    assert c.xlogy(zero, zero).exact == 0
    assert c.exp(c.log(zero)).exact == 0
    with pytest.raises(DomainError, match="inf - inf"):
        c.log(zero) - c.log(zero)


def test_a_peer_is_bounded_by_its_own_algorithm() -> None:
    """The bound follows the algorithm of the chosen peer, else that of the operation."""
    x = _held(ROWS[0])
    own = Peer("own", lambda torch, x: x, lambda c, x: c.family(lambda j: x[j], over=x))
    bounds = [
        error_bound(lambda c, x: c.call(softmax, x)[2], (x,), model_for("float32"), {"softmax": peer})
        for peer in (own, softmax.peers[0])
    ]
    assert bounds[0] == 0
    assert bounds[1] is not None
    assert bounds[1] > 0


def test_the_larger_of_two_that_lie_apart_has_its_own_error() -> None:
    """That of the other one does not matter, however large it is; where they may change places it does."""
    c = RoundingContext(model_for("float32"))
    large, small = c.number(-1000) / 3, c.number(1) / 3
    assert c.maximum(large, small).error == small.error
    assert c.minimum(small, large).error == large.error
    assert c.maximum(large, large + small).error == (large + small).error


def test_algorithm_vocabulary() -> None:
    """max, abs, maximum, minimum and clamp are exact; log1p and expm1 keep small arguments."""
    c = RoundingContext(model_for("float32"))
    row = c.lift((Fraction(-3), Fraction(2), Fraction(1, 2)))
    assert [v.exact for v in (c.max(row), c.abs(row[1]), c.maximum(row[1], 0), c.minimum(row[2], 1))] == [
        2,
        3,
        0,
        1,
    ]
    assert c.clamp(row[1], -1, 1).exact == -1
    tiny = c.lift(Fraction(1, 2**60))
    for value in (c.log1p(tiny), c.expm1(tiny)):
        assert float(value.error) == pytest.approx(2 * UNIT * 2.0**-60, rel=0.01)


@pytest.mark.parametrize(("x", "error"), [(Fraction(5, 2), 0), (Fraction(3), 0)])
def test_ceil_of_an_exact_number_is_exact(x: Fraction, error: int) -> None:
    """The least whole number above an exact number is known exactly."""
    assert (
        RoundingContext(model_for("float32")).ceil(RoundingContext(model_for("float32")).lift(x)).error
        == error
    )


FUNCTIONS: dict[str, tuple[Callable[..., Any], Callable[[float], float]]] = {
    "exp": (lambda c, x: c.exp(x), lambda t: 20 * t - 10),
    "log": (lambda c, x: c.log(x), lambda t: math.exp(16 * t - 8)),
    "log1p": (lambda c, x: c.log(1 + x), lambda t: math.exp(12 * t - 9)),
    "expm1": (lambda c, x: c.exp(x) - 1, lambda t: 10 * t - 5),
    "log2": (lambda c, x: c.log(x) / c.log(2), lambda t: math.exp(16 * t - 8)),
    "sqrt": (lambda c, x: c.exp(c.log(x) / 2), lambda t: math.exp(16 * t - 8)),
}


@pytest.mark.torch
@pytest.mark.parametrize("dtype", backends.DTYPES)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_assumed_error_of_torch_functions_holds(name: str, dtype: str) -> None:
    """On the CPU the functions that every bound rests on have a relative error of at most 2u."""
    formula, spread = FUNCTIONS[name]
    format, choose = format_named(dtype), random.Random(5)
    points = tuple(Fraction(format.round(Fraction(spread(choose.random())))) for _ in range(150))
    tensor = backends.tensor_from(points, dtype)
    results = backends.exact_values(getattr(backends.load_torch(), name)(tensor))
    model = model_for(dtype)
    for x, got in zip(points, results, strict=True):
        truth = enclose(formula, (x,), format=format)
        assert not isinstance(truth, Undecided)
        allowed = Fraction(model.exp_error) * abs(Fraction(truth.upper)) + Fraction(model.subnormal)
        assert abs(Fraction(got) - Fraction(truth.lower)) <= allowed

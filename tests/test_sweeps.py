"""Sweeps: wrong functions refuted at one input of many, right ones accepted, foreign ones told apart."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest

import verify
from verify.backends import exact_value, load_torch
from verify.errors import UnavailableError, UsageError
from verify.forms import FORMS, form_named, forms_of
from verify.sweeps.counting import Counter
from verify.sweeps.everywhere import Everywhere
from verify.sweeps.subject import Subject
from verify.sweeps.sweeping import planned, run
from verify.verdict import Status

pytestmark = pytest.mark.torch

torch = load_torch()
functional = torch.nn.functional
DTYPES = ("float16", "bfloat16")


def rounded(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function computed in float64 and rounded once."""
    return lambda *tensors: function(*(t.double() for t in tensors)).to(tensors[0].dtype)


def wrong_at(place: float, function: Callable[..., Any] = functional.softplus) -> Callable[..., Any]:
    """The function, one number off at one input: by a quarter of its value."""
    return lambda x: torch.where(x == place, function(x) * 1.25, function(x))


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_function_that_is_right_everywhere_is_accepted(dtype: str) -> None:
    """And every input is counted; those that are no number are none."""
    verdict = verify.sweep(functional.softplus, "softplus", dtype)
    width = {"float16": 63_488, "bfloat16": 65_280}[dtype]
    assert (verdict.status, verdict.coverage, verdict.inputs) == (Status.PASSED, "exhaustive", width + 2)
    assert verdict.reason == f"every input: {width + 2:,}"


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("place", [3.140625, -0.5, 2.0**-14, 40.0])
def test_one_wrong_input_of_65536_is_found(dtype: str, place: float) -> None:
    """And it is the one that is shown."""
    verdict = verify.sweep(wrong_at(place), "softplus", dtype)
    assert verdict.status is Status.REFUTED
    assert verdict.counts is not None
    assert (verdict.counts["refuted"], verdict.counts["steepest"]["input"]) == (1, [place])
    assert verdict.counterexample is not None


@pytest.mark.parametrize("place", [103.5, -81.25, 1e-20, 1.5])
def test_one_wrong_input_of_float32_is_found(place: float) -> None:
    """Among its neighbours, in a part of the sweep of all 2^32."""
    place = float(torch.tensor(place))
    edges = sorted((place * 0.999, place * 1.001))
    verdict = verify.sweep(wrong_at(place), "softplus", "float32", span=f"{edges[0]!r}:{edges[1]!r}")
    assert verdict.counts is not None
    assert (verdict.status, verdict.counts["refuted"]) == (Status.REFUTED, 1)
    assert verdict.counts["worst"]["input"] == [place]


def test_one_wrong_pair_is_found() -> None:
    """In a shard with it, among 65,280 pairs of each row."""

    def wrong(x: Any, y: Any, reduction: str) -> Any:
        loss = functional.cross_entropy(x, y, reduction=reduction)
        return torch.where((x[:, 0] == 3.0) & (x[:, 1] == 5.0), loss + 1, loss)

    plan = planned(wrong, "cross_entropy", "bfloat16", form="pair", chunk=1 << 17)
    chunk = (plan.subject.order.of(Fraction(3)) << 16) >> 17
    verdict, _ = run(plan, shard=(chunk + 1, 1 << 15))
    assert verdict.counts is not None
    assert (verdict.status, verdict.counts["refuted"]) == (Status.REFUTED, 1)
    assert (verdict.coverage, verdict.counts["steepest"]["input"]) == ("searched", [3.0, 5.0])


@pytest.mark.parametrize("name", ["sigmoid", "logsigmoid", "softplus"])
def test_a_correctly_rounded_function_has_no_other_results(name: str) -> None:
    """All counts say so, and the largest error is 1/2 ulp. (torch rounds float64 to float16 twice.)"""
    accurate = {
        "sigmoid": torch.sigmoid,
        "logsigmoid": lambda x: torch.where(x > 0, 0.0, x) - torch.log1p(torch.exp(-x.abs())),
        "softplus": lambda x: torch.where(x > 0, x, 0.0) + torch.log1p(torch.exp(-x.abs())),
    }[name]
    verdict = verify.sweep(rounded(accurate), name, "bfloat16")
    assert verdict.counts is not None
    assert (verdict.status, verdict.counts["correctly_rounded"]) == (Status.PASSED, verdict.inputs)
    assert 0.499 < (verdict.worst_ulp or 0) <= 0.5


def test_exact_results_are_counted() -> None:
    """A sigmoid is rational at 0 alone, minus x everywhere."""
    at_zero = verify.sweep(torch.sigmoid, "sigmoid", "float16").counts
    negated = verify.sweep(functional.nll_loss, "nll_loss", "float16")
    assert at_zero is not None
    assert negated.counts is not None
    assert (at_zero["exact"], negated.counts["exact"]) == (2, negated.inputs)


@pytest.mark.parametrize("operation", sorted({form.operation for form in FORMS} - {"rel_entr", "entropy"}))
def test_every_form_can_be_called(operation: str) -> None:
    """By torch's function of that name, value and gradient, at a few inputs."""
    function = getattr(functional, operation, None) or getattr(torch, operation)
    for form in forms_of(operation):
        for aspect in ("value", *(["gradient"] if form.gradient else [])):
            subject = Subject(function, form, aspect, "float32")
            numbers = [
                subject.order.of(Fraction(x)) for x in ([-1, -2] if form.value.high <= 0 else [0.5, 0.25])
            ]
            columns = [
                torch.cat([subject.order.tensor(n, n + 1) for n in (numbers, numbers[::-1])[k]])
                for k in range(form.arity)
            ]
            got = subject.compute(*columns)
            arguments = [subject.order.value(n) for n in (numbers if form.arity == 2 else numbers[:1])]
            outcome, _ = subject.outcome(Fraction(float(got[0])), *arguments)
            assert (form.id, aspect, outcome.status) == (form.id, aspect, Status.PASSED)


def test_a_sample_of_float64_is_searched() -> None:
    """Spread over the whole domain; the bound decides."""
    verdict = verify.sweep(torch.sigmoid, "sigmoid", "float64", sample=300)
    assert (verdict.status, verdict.coverage, verdict.inputs) == (Status.PASSED, "searched", 300)


@pytest.mark.parametrize(
    ("operation", "function", "aspect"),
    [
        ("softplus", functional.softplus, "value"),
        ("sigmoid", torch.sigmoid, "gradient"),
        ("log_softmax", functional.log_softmax, "value"),
        ("softplus", lambda x: torch.log(1 + torch.exp(x)), "value"),
    ],
)
@pytest.mark.parametrize("dtype", ["float64", "float32", "bfloat16"])
def test_samples_are_counted_as_by_the_oracle(operation: str, function: Any, aspect: str, dtype: str) -> None:
    """Over the whole domain, right and wrong functions: counts and worst inputs."""
    plan = planned(function, operation, dtype, aspect=aspect, sample=150)
    ((start, stop),) = plan.bounds.values()
    expected, order = Counter(plan.subject, start, stop), plan.subject.order
    places = plan.samples[0] if plan.samples else ()
    got = plan.subject.compute(torch.cat([order.tensor(n, n + 1) for n in places]))
    for k, n in enumerate(places):
        expected.point(exact_value(got[k : k + 1]), n)
    found, counts = run(plan)[1].counts, expected.finished()
    for name in ("inputs", "rounded", "faithful", "refuted", "undecided", "first_refuted", "histogram"):
        assert (name, getattr(found, name)) == (name, getattr(counts, name))
    assert found.worst == pytest.approx(counts.worst)
    if counts.steepest is not None and counts.steepest[0] > 1:
        assert found.steepest == pytest.approx(counts.steepest)


@pytest.mark.parametrize(
    ("how", "covered"),
    [
        ({}, "every input"),
        ({"span": "1:2"}, "every input in 1:2"),
        ({"sample": 12}, "12 inputs evenly spread"),
        ({"sample": 1}, "1 input evenly spread"),
        ({"span": "1:2", "sample": 12}, "12 inputs evenly spread in 1:2"),
    ],
)
def test_the_subject_says_what_was_covered(how: dict[str, Any], covered: str) -> None:
    """In words, and with coverage "searched" where that is not all."""
    verdict = verify.sweep(torch.sigmoid, "sigmoid", "float16", **how)
    assert f": value of {covered} of sigmoid(x) in float16 on cpu" in verdict.subject
    assert verdict.coverage == ("searched" if how else "exhaustive")


def test_a_sample_of_pairs_has_finite_numbers_alone() -> None:
    """All of them are judged."""
    verdict = verify.sweep(functional.cross_entropy, "cross_entropy", "bfloat16", form="pair", sample=40)
    assert (verdict.status, verdict.coverage, verdict.inputs) == (Status.PASSED, "searched", 40)


def test_a_range_of_float64_is_swept_whole() -> None:
    """All neighbours of 1 up to 2^-36 above, errors to a fraction of an ulp."""
    top = 1 + 2.0**-36
    verdict = verify.sweep(functional.softplus, "softplus", "float64", span=f"1:{top!r}")
    assert (verdict.status, verdict.coverage, verdict.inputs) == (Status.PASSED, "searched", 65_537)
    assert verdict.counts is not None
    worst = verdict.counts["worst"]
    assert worst["ulp"] == pytest.approx(verdict.worst_ulp, abs=1e-6)


@pytest.mark.parametrize("span", ["-720.000000001:-720", "-690.000000001:-690"])
def test_values_of_float64_near_0_are_judged(span: str) -> None:
    """Where one ulp is so small that its inverse is no number."""
    verdict = verify.sweep(functional.softplus, "softplus", "float64", span=span)
    assert verdict.status is Status.PASSED
    assert verdict.counts is not None
    assert verdict.worst_ulp == pytest.approx(verdict.counts["worst"]["ulp"], abs=1e-6)


def test_a_function_without_rounding_is_exact_in_float32() -> None:
    """Every result of minus x, by comparison alone."""
    verdict = verify.sweep(functional.nll_loss, "nll_loss", "float32", span="-1.01:-1")
    assert verdict.counts is not None
    assert (verdict.status, verdict.counts["exact"]) == (Status.PASSED, verdict.inputs)


def noisy(x: Any) -> Any:
    """Softplus, off by up to 4 ulp by the last bits of the argument."""
    noise = (x.view(torch.int32) * 2654435761 & 7) - 4
    return (functional.softplus(x.double()) * (1 + noise * 2.0**-23)).float()


def test_counts_by_comparison_are_those_of_the_oracle() -> None:
    """All results just above 1, some of them beyond the bound, each judged one by one."""
    plan = planned(noisy, "softplus", "float32", span=f"1:{1 + 400 * 2.0**-23!r}")
    counts = run(plan)[1].counts
    ((start, stop),) = plan.bounds.values()
    got, expected = noisy(plan.subject.order.tensor(start, stop)), Counter(plan.subject, start, stop)
    for n in range(start, stop):
        expected.point(Fraction(float(got[n - start])), n)
    found = expected.finished()
    for name in ("inputs", "rounded", "faithful", "refuted", "undecided", "first_refuted", "histogram"):
        assert (name, getattr(counts, name)) == (name, getattr(found, name))
    assert 50 < counts.refuted < 350
    assert counts.worst is not None
    assert found.worst is not None
    assert counts.worst[1:] == found.worst[1:]
    assert counts.steepest is not None
    assert found.steepest is not None
    assert counts.steepest[1:] == found.steepest[1:]


def test_the_worst_error_is_that_of_the_oracle() -> None:
    """Over all of a binade of bfloat16, each input judged one by one."""
    form = form_named("cross_entropy", "label-0")
    subject = Subject(functional.cross_entropy, form, "value", "bfloat16")
    inputs = subject.order.between(1.0, 1.9921875)
    found = [subject.outcome(subject.result_at(n), subject.order.value(n))[0] for n in inputs]
    verdict = verify.sweep(
        functional.cross_entropy, "cross_entropy", "bfloat16", form="label-0", span="1:1.9921875"
    )
    assert verdict.worst_ulp == pytest.approx(max(outcome.ulp for outcome in found), rel=1e-9)
    assert verdict.worst_ratio == pytest.approx(max(outcome.ratio for outcome in found), rel=1e-5)
    assert verdict.counts is not None
    assert verdict.counts["correctly_rounded"] == sum(outcome.ulp <= 0.5 for outcome in found)


def _raises(x: Any) -> Any:
    if bool((x == 2.5).any()):
        raise ValueError("no kernel for this")
    return torch.sigmoid(x)


def _of_neighbours(x: Any) -> Any:
    return torch.sigmoid(x.nan_to_num(0, 0, 0) - x.nan_to_num(0, 0, 0).clamp(-1, 1).mean())


CALLS = [0]


def _by_chance(x: Any) -> Any:
    CALLS[0] += 1
    return torch.sigmoid(x) * (1 + CALLS[0] % 2)


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (_raises, "raised ValueError: no kernel for this, at 2.5"),
        (lambda x: torch.sigmoid(x).float(), "the result is torch.float32; it should be torch.float16"),
        (lambda x: torch.sigmoid(x)[:-1], "has shape"),
        (lambda x: 0.5, "is a float, not a tensor"),
        (_of_neighbours, "as the other inputs of a call, or chance, will have it"),
        (_by_chance, "or chance"),
    ],
    ids=["raises", "dtype", "shape", "number", "neighbours", "chance"],
)
def test_what_is_no_function_of_one_number_is_refuted(function: Callable[..., Any], reason: str) -> None:
    """With what it does in words; it is not taken for a wrong result of an input."""
    verdict = verify.sweep(function, "sigmoid", "float16", span="0.5:8")
    assert verdict.status is Status.REFUTED
    assert reason in verdict.reason


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        ({"shard": (0, 4)}, "give \\(i, N\\)"),
        ({"shard": (5, 4)}, "give \\(i, N\\)"),
        ({"sample": 0}, "whole number from 1"),
        ({"dtype": "float64"}, "too many; give a range or a sample"),
        ({"dtype": "float32", "form": "pair", "operation": "softmax"}, "float16 or bfloat16"),
        ({"aspect": "side effects"}, "give value or gradient"),
        ({"operation": "softplu"}, "is no function of one or two numbers"),
        ({"candidate": 3}, "give a function"),
        ({"span": "5:4"}, "LOW <= HIGH"),
        ({"span": (4, 5)}, "as in -20:20"),
        ({"operation": "entropy", "span": "2:3"}, "no input of the form"),
        ({"form": "pair", "operation": "softmax", "aspect": "gradient"}, "has no gradient"),
    ],
)
def test_a_sweep_that_makes_no_sense_is_refused(arguments: dict[str, Any], hint: str) -> None:
    """With the rule and a way out."""
    told = {"candidate": torch.sigmoid, "operation": "sigmoid", "dtype": "float16", **arguments}
    with pytest.raises(UsageError, match=hint):
        verify.sweep(told.pop("candidate"), told.pop("operation"), told.pop("dtype"), **told)


def test_an_absent_device_is_said() -> None:
    """Before anything is computed."""
    if torch.cuda.is_available():
        pytest.skip("not run: a CUDA device is present")
    with pytest.raises(UnavailableError, match="not present"):
        verify.sweep(torch.sigmoid, "sigmoid", "float16", device="cuda")


@pytest.mark.cuda
def test_a_cuda_device_sweeps(cuda: str) -> None:
    """In float32, a part of it."""
    verdict = verify.sweep(torch.sigmoid, "sigmoid", "float32", span="0.5:1", device=cuda)
    assert verdict.status is Status.PASSED


def test_a_check_in_16_bits_judges_every_input() -> None:
    """A verdict for each form and property, beside those of the search."""
    results = verify.check(functional.softplus, "softplus", dtypes=("float32", "bfloat16"), examples=6)
    everywhere = [verdict for verdict in results if verdict.coverage == "exhaustive"]
    assert [verdict.inputs for verdict in everywhere] == [65_282, 65_282]
    assert [verdict.coverage for verdict in results][:3] == ["searched"] * 3
    assert results.holds


def test_a_check_finds_what_a_search_does_not() -> None:
    """One wrong input of 65,536."""
    results = verify.check(wrong_at(3.140625), "softplus", dtypes=("bfloat16",), examples=6, grad=False)
    assert [verdict.status.value for verdict in results] == ["passed", "passed", "refuted"]
    assert results[2].witness is not None
    assert verify.replay(wrong_at(3.140625), results[2].witness).status is Status.REFUTED


def test_a_function_without_the_form_is_not_applicable() -> None:
    """It takes no reduction, so that its losses cannot be told apart."""
    results = verify.check(
        lambda x, y: functional.cross_entropy(x, y), "cross_entropy", dtypes=("float16",), examples=4
    )
    assert [verdict.applicable for verdict in results if "every input" in verdict.subject] == [False] * 4
    assert results.holds


@pytest.mark.parametrize("how", [{"level": "accurate"}, {"options": {"reduction": "sum"}}])
def test_what_asks_for_other_calls_is_not_swept(how: dict[str, Any]) -> None:
    """Another level, or an option that the forms do not have."""
    searches = verify.checking.plan(functional.cross_entropy, "cross_entropy", dtypes=("float16",), **how)
    assert not any(isinstance(search, Everywhere) for search in searches)


def test_an_infinite_result_is_the_worst() -> None:
    """The textbook form overflows at 11.1 in float16 and at 88.7 in float32."""
    verdict = verify.sweep(lambda x: torch.log(1 + torch.exp(x)), "softplus", "float32", span="88:89")
    assert verdict.counts is not None
    assert (verdict.status, verdict.worst_ulp) == (Status.REFUTED, math.inf)
    assert verdict.counts["worst"]["got"] == math.inf

"""The least bound: it encloses, over an interval, what running error analysis gives at each input in it."""

from __future__ import annotations

import random
from typing import Any

import pytest

from verify.backends import load_torch
from verify.contexts.intervals import Interval
from verify.form import Form
from verify.forms import FORMS, form_named
from verify.sweeps.allowance import BLOCK, Blocks, bounds_at, enclosed
from verify.sweeps.subject import Subject

pytestmark = pytest.mark.torch

ONE = [(form, aspect) for form in FORMS if form.arity == 1 for aspect in ("value", "gradient")]
IDS = [f"{form.id}-{aspect}" for form, aspect in ONE]


def _subject(form: Form, aspect: str, dtype: str) -> Subject:
    return Subject(lambda *tensors, **options: None, form, aspect, dtype)


def _blocks(subject: Subject, count: int) -> tuple[Any, Any, Any]:
    """Intervals of neighbouring inputs all over the domain: lower ends, upper ends, and an input in each."""
    torch, drawn, order = load_torch(), random.Random(11), subject.order
    width = 1 << max(0, order.format.precision - 12)
    inputs = order.between(max(subject.curve.low, -600), min(subject.curve.high, 600))
    starts = [drawn.randrange(inputs.start, inputs.stop - width) // width * width for _ in range(count)]
    starts = [n for n in starts if n >= inputs.start]
    inside = [n + drawn.randrange(width + 1) for n in starts]
    found = []
    for numbers in (starts, [n + width for n in starts], inside):
        found.append(torch.tensor([float(order.value(n)) for n in numbers], dtype=torch.float64))
    return found[0], found[1], found[2]


@pytest.mark.parametrize(("form", "aspect"), ONE, ids=IDS)
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_the_bound_of_each_input_lies_within_that_of_its_block(form: Form, aspect: str, dtype: str) -> None:
    """At both ends and between, all over the domain."""
    subject = _subject(form, aspect, dtype)
    low, high, inside = _blocks(subject, 400)
    least, most = enclosed(subject, lambda x: (x,), low, high)
    for x in (low, inside, high):
        bound = bounds_at(subject, (x,))
        assert bool((least <= bound).all())
        assert bool(((bound <= most) | bound.isinf()).all())


@pytest.mark.parametrize("name", ["sigmoid", "logsigmoid", "softplus", "log_softmax", "entropy"])
def test_the_bound_of_a_block_is_close(name: str) -> None:
    """Most blocks are known to a hundredth, so that one comparison judges nearly all of their results."""
    subject = _subject(form_named(name, None), "value", "float32")
    low, high, inside = _blocks(subject, 400)
    least, _ = enclosed(subject, lambda x: (x,), low, high)
    near = (least >= 0.99 * bounds_at(subject, (inside,))).double().mean()
    assert float(near) > 0.9


def test_open_are_errors_beyond_the_bound_of_their_block() -> None:
    """And one that is the largest part of it; the others are not."""
    torch = load_torch()
    subject = _subject(form_named("softplus", None), "value", "float32")
    start = subject.order.of(1.0)
    errors = torch.full((4 * BLOCK,), 0.25, dtype=torch.float64)
    errors[[5, BLOCK + 7, 3 * BLOCK]] = torch.tensor([0.75, 0.75000001, 1e6], dtype=torch.float64)
    blocks = Blocks(subject, start, start + 4 * BLOCK)
    assert blocks.open(start, errors, 2.0**-23, 2.0**-30, 0.0)[0].tolist() == [3 * BLOCK]
    errors[3 * BLOCK] = 0.6
    places, least = blocks.open(start, errors, 2.0**-23, 2.0**-30, 0.0)
    assert (places.tolist()[0], bool((least > 1).all())) == (5, True)
    assert blocks.open(start, errors, 2.0**-23, 2.0**-30, 0.9)[0].tolist() == []


def test_an_interval_holds_what_its_numbers_give() -> None:
    """Sums, differences, products and quotients of numbers drawn from two intervals; none by 0."""
    torch = load_torch()
    torch.manual_seed(3)
    ends = torch.randn(2, 2, 500, dtype=torch.float64).sort(dim=1).values
    first, second = (Interval(pair[0], pair[1]) for pair in ends)
    share = torch.rand(2, 500, dtype=torch.float64)
    x, y = (one.low + part * (one.high - one.low) for one, part in zip((first, second), share, strict=True))
    for interval, number in (
        (first + second, x + y),
        (first - second, x - y),
        (first * second, x * y),
        (first / second, x / y),
        (-first, -x),
        (first.abs(), x.abs()),
        (first.larger(second), torch.maximum(x, y)),
        (first.rising("exp"), x.exp()),
    ):
        assert bool(((interval.low <= number) & (number <= interval.high)).all())
    assert bool((first / second).high[(ends[1, 0] < 0) & (ends[1, 1] > 0)].isinf().all())

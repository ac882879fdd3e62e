"""The exact side of a sweep: float order, Taylor patches, tables of 16-bit formats, pairs."""

from __future__ import annotations

import math
import random
from fractions import Fraction

import pytest

from verify.backends import load_torch
from verify.contexts.series import interval, taylor, working
from verify.errors import PrecisionError, UsageError
from verify.floats import FORMATS, Enclosure, format_named
from verify.form import Form
from verify.forms import FORMS, form_named, forms_of
from verify.sweeps.allowance import bounds_at, least_of_pairs
from verify.sweeps.order import Order, range_of
from verify.sweeps.pairs import Pairs
from verify.sweeps.patches import SLACK, patches
from verify.sweeps.references import Work, constant_top, table_of, ulp_of
from verify.sweeps.subject import Subject

pytestmark = pytest.mark.torch

ONE = [(form, aspect) for form in FORMS if form.arity == 1 for aspect in ("value", "gradient")]
IDS = [f"{form.id}-{aspect}" for form, aspect in ONE]


def _subject(form: Form, aspect: str, dtype: str) -> Subject:
    return Subject(lambda *tensors, **options: None, form, aspect, dtype)


@pytest.mark.parametrize("name", FORMATS)
def test_float_order_is_by_value(name: str) -> None:
    """The tensor of a run of numbers holds their values, -0 below 0, in increasing order."""
    order = Order(format_named(name))
    for start in (order.half - 3, order.finite.start - 1, order.finite.stop - 3, order.half + 12345):
        values = [order.value(n) for n in range(start, start + 4)]
        assert order.tensor(start, start + 4).double().tolist() == [float(value) for value in values]
        assert [order.number(order.bits(n)) for n in range(start, start + 4)] == list(range(start, start + 4))
    assert [math.copysign(1, float(order.value(order.half + k))) for k in (-1, 0)] == [-1, 1]


@pytest.mark.parametrize(("low", "high"), [(-0.1, 0.1), (0.0, 1.0), (-math.inf, math.inf), (2.0**-30, 1e4)])
def test_a_range_has_all_values_between_its_ends(low: float, high: float) -> None:
    """Counted over all patterns of float16."""
    order = Order(format_named("float16"))
    inside = [n for n in range(order.count) if low <= float(order.value(n)) <= high]
    found = order.between(low, high)
    assert list(found) == inside


@pytest.mark.parametrize("text", ["", "1", "2:1", "a:b", "nan:1"])
def test_a_range_without_two_ends_is_refused(text: str) -> None:
    """With the form to give."""
    with pytest.raises(UsageError, match="give LOW:HIGH"):
        range_of(text, Order(format_named("float32")))


@pytest.mark.parametrize(("form", "aspect"), ONE, ids=IDS)
def test_a_patch_holds_the_exact_values(form: Form, aspect: str) -> None:
    """The polynomial is within its slack of what the oracle encloses, at inputs of random binades."""
    subject, drawn = _subject(form, aspect, "float32"), random.Random(form.id + aspect)
    order = subject.order
    inputs = order.between(max(subject.curve.low, -200), min(subject.curve.high, 200))
    for _ in range(4):
        start = drawn.randrange(inputs.start, inputs.stop) // order.binade * order.binade
        start, stop = max(start, inputs.start) + 1000, min(start + order.binade, inputs.stop) - 1000
        found = [p for p in patches(subject, start, min(stop, start + 50_000)) if p.coefficients is not None]
        for patch in found[:: max(1, len(found) // 2)]:
            n = drawn.randrange(patch.start, patch.stop)
            t = Fraction(n - patch.start) - Fraction(patch.middle)
            terms = [Fraction(c) * t**k for k, c in enumerate(patch.coefficients or ())]
            value = (sum(terms) + Fraction(patch.base) + Fraction(patch.slope) * t) * Fraction(patch.ulp)
            truth = subject.enclosure(order.value(n))
            assert isinstance(truth, Enclosure)
            around = (truth.upper * (1 + Fraction(s, 1 << 60)) for s in (-1, 1))
            assert Fraction(patch.ulp) in {order.format.ulp(number) for number in around}
            assert abs(value - truth.upper) <= Fraction(patch.slack + 2.0**-20) * Fraction(patch.ulp)
            assert patch.slack <= SLACK


@pytest.mark.parametrize(
    "edges", [("softplus", 87.0, 90.0), ("sigmoid", 16.0, 18.0), ("softplus", -1e-7, 1e-7)]
)
def test_patches_cover_all_inputs_once(edges: tuple[str, float, float]) -> None:
    """Each begins where the one before ends."""
    name, low, high = edges
    subject = _subject(forms_of(name)[0], "value", "float32")
    inputs = subject.order.between(low, high)
    start, stop = inputs.start, min(inputs.stop, inputs.start + (1 << 22))
    at = start
    for patch in patches(subject, start, stop):
        assert patch.start == at
        at = patch.stop
    assert at == stop


@pytest.mark.parametrize(("form", "aspect"), ONE, ids=IDS)
def test_a_table_holds_the_exact_values(form: Form, aspect: str) -> None:
    """Within its slack, at inputs of float16 all over the domain; where it knows nothing it says so."""
    table = table_of(form, aspect, "float16", "cpu")
    subject, drawn = _subject(form, aspect, "float16"), random.Random(7)
    for k in drawn.sample(range(table.value.numel()), 12):
        if table.start + k in table.unknown:
            continue
        truth = subject.enclosure(subject.order.value(table.start + k))
        assert isinstance(truth, Enclosure)
        off = abs(Fraction(float(table.value[k])) - Fraction(truth.upper)) / Fraction(float(table.unit[k]))
        edge = subject.order.format.clamped(math.inf)
        assert off <= Fraction(float(table.slack[k])) + Fraction(1, 1 << 20) or abs(truth.upper) >= edge


@pytest.mark.parametrize(("form", "aspect"), ONE, ids=IDS)
def test_what_is_said_of_a_form_is_so(form: Form, aspect: str) -> None:
    """Monotone between its turns, with its limits, and rational where it says so and nowhere else."""
    torch = load_torch()
    subject, curve = _subject(form, aspect, "float16"), form.curve(aspect)
    table = table_of(form, aspect, "float16", "cpu")
    order = subject.order
    known = torch.ones_like(table.value, dtype=torch.bool)
    known[[n - table.start for n in table.unknown]] = False
    cuts = [-math.inf, *(edge for turn in ((0.0, 0.0), *curve.turns) for edge in turn), math.inf]
    for low, high in zip(sorted(cuts), sorted(cuts)[1:], strict=False):
        if low >= high or (low, high) in curve.turns:
            continue
        here = order.between(low, high)
        part = slice(max(here.start - table.start, 0), max(here.stop - table.start, 0))
        steps = (table.value[part][known[part]].diff() / table.unit[part][known[part]][1:]).tolist()
        assert all(step >= -1e-4 for step in steps) or all(step <= 1e-4 for step in steps)
    for limit, edge in zip(curve.limits, (-8000.0, 8000.0), strict=True):
        if limit is not None:
            truth = subject.enclosure(Fraction(edge))
            assert isinstance(truth, Enclosure)
            assert abs(truth.upper - Fraction(limit)) <= Fraction(1, 10**12)
    if curve.rational is not None:
        left_out = {n for edge in curve.without for n in order.between(edge, edge)}
        inputs = range(table.start + 5, table.start + table.value.numel(), 4001)
        tried = [n for n in inputs if n not in left_out]
        points = [n for n in tried if getattr(subject.enclosure(order.value(n)), "is_point", False)]
        assert {float(order.value(n)) for n in points} <= set(curve.rational)


@pytest.mark.parametrize("form", [form for form in FORMS if form.arity == 2], ids=lambda form: form.id)
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_the_value_of_a_pair_is_known_to_many_digits(form: Form, dtype: str) -> None:
    """The function of the difference is within what is said of it, far below an ulp, at random pairs."""
    torch = load_torch()
    subject, drawn = _subject(form, "value", dtype), random.Random(3)
    order = subject.order
    low, high = (order.of(order.format.round(Fraction(edge))) for edge in (-300, 300))
    numbers = [[drawn.randrange(low, high) for _ in range(2)] for _ in range(25)]
    numbers += [[n, n + k] for n in (order.finite.start + 9, order.half + 9) for k in (-1, 0, 1)]
    for x, y in (map(order.value, pair) for pair in numbers):
        value, _, off = Pairs(subject, torch.tensor([float(y)], dtype=torch.float64)).at(float(x))
        truth = subject.enclosure(x, y)
        assert isinstance(truth, Enclosure)
        allowed = Fraction(float(off)) if off is not None else abs(truth.upper) / (1 << 42)
        error = abs(Fraction(float(value)) * form.scale - Fraction(truth.upper))
        assert error <= allowed + order.format.smallest_subnormal / (1 << 20)


@pytest.mark.parametrize("operation", ["softmax", "log_softmax", "cross_entropy"])
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_the_table_of_bounds_by_difference_is_below_the_bound(operation: str, dtype: str) -> None:
    """At pairs of all sizes, near and far."""
    torch = load_torch()
    subject = _subject(form_named(operation, "pair"), "value", dtype)
    order = subject.order
    torch.manual_seed(5)
    columns = []
    for spread in (0.01, 1.0, 20.0, 3000.0):
        x = (torch.randn(2, 2000) * spread).to(getattr(torch, dtype)).double()
        columns.append(torch.cat((x, torch.stack((x[0], x[0] + x[1] / 64)).to(getattr(torch, dtype))), 1))
    given = tuple(torch.cat(columns, 1).double().clamp(*[float(order.format.largest) * s for s in (-1, 1)]))
    least, bound = least_of_pairs(subject, given), bounds_at(subject, given)
    assert bool((least <= bound).all())
    assert float((least / bound).median()) > 0.2


def test_the_ulp_of_a_float64_is_that_of_the_format() -> None:
    """From the least to the largest binade."""
    torch = load_torch()
    format = format_named("bfloat16")
    numbers = [2.0**-140, 2.0**-126, 0.3, 1.0, 1.99, 2.0, 3e38]
    expected = [float(format.ulp(Fraction(number))) for number in numbers]
    assert ulp_of(torch.tensor(numbers, dtype=torch.float64), format).tolist() == expected


@pytest.mark.parametrize("form", [form for form in FORMS if form.arity == 2], ids=lambda form: form.id)
def test_the_ulp_of_a_pair_is_that_of_its_value(form: Form) -> None:
    """At a row of pairs with differences from 2^-20 to 2^60, of both signs."""
    torch = load_torch()
    subject = _subject(form, "value", "bfloat16")
    second = torch.tensor([s * 2.0**k for s in (-1, 1) for k in range(-20, 60)], dtype=torch.float64).sort()[
        0
    ]
    value, unit, _ = Pairs(subject, second).at(0.5)
    assert unit.tolist() == ulp_of(value, subject.order.format).tolist()


@pytest.mark.parametrize("name", FORMATS)
def test_the_values_with_given_numbers_are_those_of_a_run(name: str) -> None:
    """Counted from a start, and every 64th of a run."""
    torch = load_torch()
    order = Order(format_named(name))
    start = order.half - 640
    places = torch.arange(0, 1281, 64)
    run = order.tensor(start, start + 1281)[::64].double().tolist()
    assert order.at(places, start).double().tolist() == run
    assert order.tensor(start, start + 1281, step=64).double().tolist() == run


@pytest.mark.parametrize(("x", "constant"), [(-1e-20, True), (-0.9, False)])
def test_the_largest_error_on_a_constant_is_known_from_two_results(x: float, *, constant: bool) -> None:
    """The least and the largest; on other patches, and beside nan, it is left open."""
    torch = load_torch()
    subject = _subject(form_named("softplus", None), "value", "float32")
    start = subject.order.of(subject.order.format.round(Fraction(x)))
    patch = next(patches(subject, start, start + 1000))
    got = torch.nn.functional.softplus(subject.order.tensor(patch.start, patch.stop))
    got[7] *= 1 + 2.0**-20
    largest = float(Work(1000, "cpu").errors_on(patch, patch.start, got, subject.order.format).amax())
    assert constant_top(patch, got) == (largest if constant else math.inf)
    got[3] = math.nan
    assert not constant_top(patch, got) <= 1e9


def test_a_branch_that_an_interval_does_not_decide_is_refused() -> None:
    """The maximum of x and 0 around 0."""
    with working(64, 3), pytest.raises(PrecisionError, match="not decided"):
        taylor(lambda c, x: c.maximum(x, 0), lambda x: (x,), interval(Fraction(-1), Fraction(1)))


@pytest.mark.parametrize(
    ("operation", "name", "hint"), [("softplus", "y", "x"), ("js_divergence", None, "swept")]
)
def test_a_form_that_is_not_there_is_refused(operation: str, name: str | None, hint: str) -> None:
    """With the names that are."""
    with pytest.raises(UsageError, match=hint):
        form_named(operation, name)

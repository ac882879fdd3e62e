"""The oracle: balls hold the reference on adversarial inputs, and the answer is narrow or unknown."""

from __future__ import annotations

import gc
import importlib
import math
import pkgutil
import random
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest

from verify import operations
from verify.checking import contract_of
from verify.contexts.ball import BallContext
from verify.contexts.exact import ExactContext, to_decimal
from verify.contexts.family import Family
from verify.elements import element
from verify.errors import DomainError, PrecisionError, VerifyError
from verify.floats import FORMATS, Enclosure, ulp_error
from verify.operation import Operation
from verify.operations.cross_entropy_with_logits import cross_entropy_with_logits
from verify.operations.kl_div import kl_div
from verify.operations.log_softmax import log_softmax
from verify.operations.softmax import softmax
from verify.oracle import Undecided, confirm, enclose, enclose_family, is_narrow

EDGES = [0.0, 1.0, -1.0, 5e-324, -1e-310, 1e-45, 2.0**-149, 0.1, 88.72, -103.97, 709.8, -745.2, 1e3, -1e3]
TINY = [Fraction(1, 2**149), Fraction(1, 2**1074), Fraction(3, 2**60)]

Arguments = tuple[Any, ...]


def real(random: random.Random) -> Fraction:
    """A logit: an edge case, or a float of any size up to 1000."""
    if random.random() < 0.4:
        return Fraction(random.choice(EDGES))
    return Fraction(random.gauss(0, 1) * 10 ** random.uniform(-12, 3))


def logits(random: random.Random) -> tuple[Fraction, ...]:
    """Logits of 1 to 6 classes, now and then with ties or a common offset."""
    offset = random.choice([0, 0, 1000, -1000])
    row = [real(random) + offset for _ in range(random.randint(1, 6))]
    return tuple(row + row[:1] if random.random() < 0.3 else row)


def probability(random: random.Random) -> Fraction:
    """A probability strictly between 0 and 1, close to an end now and then."""
    p = random.choice([*TINY, Fraction(random.randint(1, 1023), 1024), Fraction(1, 3)])
    return random.choice([p, 1 - p])


def distribution(random: random.Random, length: int) -> tuple[Fraction, ...]:
    """A dyadic vector that sums to exactly 1: one-hot, with zeros, with subnormal entries, or flat."""
    hot = random.randrange(length)
    if random.random() < 0.3:
        return tuple(Fraction(int(i == hot)) for i in range(length))
    weights = [
        random.choice([Fraction(0), *TINY, Fraction(random.randint(1, 9), 64 * length)])
        for _ in range(length)
    ]
    weights[hot] = Fraction(0)
    weights[hot] = 1 - sum(weights)
    return tuple(weights)


def pair(random: random.Random) -> Arguments:
    """Two distributions over the same classes; the second may vanish where the first does not."""
    length = random.randint(1, 5)
    return distribution(random, length), distribution(random, length)


def labelled(row: tuple[Fraction, ...], random: random.Random) -> Arguments:
    """A row with the label of one of its entries."""
    return row, random.randint(1, len(row))


def indexed(row: tuple[Fraction, ...], label: int) -> Arguments:
    """A row, its last position, and a label."""
    return row, len(row), label


def targeted(row: tuple[Fraction, ...], random: random.Random) -> Arguments:
    """A row, its first position, and a distribution as target."""
    return row, 1, distribution(random, len(row))


POINTS: dict[str, Callable[[random.Random], Arguments]] = {
    "binary_cross_entropy": lambda r: (probability(r), r.choice([Fraction(0), Fraction(1), probability(r)])),
    "binary_cross_entropy_with_logits": lambda r: (
        real(r),
        r.choice([Fraction(0), Fraction(1), probability(r)]),
    ),
    "bits": lambda r: (probability(r),),
    "cross_entropy": pair,
    "cross_entropy_with_logits": lambda r: labelled(logits(r), r),
    "cross_entropy_with_softcap": lambda r: (*labelled(logits(r), r), Fraction(30)),
    "smoothed_cross_entropy": lambda r: (*labelled(logits(r), r), Fraction(1, 8)),
    "weighted_cross_entropy": lambda r: (
        *zip(*[labelled((real(r), real(r)), r)] * 2, strict=True),
        (probability(r), probability(r)),
    ),
    "cross_entropy_derivative": lambda r: indexed(*labelled(logits(r), r)),
    "cross_entropy_curvature": lambda r: indexed(*labelled(logits(r), r)),
    "soft_cross_entropy_derivative": lambda r: targeted(logits(r), r),
    "binary_cross_entropy_derivative": lambda r: (real(r), probability(r)),
    "squared_logsumexp_derivative": lambda r: labelled(logits(r), r),
    "tempered_cross_entropy_derivative": lambda r: (
        *indexed(*labelled(logits(r), r)),
        Fraction(1, 2),
    ),
    "cross_entropy_with_temperature": lambda r: (*labelled(logits(r), r), Fraction(1, 2)),
    "cross_entropy_with_z_loss": lambda r: (*labelled(logits(r), r), Fraction(1, 8)),
    "entropy": lambda r: (distribution(r, r.randint(1, 6)),),
    "focal_loss_derivative": lambda r: (probability(r), r.choice([Fraction(0), Fraction(2), real(r) ** 2])),
    "gaussian_nll_loss": lambda r: (real(r), real(r), probability(r)),
    "js_divergence": pair,
    "kl_div": pair,
    "laplace_nll": lambda r: (real(r), real(r), probability(r)),
    "linear_cross_entropy": lambda r: (
        (real(r), real(r)),
        *labelled(tuple((real(r), real(r)) for _ in range(r.randint(1, 4))), r),
    ),
    "log_likelihood": lambda r: (tuple(probability(r) for _ in range(r.randint(1, 6))),),
    "log_softmax": lambda r: (logits(r),),
    "logsigmoid": lambda r: (real(r),),
    "logsumexp": lambda r: (logits(r),),
    "negative_binomial_nll": lambda r: (1 + probability(r), real(r), Fraction(r.randint(0, 4))),
    "nll": lambda r: labelled(distribution(r, r.randint(1, 6)), r),
    "one_hot": lambda r: labelled(logits(r), r)[::-1],
    "perplexity": lambda r: (tuple(probability(r) for _ in range(r.randint(1, 6))),),
    "perplexity_with_logits": lambda r: tuple(zip(*[labelled((real(r), real(r)), r)] * 2, strict=True)),
    "poisson_nll_loss": lambda r: (real(r), Fraction(r.randint(0, 9))),
    "rel_entr": lambda r: (probability(r), probability(r)),
    "sigmoid": lambda r: (real(r),),
    "softmax": lambda r: (logits(r),),
    "softplus": lambda r: (real(r),),
}


def catalogue() -> dict[str, Operation]:
    """Every operation that a module of ``verify.operations`` holds."""
    modules = [
        importlib.import_module(f"verify.operations.{m.name}")
        for m in pkgutil.iter_modules(operations.__path__)
    ]
    found = [item for module in modules for item in vars(module).values() if isinstance(item, Operation)]
    return {operation.id: operation for operation in found}


OPERATIONS = catalogue()


def entries(result: Any) -> tuple[Any, ...]:
    """The numbers of a result that is a number or a family."""
    return result.items if isinstance(result, Family) else (result,)


def as_family(definition: Callable[..., Any]) -> Callable[..., Family]:
    """The same formula with a family as its result, whether it gave a number or a family."""
    return lambda c, *arguments: Family(entries(definition(c, *arguments)))


def test_every_operation_has_points() -> None:
    """An operation without adversarial points here would go unchecked."""
    assert set(POINTS) == set(OPERATIONS)


@pytest.mark.parametrize("name", POINTS)
def test_balls_hold_the_reference(name: str) -> None:
    """At 600 points the 128-bit balls contain what mpmath gives at 400 digits."""
    draw, operation = random.Random(name), OPERATIONS[name]
    ball, exact = BallContext(128), ExactContext(400)
    outside, held = [], 0
    for _ in range(600):
        values = POINTS[name](draw)
        try:
            enclosures = [
                ball.enclosure(item) for item in entries(ball.evaluate(operation.definition, *values))
            ]
        except PrecisionError:
            continue
        numbers = entries(exact.evaluate(operation.definition, *values))
        for enclosure, number in zip(enclosures, numbers, strict=True):
            held += 1
            if not exact.lies_in(number, enclosure, slack_digits=60):
                outside.append((values, enclosure, number))
    assert (outside, held > 400) == ([], True)


@pytest.mark.parametrize("name", POINTS)
def test_oracle_decides_and_the_reference_confirms(name: str) -> None:
    """At 40 points each the enclosures are narrow in binary64 and mpmath agrees with every one."""
    draw, formula = random.Random(name), as_family(OPERATIONS[name].definition)
    for _ in range(40):
        values = POINTS[name](draw)
        found = enclose_family(formula, values, format=FORMATS["float64"])
        for position, enclosure in enumerate(found, start=1):
            assert isinstance(enclosure, Enclosure)
            assert is_narrow(enclosure, FORMATS["float64"])
            confirm(lambda c, *a, at=position: formula(c, *a)[at], values, enclosure)


@pytest.mark.parametrize("name", POINTS)
def test_higher_precision_stays_inside(name: str) -> None:
    """The enclosure at 512 bits meets the one at 96 bits at every point: they enclose one value."""
    draw, formula = random.Random(name), OPERATIONS[name].definition
    for _ in range(60):
        values = POINTS[name](draw)
        low, high = BallContext(96), BallContext(512)
        try:
            coarse = entries(low.evaluate(formula, *values))
        except PrecisionError:
            continue
        for a, b in zip(coarse, entries(high.evaluate(formula, *values)), strict=True):
            first, second = low.enclosure(a), high.enclosure(b)
            assert first.lower <= second.upper
            assert second.lower <= first.upper


def confident(gap: int) -> Arguments:
    """Two classes, the right one ahead by ``gap``: the loss is about exp(-gap)."""
    return (Fraction(gap), Fraction(0)), 1


@pytest.mark.parametrize("format", list(FORMATS.values()), ids=lambda format: format.name)
@pytest.mark.parametrize("gap", [1, 20, 88, 745, 1000, 100_000])
def test_confident_losses_are_enclosed_to_the_last_bit(format: Any, gap: int) -> None:
    """However small the true loss, its enclosure is at most 2^-20 ulp wide."""
    found = enclose(cross_entropy_with_logits.definition, confident(gap), format=format)
    assert isinstance(found, Enclosure)
    least, most = ulp_error(Fraction(0), found, format)
    assert most - least <= Fraction(1, 2**19)


def test_too_little_precision_is_undecided() -> None:
    """With 64 bits the loss exp(-88) cannot be told from 0, and the oracle says so."""
    found = enclose(
        cross_entropy_with_logits.definition, confident(88), format=FORMATS["float64"], max_bits=64
    )
    assert isinstance(found, Undecided)
    assert found.bits == 64


def test_an_undecided_value_still_lies_in_the_best_enclosure() -> None:
    """What was reached before the cap is kept, and it is rigorous."""
    found = enclose(
        cross_entropy_with_logits.definition, confident(88), format=FORMATS["float64"], max_bits=64
    )
    assert isinstance(found, Undecided)
    assert found.enclosure is not None
    assert found.enclosure.contains(Fraction(math.exp(-88)))


def test_a_formula_that_no_precision_decides_is_undecided() -> None:
    """log(exp(1) - exp(1)) has no value, but balls can never prove it."""
    found = enclose(lambda c: c.log(c.exp(1) - c.exp(1)), (), format=FORMATS["float32"], max_bits=512)
    assert isinstance(found, Undecided)
    assert "sign is undecided" in found.reason


def test_one_undecided_entry_leaves_the_others_decided() -> None:
    """In a family only the entries that need more precision are undecided."""
    found = enclose_family(
        log_softmax.definition, ((Fraction(88), Fraction(0)),), format=FORMATS["float64"], max_bits=128
    )
    assert [type(item) for item in found] == [Undecided, Enclosure]


def test_a_formula_without_a_value_is_a_domain_error() -> None:
    """Softmax of (inf, 0) is undefined, and the oracle does not invent a value."""
    with pytest.raises(DomainError):
        enclose(lambda c, x: c.call(softmax, x)[1], ((math.inf, Fraction(0)),), format=FORMATS["float32"])


def test_an_infinite_truth_is_enclosed_and_confirmed() -> None:
    """KL((1, 0), (0, 1)) is +inf for balls and for mpmath."""
    values = (Fraction(1), Fraction(0)), (Fraction(0), Fraction(1))
    found = enclose(kl_div.definition, values, format=FORMATS["float32"])
    assert found == Enclosure(math.inf, math.inf)
    assert confirm(kl_div.definition, values, Enclosure(math.inf, math.inf)) == "inf"


def test_a_truth_that_overflows_the_format_is_decided() -> None:
    """exp(1e6) has no digits in binary32, but it is known to overflow."""
    found = enclose(lambda c, x: c.exp(x), (Fraction(10**6),), format=FORMATS["float32"])
    assert isinstance(found, Enclosure)
    assert ulp_error(math.inf, found, FORMATS["float32"]) == (0, 0)


def test_confirmation_gives_thirty_digits() -> None:
    """The loss log(1 + exp(-20)) is printed with 30 significant digits."""
    found = enclose(cross_entropy_with_logits.definition, confident(20), format=FORMATS["float64"])
    assert isinstance(found, Enclosure)
    text = confirm(cross_entropy_with_logits.definition, confident(20), found)
    assert text == "0.00000000206115362031438070323898279888"


def test_confirmation_of_a_tiny_value_in_a_coarse_enclosure_has_its_digits() -> None:
    """In binary16 the loss exp(-500) is as good as 0, but what is shown is its value."""
    found = enclose(cross_entropy_with_logits.definition, confident(500), format=FORMATS["float16"])
    assert isinstance(found, Enclosure)
    text = confirm(cross_entropy_with_logits.definition, confident(500), found)
    assert text == to_decimal(ExactContext(50).exp(-500))


def test_confirmation_rejects_a_wrong_enclosure() -> None:
    """An enclosure that misses the value is reported, with the value that mpmath finds."""
    wrong = Enclosure(Fraction(1, 10), Fraction(2, 10))
    with pytest.raises(VerifyError, match=r"mpmath gives 0\.0485873515737420587589"):
        confirm(cross_entropy_with_logits.definition, confident(3), wrong)


def test_confirmation_rejects_a_wrong_enclosure_around_zero() -> None:
    """A value of 1e-200 is not confirmed by an enclosure that is the point 0."""
    with pytest.raises(VerifyError, match="mpmath gives"):
        confirm(lambda c, x: c.exp(c.log(x)), (Fraction(1, 10**200),), Enclosure(Fraction(0), Fraction(0)))


def test_confirmation_of_an_exact_zero() -> None:
    """log(1/3 + 2/3) is exactly 0 in balls and 0 up to noise in mpmath."""
    point = Enclosure(Fraction(0), Fraction(0))
    assert confirm(lambda c: c.log(c.number(Fraction(1, 3)) + Fraction(2, 3)), (), point) == "0"


def test_confirmation_of_a_zero_that_balls_do_not_decide() -> None:
    """1 - (e^x / (e^x + e^y) + e^y / (e^x + e^y)) is 0, of which a ball says that it is near 0."""

    def rest(c: Any) -> Any:
        x, y = c.exp(c.number(1)), c.exp(c.number(2))
        return c.number(1) - (x / (x + y) + y / (x + y))

    edge = Fraction(1, 10**300)
    assert confirm(rest, (), Enclosure(-edge, edge)) == "0"


def test_confirmation_leaves_the_search_for_garbage_as_it_was() -> None:
    """It is on afterwards, as it is held back only while a value is computed."""
    confirm(lambda c: c.exp(c.number(1)), (), Enclosure(Fraction(2), Fraction(3)))
    assert gc.isenabled()


def test_confirmation_of_an_undefined_value_is_a_domain_error() -> None:
    """Where mpmath finds no value either, that is what is said."""
    with pytest.raises(DomainError):
        confirm(lambda c, x: c.log(x), (Fraction(-1),), Enclosure(Fraction(0), Fraction(1)))


@pytest.mark.parametrize("apart", [-math.inf, math.nan])
@pytest.mark.parametrize(
    ("axes", "dim", "shaped", "at"),
    [
        (2, 0, lambda x: ((x, Fraction(0)),), 1),
        (2, 1, lambda x: ((x,), (Fraction(0),)), 1),
        (3, 1, lambda x: (((x, Fraction(0)),),), 1),
        (3, 2, lambda x: (((x,), (Fraction(0),)),), 1),
    ],
)
@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_an_element_is_enclosed_and_confirmed_beside_what_has_no_value(
    name: str, axes: int, dim: int, shaped: Callable[[float], Any], at: int, apart: float
) -> None:
    """The first row, of -inf or nan alone, has none; the row of the element is another, along any axis."""
    definition = contract_of(name).definition

    def formula(c: Any, x: Any) -> Any:
        return element(definition(c, {"axes": axes, "dim": dim}, x), at, count=2)

    truth = enclose(formula, (shaped(apart),), format=FORMATS["float32"], lazy=True)
    assert isinstance(truth, Enclosure)
    assert confirm(formula, (shaped(apart),), truth, lazy=True) == ("1" if name == "softmax" else "0")

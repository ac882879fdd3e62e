"""Hypothesis strategies: exact inputs for the declarations of a statement, in a floating-point format.

Every number drawn is a Fraction that the format holds exactly; labels are ints from 1; families are
tuples. Rows are drawn by regime, because plain random tensors never meet the edges where
implementations fail, and shrink towards few entries, small wholes and quarters.
"""

from __future__ import annotations

import functools
import random
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

import hypothesis
from hypothesis import HealthCheck, Phase, Verbosity, given, reject, settings
from hypothesis import strategies as st
from hypothesis.errors import HypothesisException, Unsatisfiable

from verify import regimes
from verify.claim import Hypothesis
from verify.contexts.ball import BallContext
from verify.contract import numbers_of
from verify.domain import Declaration, Domain
from verify.errors import DomainError, PrecisionError, UsageError
from verify.floats import Dtype, Format, format_named
from verify.points import defined_by, holds, in_domain, length_of

Draw = Callable[[Any], Any]

MANY = 12
"""Longer rows are spread from one drawn seed instead of being drawn entry by entry."""

LARGE_SIZES = (9, 16, 17, 33, 64)

FAR_OFF = 3 * 2**70


Visit = Callable[[Any], tuple[Mapping[str, float], bool]]
"""Looks at one drawn value; returns scores to climb, by label, and whether it is what is looked for."""


class _Found(Exception):
    """A drawn value is what was looked for."""


class Enough(BaseException):
    """Raised by what visits drawn values to see no more of them; no Exception, which would be shrunk."""


def explore(strategy: st.SearchStrategy[Any], visit: Visit, *, seed: int, examples: int) -> Any:
    """Draw up to ``examples`` values, climbing the scores that ``visit`` gives; the same for one seed.

    Stops at the first value that ``visit`` says it looks for, shrinks it until ``visit`` raises `Enough`,
    and returns the simplest one found; None if there was none. A domain in which nothing can be drawn is
    visited never. A ``UsageError`` that ``visit`` raises ends it as it is.
    """
    found: list[Any] = []
    wrong: list[UsageError] = []

    @hypothesis.seed(seed)
    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        phases=(Phase.generate, Phase.target, Phase.shrink),
        suppress_health_check=(HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large),
        verbosity=Verbosity.quiet,
        report_multiple_bugs=False,
        print_blob=False,
    )
    @given(strategy)
    def run(value: Any) -> None:
        try:
            scores, stop = visit(value)
        except UsageError as error:
            wrong.append(error)
            raise Enough from None
        for label, score in scores.items():
            hypothesis.target(score, label=label)
        if stop:
            found.append(value)
            raise _Found

    try:
        run()
    except (_Found, Unsatisfiable, Enough):
        pass
    except HypothesisException:
        if not found:
            raise
    if wrong:
        raise wrong[-1]
    return found[-1] if found else None


@functools.lru_cache(maxsize=4096)
def between(low: int, high: int) -> st.SearchStrategy[int]:
    """A whole number in low..high, evenly spread, that shrinks towards 0 or the bound nearest to it.

    Hypothesis mixes the constants of all source files loaded so far into the integers it draws, so that
    what a seed gives would depend on what was imported before. Drawn from a far-off range, into
    which no constant falls, the same seed gives the same numbers.
    """
    return st.integers(FAR_OFF, FAR_OFF + high - low).map(lambda k: _outwards(k - FAR_OFF, low, high))


def _outwards(k: int, low: int, high: int) -> int:
    """The k-th of low..high in order of distance from 0."""
    if low >= 0 or high <= 0:
        return low + k if low >= 0 else high - k
    both = min(-low, high)
    if k <= 2 * both:
        return (k + 1) // 2 if k % 2 else -(k // 2)
    return k - both if high > both else both - k


def sizes() -> st.SearchStrategy[int]:
    """A length that a statement leaves open: 1..8, and now and then up to 64."""
    return between(0, 9).flatmap(lambda k: long_sizes() if k == 9 else between(1, 8))


def long_sizes() -> st.SearchStrategy[int]:
    """A length from 9 to 64, at or just above what blocks of kernels have."""
    return between(0, len(LARGE_SIZES) - 1).map(lambda at: LARGE_SIZES[at])


def labels(n: int) -> st.SearchStrategy[int]:
    """A label in 1..n."""
    return between(1, n)


def logits(dtype: Dtype, n: int) -> st.SearchStrategy[tuple[Fraction, ...]]:
    """A row of n finite numbers by regime; see ``regimes.logits``."""
    return _row(format_named(dtype), n, Domain())


def probabilities(dtype: Dtype, n: int, *, positive: bool = False) -> st.SearchStrategy[tuple[Fraction, ...]]:
    """A probability vector of n dyadic entries that sum to exactly 1; without zeros if ``positive``."""
    domain = Domain(sign="positive" if positive else "nonnegative", sums_to_one=True)
    return _row(format_named(dtype), n, domain)


def rows(row: st.SearchStrategy[Any], count: int) -> st.SearchStrategy[tuple[Any, ...]]:
    """A tuple of ``count`` rows, each drawn on its own, so that regimes mix."""
    return st.tuples(*[row] * count)


def inputs(
    given: Sequence[Declaration], dtype: Dtype, hypotheses: Sequence[Hypothesis] = ()
) -> st.SearchStrategy[tuple[Any, ...]]:
    """Values for the variables of a statement, in order, that satisfy its hypotheses exactly.

    Where the first draw breaks a hypothesis, distributions without zeros are tried before the draw
    is given up.
    """
    return _inputs(tuple(given), format_named(dtype), tuple(hypotheses))


@st.composite
def _inputs(
    draw: Draw, given: tuple[Declaration, ...], format: Format, hypotheses: tuple[Hypothesis, ...]
) -> tuple[Any, ...]:
    names = {size for d in given for size in (*d.shape, d.domain.bound) if isinstance(size, str)}
    lengths = {name: draw(sizes()) for name in sorted(names)}
    for zeros in (True, False):
        values: list[Any] = []
        for declaration in given:
            twins = [v for d, v in zip(given, values, strict=False) if _same_kind(d, declaration)]
            if twins and draw(between(0, 4)) == 4:
                values.append(twins[-1])
            else:
                values.append(draw(declared(declaration, format, lengths, zeros)))
        settled = _settled(given, hypotheses, tuple(values), lengths, format)
        if settled is not None and _satisfied(hypotheses, settled, lengths):
            return settled
    return reject()


def _settled(
    given: tuple[Declaration, ...],
    hypotheses: tuple[Hypothesis, ...],
    values: tuple[Any, ...],
    lengths: Mapping[str, int],
    format: Format,
) -> tuple[Any, ...] | None:
    """Values of which those that a hypothesis defines are what it says, if that is exact and of the format.

    None where it is outside the domain of the variable.
    """
    context, found = BallContext(), list(values)
    for h in hypotheses:
        name = defined_by(h, given)
        at = next((k for k, d in enumerate(given) if d.name == name and d.domain.kind != "index"), None)
        if at is None:
            continue
        defined = _defined(h, [context.lift(value) for value in found], lengths, context)
        if defined is None or not all(map(format.is_value, numbers_of((defined,)))):
            continue
        if not in_domain(given[at], context.lift(defined), context):
            return None
        found[at] = defined
    return tuple(found)


def _defined(h: Hypothesis, arguments: list[Any], lengths: Mapping[str, int], context: BallContext) -> Any:
    """What the right side of a hypothesis is, at each index of its range; None where it is not exact."""
    places = [()] if h.over is None else [(i,) for i in range(1, length_of(h.over, lengths) + 1)]
    try:
        ends = [context.enclosure(h.right(context, *arguments, *place)) for place in places]
    except (DomainError, PrecisionError):
        return None
    numbers = tuple(end.lower for end in ends if end.is_point and isinstance(end.lower, Fraction))
    if len(numbers) < len(places):
        return None
    return numbers[0] if h.over is None else numbers


def _satisfied(
    hypotheses: tuple[Hypothesis, ...], values: tuple[Any, ...], lengths: Mapping[str, int]
) -> bool:
    """Whether all hypotheses certainly hold at exact values; an undecided comparison counts as no."""
    context = BallContext()
    arguments = tuple(context.lift(value) for value in values)
    try:
        return all(holds(hypothesis, arguments, lengths, context) for hypothesis in hypotheses)
    except (DomainError, PrecisionError):
        return False


def _same_kind(a: Declaration, b: Declaration) -> bool:
    """Whether a value of ``a`` may serve as a value of ``b`` as well."""
    weaker = ("any", "nonnegative", "positive")
    stronger = weaker.index(a.domain.sign) >= weaker.index(b.domain.sign)
    alike = all(
        getattr(a.domain, x) == getattr(b.domain, x) for x in ("kind", "bound", "sums_to_one", "below_one")
    )
    return alike and stronger and a.shape == b.shape


def declared(
    declaration: Declaration, format: Format, lengths: Mapping[str, int], zeros: bool = True
) -> st.SearchStrategy[Any]:
    """A value of the declared shape and domain; a distribution without zeros unless ``zeros``."""
    domain = declaration.domain
    shape = [length_of(size, lengths) for size in declaration.shape]
    if domain.kind == "index":
        bound = length_of(domain.bound if domain.bound is not None else 1, lengths)
        return _shaped(labels(bound), shape)
    if not shape:
        return _row(format, 1, domain, zeros).map(lambda row: row[0])
    return _shaped(_row(format, shape[-1], domain, zeros), shape[:-1])


def _shaped(inner: st.SearchStrategy[Any], shape: Sequence[int]) -> st.SearchStrategy[Any]:
    for size in reversed(shape):
        inner = rows(inner, size)
    return inner


@st.composite
def _row(draw: Draw, format: Format, n: int, domain: Domain, zeros: bool = True) -> tuple[Fraction, ...]:
    """A row of the domain: drawn entry by entry if short, else spread from one drawn seed."""

    def one(low: int, high: int) -> int:
        return int(draw(between(low, high)))

    many = one if n <= MANY else random.Random(one(0, 2**32 - 1)).randint
    if domain.sums_to_one:
        return regimes.probabilities(one, many, format, n, domain.sign == "positive" or not zeros)
    if domain.kind == "integer":
        return regimes.wholes(one, many, n)
    if domain.below_one:
        return regimes.proper_fractions(one, many, format, n)
    if domain.sign != "any":
        return regimes.positives(one, many, format, n, zeros and domain.sign == "nonnegative")
    return regimes.logits(one, many, format, n)

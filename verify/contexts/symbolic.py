"""The symbolic context: formulas as SymPy expressions at symbolic n, their LaTeX, SymPy's opinion."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import sympy
from sympy.simplify.simplify import sum_simplify

from verify.claim import Part
from verify.domain import Declaration, Size
from verify.operation import Operation

INDEX_NAMES = "ijklmabcdefgh"


class XLogY(sympy.Function):  # type: ignore[misc]
    """``x log y`` with 0 log y = 0, kept as it is for display."""

    nargs = 2


@dataclass(frozen=True, slots=True)
class SymbolicFamily:
    """A family of SymPy expressions, indexed from 1 to ``size``."""

    size: Any
    entry: Callable[[Any], Any]

    def __getitem__(self, where: Any) -> Any:
        """The entry at an index, or along several axes at a tuple of indices."""
        if isinstance(where, tuple):
            found: Any = self
            for i in where:
                found = found[i]
            return found
        return self.entry(where)


class SymbolicContext:
    """Formulas as SymPy expressions.

    With ``evaluate`` SymPy may simplify while it builds, as it does by default; without, the
    expression keeps the form of the formula, for display. Names in ``taken`` are given to no index.
    """

    def __init__(self, *, evaluate: bool = True, taken: Collection[str] = ()) -> None:
        self._evaluate = evaluate
        self._free = [name for name in INDEX_NAMES if name not in taken]

    def number(self, value: int | Fraction) -> Any:
        """A rational constant."""
        value = Fraction(value)
        return sympy.Rational(value.numerator, value.denominator)

    def pi(self) -> Any:
        """The circle's constant."""
        return sympy.pi

    def exp(self, a: Any) -> Any:
        """Exponential."""
        return sympy.exp(a, evaluate=self._evaluate)

    def log(self, a: Any) -> Any:
        """Natural logarithm."""
        return sympy.log(a, evaluate=self._evaluate)

    def xlogy(self, a: Any, b: Any) -> Any:
        """``a log b`` (SymPy knows no convention for 0 log 0; for display a node of its own)."""
        return a * sympy.log(b) if self._evaluate else XLogY(a, b)

    def ceil(self, a: Any) -> Any:
        """The least whole number that is not below ``a``."""
        return sympy.ceiling(a, evaluate=self._evaluate)

    def equal(self, i: Any, j: Any) -> Any:
        """Kronecker's delta."""
        return sympy.KroneckerDelta(i, j) if self._evaluate or i != j else sympy.Integer(1)

    def count(self, x: SymbolicFamily) -> Any:
        """The length of a family."""
        return x.size

    def family(self, body: Callable[[Any], Any], *, over: SymbolicFamily) -> SymbolicFamily:
        """The family of ``body(i)``."""
        return SymbolicFamily(over.size, body)

    def sum(self, body: Callable[[Any], Any], *, over: SymbolicFamily) -> Any:
        """A sum over 1..n with symbolic n."""
        return self._bind(sympy.Sum, body, over)

    def prod(self, body: Callable[[Any], Any], *, over: SymbolicFamily) -> Any:
        """A product over 1..n with symbolic n."""
        return self._bind(sympy.Product, body, over)

    def derivative(self, function: Callable[[Any, Any], Any], at: Any, index: Any = None) -> Any:
        """The partial derivative, as SymPy takes it, or unevaluated for display."""
        by = at if index is None else at[index]
        return sympy.Derivative(function(self, at), by, evaluate=self._evaluate)

    def call(self, operation: Operation, *arguments: Any) -> Any:
        """The definition of an operation."""
        return operation.definition(self, *arguments)

    @contextmanager
    def index(self) -> Iterator[Any]:
        """An index with a name that is free here, and not free inside."""
        name = self._free.pop(0)
        try:
            yield sympy.Symbol(name, integer=True, positive=True)
        finally:
            self._free.insert(0, name)

    def _bind(self, kind: Any, body: Callable[[Any], Any], over: SymbolicFamily) -> Any:
        with self.index() as i:
            return kind(body(i), (i, 1, over.size))


def variable(declaration: Declaration) -> Any:
    """A declared variable as SymPy symbol, index or family, with the assumptions it carries."""
    name = declaration.latex or declaration.name
    domain = declaration.domain
    facts = {"real": True}
    if domain.sign != "any":
        facts[domain.sign] = True
    if domain.kind == "index":
        facts = {"integer": True, "positive": True}
    if not declaration.shape:
        return sympy.Symbol(name, **facts)
    base = sympy.IndexedBase(sympy.Symbol(name), **({} if domain.kind == "index" else facts))
    return _family(base, declaration.shape, ())


def _family(base: Any, shape: tuple[Size, ...], fixed: tuple[Any, ...]) -> Any:
    if not shape:
        return base[fixed]
    return SymbolicFamily(length(shape[0]), lambda i: _family(base, shape[1:], (*fixed, i)))


def length(size: Size) -> Any:
    """A size as a SymPy symbol (a positive integer) or number."""
    return sympy.Symbol(size, integer=True, positive=True) if isinstance(size, str) else sympy.Integer(size)


LONGEST = 100
"""Of an equation whose sides differ by more operations SymPy is not asked: it would take its time."""


def opinion(part: Part) -> str:
    """What SymPy itself makes of a statement: true, false or undecided.

    An inequality is left as SymPy builds it: its simplifiers expand what shows the sign.
    """
    variables = [variable(d) for d in part.given]
    context = SymbolicContext()
    try:
        gap = part.right(context, *variables) - part.left(context, *variables)
        if part.relation == "=":
            if sympy.count_ops(gap) > LONGEST:
                return f"undecided (more than {LONGEST} operations)"
            gap = _simplified(_within_ranges(gap.doit(), part))
        decided = {"=": gap.is_zero, "<=": gap.is_nonnegative, "<": gap.is_positive}[part.relation]
    except Exception as error:  # SymPy is a witness, not a judge: a crash of it is no opinion
        return f"undecided ({type(error).__name__})"
    return {True: "true", False: "false", None: "undecided"}[decided]


def _within_ranges(gap: Any, part: Part) -> Any:
    """``gap`` told that the labels are in their ranges, which SymPy's symbols cannot carry."""
    labels = {d.latex or d.name: length(d.domain.bound) for d in part.given if d.domain.bound is not None}

    def holds(condition: Any) -> bool:
        low, high = condition.lts, condition.gts
        base = getattr(low, "base", low), getattr(high, "base", high)
        return labels.get(str(base[0])) == high or (low == 1 and str(base[1]) in labels)

    ordered = gap.atoms(sympy.Le, sympy.Ge)
    return gap.xreplace({condition: sympy.true for condition in ordered if holds(condition)})


def _simplified(gap: Any) -> Any:
    """The simplifiers of SymPy that matter here: as many statements decided as by ``simplify``, sooner."""
    gap = sympy.expand_log(sympy.expand(gap))
    if gap.has(sympy.Sum):
        gap = sum_simplify(gap)
    gap = sympy.powsimp(sympy.together(gap))
    return gap if gap.is_zero else sympy.cancel(gap)

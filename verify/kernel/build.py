"""The kernel's context: runs a formula and gets the term that it denotes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from verify.claim import Formula
from verify.domain import Declaration, Size
from verify.errors import KernelError, UsageError
from verify.kernel.terms import Term, close_binder, free, num, position
from verify.operation import Operation


class _Undecided:
    """A thing under construction: Python must not compare it or branch on it."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        raise UsageError("a formula cannot compare with ==; write c.equal(i, j) for indices")

    def __bool__(self) -> bool:
        raise UsageError("a formula cannot branch; write it with c.equal(i, j)")

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True, slots=True, eq=False)
class Index(_Undecided):
    """An index, as a formula gets it."""

    term: Term


@dataclass(frozen=True, slots=True, eq=False)
class Number(_Undecided):
    """A scalar under construction; its operators build terms and simplify nothing."""

    term: Term

    def __add__(self, other: Any) -> Number:
        return Number(Term("add", (self.term, _term(other))))

    def __radd__(self, other: Any) -> Number:
        return Number(Term("add", (_term(other), self.term)))

    def __sub__(self, other: Any) -> Number:
        return self + (-Number(_term(other)))

    def __rsub__(self, other: Any) -> Number:
        return Number(_term(other)) + (-self)

    def __mul__(self, other: Any) -> Number:
        return Number(Term("mul", (self.term, _term(other))))

    def __rmul__(self, other: Any) -> Number:
        return Number(Term("mul", (_term(other), self.term)))

    def __truediv__(self, other: Any) -> Number:
        return Number(Term("div", (self.term, _term(other))))

    def __rtruediv__(self, other: Any) -> Number:
        return Number(Term("div", (_term(other), self.term)))

    def __pow__(self, exponent: int) -> Number:
        if not isinstance(exponent, int):
            raise UsageError(f"exponent {exponent!r} is not a whole number; write exp(a * log(b)) instead")
        return Number(Term("pow", (self.term,), exponent))

    def __neg__(self) -> Number:
        return Number(Term("mul", (num(-1), self.term)))


def _term(value: Any) -> Term:
    if isinstance(value, Number):
        return value.term
    if isinstance(value, int | Fraction) and not isinstance(value, bool):
        return num(value)
    raise UsageError(
        f"{value!r} in a formula is not exact; use whole numbers, fractions and declared variables"
    )


def _index(value: Any) -> Term:
    if isinstance(value, Index):
        return value.term
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return position(value)
    raise UsageError(
        f"{value!r} is not an index; indices start at 1: use an index variable, a label or a whole number"
    )


@dataclass(frozen=True, slots=True, eq=False)
class Family(_Undecided):
    """Something indexed: ``entry`` makes the number, label or row at an index, ``size`` is its length.

    ``shown`` is the term by which it is displayed as an argument of an operation. It has entries
    only where ``conditions`` are defined.
    """

    size: Size
    entry: Callable[[Term], Any]
    shown: Term
    conditions: tuple[Term, ...] = ()

    def __getitem__(self, where: Any) -> Any:
        if isinstance(where, tuple):
            first, *rest = where
            return self[first][rest[0] if len(rest) == 1 else tuple(rest)] if rest else self[first]
        return self.entry(_index(where))


def declared(declaration: Declaration, fixed: tuple[Term, ...] = ()) -> Any:
    """The variable of a declaration: a number, an index or a family (of families)."""
    is_label = declaration.domain.kind == "index"
    depth = len(fixed)
    if depth < len(declaration.shape):
        sizes = declaration.shape[:depth]
        return Family(
            declaration.shape[depth],
            lambda i: declared(declaration, (*fixed, i)),
            Term("family", fixed, declaration.name),
            tuple(Term("in", (i,), size) for i, size in zip(fixed, sizes, strict=True)),
        )
    if not declaration.shape:
        name = declaration.name
        return Index(free(name)) if is_label else Number(Term("var", data=name))
    if is_label:
        return Index(Term("label", fixed, declaration.name))
    return Number(Term("app", fixed, declaration.name))


def _where(value: Number, conditions: tuple[Term, ...]) -> Number:
    """``value``, which has a value only where the conditions are defined."""
    return Number(Term("where", (value.term, *conditions))) if conditions else value


def _guarded(value: Any, condition: Term) -> Any:
    """A number, or every entry of a family, that has a value only where the condition is defined."""
    if not isinstance(value, Family):
        return _where(Number(_term(value)), (condition,))
    inner = value.entry
    return Family(
        value.size, lambda i: _guarded(inner(i), condition), value.shown, (condition, *value.conditions)
    )


def _entries(value: Any) -> Term:
    """What an entry of a family shows: a number, or a family where the conditions of it are defined."""
    if isinstance(value, Family):
        return Term("where", (value.shown, *value.conditions)) if value.conditions else value.shown
    return _term(value)


class TermContext:
    """The context protocol over terms. One object per formula: it numbers the fresh indices."""

    def __init__(self) -> None:
        self._fresh = 0

    def number(self, value: int | Fraction) -> Number:
        """An exact rational constant."""
        return Number(num(value))

    def pi(self) -> Number:
        """The circle's constant."""
        return Number(Term("pi"))

    def exp(self, a: Any) -> Number:
        """Exponential."""
        return Number(Term("exp", (_term(a),)))

    def log(self, a: Any) -> Number:
        """Natural logarithm."""
        return Number(Term("log", (_term(a),)))

    def xlogy(self, a: Any, b: Any) -> Number:
        """``a log b``, and 0 where a = 0."""
        return Number(Term("xlogy", (_term(a), _term(b))))

    def ceil(self, a: Any) -> Number:
        """The least whole number that is not below ``a``."""
        return Number(Term("ceil", (_term(a),)))

    def equal(self, i: Any, j: Any) -> Number:
        """1 where the indices are equal, else 0 (Kronecker's delta)."""
        return Number(Term("delta", (_index(i), _index(j))))

    def count(self, x: Family) -> Number:
        """The length of a family, as a number."""
        length = num(x.size) if isinstance(x.size, int) else Term("size", data=x.size)
        return _where(Number(length), x.conditions)

    def family(self, body: Callable[[Any], Any], *, over: Family) -> Family:
        """The family of ``body(i)``, a number or a family, for i over the indices of ``over``."""
        entries = self._close("entries", lambda i: _entries(body(i)), over)

        def entry(i: Term) -> Any:
            return _guarded(body(Index(i)), Term("in", (i,), over.size))

        return Family(over.size, entry, entries, (entries, *over.conditions))

    def sum(self, body: Callable[[Any], Any], *, over: Family) -> Number:
        """Sum of ``body(i)`` for i over the indices of ``over``."""
        return self._bind("sum", body, over)

    def prod(self, body: Callable[[Any], Any], *, over: Family) -> Number:
        """Product of ``body(i)`` for i over the indices of ``over``."""
        return self._bind("prod", body, over)

    def derivative(self, function: Callable[[Any, Any], Any], at: Any, index: Any = None) -> Number:
        """The partial derivative of ``function(context, x)`` by x, or by entry ``index`` of the family x."""
        by = at if index is None else at[index]
        return Number(Term("diff", (_term(function(self, at)), _term(by))))

    def gap(self, name: str, *arguments: Any) -> Number:
        """An expression known to be >= 0, by the inequality ``name`` (see the kernel's rules)."""
        of = _index if name.startswith("hyp:") else _term
        return Number(Term("gap", tuple(of(a) for a in arguments), name))

    def call(self, operation: Operation, *arguments: Any) -> Any:
        """``operation`` applied: its definition, remembered under its name for display."""
        shown = tuple(_shown(a) for a in arguments)
        result = operation.definition(self, *arguments)
        if isinstance(result, Family):
            applied = Term("applied", shown, operation)

            def entry(i: Term) -> Number:
                return Number(Term("call", (_term(result.entry(i)), applied, i), operation))

            return Family(result.size, entry, applied, (applied, *result.conditions))
        return Number(Term("call", (_term(result), Term("applied", shown, operation)), operation))

    def _bind(self, head: str, body: Callable[[Any], Any], over: Family) -> Number:
        return _where(Number(self._close(head, lambda i: _term(body(i)), over)), over.conditions)

    def _close(self, head: str, body: Callable[[Any], Term], over: Family) -> Term:
        if not isinstance(over, Family):
            raise KernelError(f"an index needs a range; over={over!r} is not a family")
        self._fresh += 1
        name = f"@{self._fresh}"
        return Term(head, (close_binder(body(Index(free(name))), name),), over.size)


def _shown(argument: Any) -> Term:
    if isinstance(argument, Family):
        return argument.shown
    return argument.term if isinstance(argument, Index) else _term(argument)


def build(formula: Formula, given: tuple[Declaration, ...], extra: tuple[Any, ...] = ()) -> Term:
    """The term of ``formula`` over the declared variables (and ``extra`` index arguments)."""
    variables = (declared(d) for d in given)
    return _term(formula(TermContext(), *variables, *extra))

"""The code context: a formula as the Python text by which a claim states it."""

from __future__ import annotations

import itertools
import keyword
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from verify.domain import Declaration, Size
from verify.kernel.interpret import Interpreter
from verify.kernel.terms import Term, subterms

_LOOSE, _SUM, _PRODUCT, _SIGN, _TIGHT = range(5)
_INDEX_NAMES = "ijklm"


@dataclass(frozen=True, slots=True)
class Code:
    """Python text of a number: how tightly it holds together, and whether it is a whole number of Python's.

    Of two of the latter the first is made a number of the context, as Python's own quotient is a float.
    """

    text: str
    level: int = _TIGHT
    plain: bool = False

    def at(self, level: int) -> str:
        """The text, in brackets where it is to hold together more tightly."""
        return self.text if self.level >= level else f"({self.text})"

    def __add__(self, other: Code) -> Code:
        left = _exact(self, other).at(_SUM)
        if other.text.startswith("-"):
            return Code(f"{left} - {other.text[1:]}", _SUM)
        return Code(f"{left} + {other.at(_PRODUCT)}", _SUM)

    def __mul__(self, other: Code) -> Code:
        if self.text == "-1":
            negative = other.text.startswith("-")
            return Code(f"-({other.text})" if negative else f"-{other.at(_PRODUCT)}", _PRODUCT, other.plain)
        return Code(f"{_exact(self, other).at(_PRODUCT)} * {other.at(_SIGN)}", _PRODUCT)

    def __truediv__(self, other: Code) -> Code:
        return Code(f"{_exact(self, other).at(_PRODUCT)} / {other.at(_SIGN)}", _PRODUCT)

    def __pow__(self, exponent: int) -> Code:
        return Code(f"{_exact(self, self).at(_TIGHT)} ** {exponent}", _SIGN)


def _exact(left: Code, right: Code) -> Code:
    return Code(f"c.number({left.text})") if left.plain and right.plain else left


@dataclass(frozen=True, slots=True)
class CodeFamily:
    """Python text of a family, with the lengths of its axes; its entries are text too."""

    text: str
    shape: tuple[Size, ...] = ()

    def __getitem__(self, index: Any) -> Any:
        """The text of an entry, or of a row."""
        entry = f"{self.text}[{_plain(index)}]"
        return CodeFamily(entry, self.shape[1:]) if len(self.shape) > 1 else Code(entry)


def _plain(value: Any) -> str:
    return value.text if isinstance(value, Code | CodeFamily) else str(value)


class CodeContext:
    """Formulas as Python text over a context ``c``. Names in ``taken`` are given to no index."""

    def __init__(self, taken: frozenset[str]) -> None:
        numbered = (f"i{k}" for k in itertools.count(1))
        self._names = (name for name in itertools.chain(_INDEX_NAMES, numbered) if name not in taken)
        self._free: list[str] = []

    def number(self, value: int | Fraction) -> Code:
        """An exact rational: a whole number, or a quotient of two."""
        value = Fraction(value)
        if value.denominator == 1:
            return Code(str(value.numerator), _TIGHT if value >= 0 else _PRODUCT, plain=True)
        return Code(f"c.number({value.numerator}) / {value.denominator}", _PRODUCT)

    def pi(self) -> Code:
        """The circle's constant."""
        return Code("c.pi()")

    def exp(self, a: Code) -> Code:
        """Exponential."""
        return _called("exp", a)

    def log(self, a: Code) -> Code:
        """Natural logarithm."""
        return _called("log", a)

    def ceil(self, a: Code) -> Code:
        """The least whole number that is not below ``a``."""
        return _called("ceil", a)

    def xlogy(self, a: Code, b: Code) -> Code:
        """``a log b``."""
        return _called("xlogy", a, b)

    def equal(self, i: Any, j: Any) -> Code:
        """1 where the indices are equal, else 0."""
        return _called("equal", i, j)

    def count(self, x: CodeFamily) -> Code:
        """The length of a family."""
        return _called("count", x)

    def gap(self, name: str, *arguments: Any) -> Code:
        """A known inequality at its arguments."""
        return _called("gap", Code(f'"{name}"'), *arguments)

    def sum(self, body: Callable[[Any], Code], *, over: CodeFamily) -> Code:
        """A sum over an index."""
        return self._bound("sum", body, over)

    def prod(self, body: Callable[[Any], Code], *, over: CodeFamily) -> Code:
        """A product over an index."""
        return self._bound("prod", body, over)

    def family(self, body: Callable[[Any], Code], *, over: CodeFamily) -> Code:
        """A family, as an argument of an operation."""
        return self._bound("family", body, over)

    def _bound(self, kind: str, body: Callable[[Any], Code], over: CodeFamily) -> Code:
        with self._index() as name:
            return Code(f"c.{kind}(lambda {name}: {_plain(body(Code(name)))}, over={over.text})")

    def derivative(self, function: Callable[[Any, Any], Code], at: Any, index: Any = None) -> Code:
        """A partial derivative by a variable, or by an entry of a family."""
        name = _plain(at)
        by = "" if index is None else f", ({', '.join(map(_plain, index))},)"
        return Code(f"c.derivative(lambda c, {name}: {_plain(function(self, at))}, {name}{by})")

    @contextmanager
    def _index(self) -> Iterator[str]:
        name = self._free.pop() if self._free else next(self._names)
        try:
            yield name
        finally:
            self._free.append(name)


def _called(name: str, *arguments: Any) -> Code:
    return Code(f"c.{name}({', '.join(map(_plain, arguments))})")


def code(t: Term, given: tuple[Declaration, ...]) -> str:
    """The Python text of a kernel term as a formula over the declared variables.

    Applied operations stand under their ids, which whoever runs the text has to have imported.
    """
    applied = frozenset(node.data.id for node in subterms(t) if node.head == "applied")
    names = {d.name: _name(d.name, applied) for d in given}
    context = CodeContext(frozenset(names.values()))
    values = {d.name: CodeFamily(names[d.name], d.shape) if d.shape else Code(names[d.name]) for d in given}
    interpreter = Interpreter(context, values, axes(given, values), _applied)
    return f"lambda {', '.join(('c', *names.values()))}: {_plain(interpreter(t))}"


def axes(given: tuple[Declaration, ...], values: dict[str, Any]) -> dict[Size, Any]:
    """A family of each length that the declared families have along an axis."""
    found: dict[Size, Any] = {}
    for d in given:
        axis = values[d.name]
        for k, size in enumerate(d.shape):
            found.setdefault(size, axis)
            axis = axis[1] if k + 1 < len(d.shape) else axis
    return found


def _name(name: str, taken: frozenset[str]) -> str:
    """A variable's own name, unless that means something else in the text."""
    return f"{name}_" if name == "c" or keyword.iskeyword(name) or name in taken else name


def _applied(t: Term, interpret: Interpreter) -> Code:
    """An operation as the call of it that the claim would write."""
    whole = _argument(t.args[1], interpret)
    return Code(f"{whole}[{_argument(t.args[2], interpret)}]" if len(t.args) == 3 else whole)


def _argument(t: Term, interpret: Interpreter) -> str:
    match t.head:
        case "applied":
            inner = ", ".join([t.data.id, *(_argument(a, interpret) for a in t.args)])
            return f"c.call({inner})"
        case "where":
            return _argument(t.args[0], interpret)
        case "family":
            whole = interpret.values[t.data]
            for i in t.args:
                whole = whole[interpret(i)]
            return _plain(whole)
        case "entries":
            return _plain(interpret.bind("family", t, lambda body: Code(_argument(body, interpret))))
    return _plain(interpret(t))

"""LaTeX of kernel terms through SymPy: what is shown is made from what was checked."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from typing import Any

import sympy
from sympy.printing.latex import LatexPrinter

from verify.contexts.symbolic import SymbolicContext, SymbolicFamily, length, variable
from verify.domain import Declaration, Size
from verify.kernel.interpret import Interpreter
from verify.kernel.terms import BINDERS, Term, free, map_leaves, open_binder, subterms
from verify.operation import Operation


class _Printer(LatexPrinter):  # type: ignore[misc]
    r"""SymPy's LaTeX, but in the order of the formula, and in the notation of the field.

    Iverson's bracket for index equality, ``\log x`` without braces, 2^x for e^(x log 2), a root for
    e^(log x / 2), no sign moved into or out of a bracket.
    """

    def _print_Add(self, expr: Any, order: Any = None) -> str:
        out = ""
        for t in _flat(expr, sympy.Add):
            negative, body = _split_sign(t)
            inner = self._print(body)
            if (negative and body.is_Add) or (inner.startswith("-") and (negative or out)):
                inner = rf"\left({inner}\right)"
            out += (" - " if negative else " + ") + inner if out else ("-" if negative else "") + inner
        return out

    def _print_Mul(self, expr: Any) -> str:
        negative, body = _split_sign(expr)
        if negative:
            inner = self._print(body)
            return "-" + (rf"\left({inner}\right)" if body.is_Add or inner.startswith("-") else inner)
        over, under = [], []
        for f in body.args if body.is_Mul else (body,):
            if f.is_Pow and f.exp == -1:
                under.append(f.base)
            elif f.is_Rational and f.q != 1 and not any(map(_is_fraction, body.args)):
                under.append(sympy.Integer(f.q))
                over += [sympy.Integer(f.p)] if f.p != 1 else []
            else:
                over.append(f)
        if not under:
            return self._factors(over)
        return rf"\frac{{{self._factors(over) or '1'}}}{{{self._factors(under)}}}"

    def _factors(self, factors: list[Any]) -> str:
        if len(factors) == 1:
            return str(self._print(factors[0]))
        shown = []
        for f in factors:
            inner = self._print(f)
            shown.append(rf"\left({inner}\right)" if f.is_Add or inner.startswith("-") else inner)
        return r" \, ".join(shown)

    def _print_Sum(self, expr: Any) -> str:
        return self._big(r"\sum", expr)

    def _print_Product(self, expr: Any) -> str:
        return self._big(r"\prod", expr)

    def _big(self, sign: str, expr: Any) -> str:
        """SymPy makes one of sums in sums, the innermost index first."""
        body = expr.function
        while body.is_Mul and body.args[0] == 1:  # SymPy's own factors, for the direction of each sum
            body = sympy.Mul(*body.args[1:], evaluate=False)
        inner = str(self._print(body))
        if body.is_Add or inner.startswith("-"):
            inner = rf"\left({inner}\right)"
        for index, low, high in expr.limits:
            inner = rf"{sign}_{{{self._print(index)}={self._print(low)}}}^{{{self._print(high)}}} {inner}"
        return inner

    def _print_log(self, expr: Any, exp: str | None = None) -> str:
        return self._log(expr.args[0])

    def _log(self, inside: Any) -> str:
        inner = self._print(inside)
        plain = inside.is_Symbol or inside.is_Indexed or inside.is_Integer
        plain = plain or isinstance(inside, sympy.KroneckerDelta | sympy.exp)
        return rf"\log {inner}" if plain else rf"\log\left({inner}\right)"

    def _print_ExpBase(self, expr: Any, exp: str | None = None) -> str:
        negative, body = _split_sign(expr.args[0])
        factors = list(body.args) if body.is_Mul else [body]
        logs = [f for f in factors if isinstance(f, sympy.log)]
        rest = [f for f in factors if f not in logs]
        if len(logs) == 1 and len(rest) == 1 and _is_half(rest[0]) and not negative:
            return rf"\sqrt{{{self._print(logs[0].args[0])}}}"
        if len(logs) == 1 and logs[0].args[0] == 2 and rest:
            inner = self._factors(rest)
            if negative:
                inner = rf"-\left({inner}\right)" if rest[0].is_Add and len(rest) == 1 else "-" + inner
            return rf"2^{{{inner}}}"
        return rf"e^{{{self._print(expr.args[0])}}}"

    def _print_Derivative(self, expr: Any) -> str:
        body, (by, _) = expr.args
        inner = self._print(body)
        if body.is_Add:
            inner = rf"\left({inner}\right)"
        return rf"\frac{{\partial}}{{\partial {self._print(by)}}} {inner}"

    def _print_KroneckerDelta(self, expr: Any, exp: str | None = None) -> str:
        return rf"[{self._print(expr.args[0])} = {self._print(expr.args[1])}]"

    def _print_XLogY(self, expr: Any, exp: str | None = None) -> str:
        a, b = expr.args
        inner = self._print(a)
        factor = rf"\left({inner}\right)" if a.is_Add else inner
        return rf"{factor} \, {self._log(b)}"


def _is_half(t: Any) -> bool:
    """Whether ``t`` is one half, evaluated or not."""
    return bool(t == sympy.Rational(1, 2) or (t.is_Pow and (t.base, t.exp) == (2, -1)))


def _is_fraction(t: Any) -> bool:
    """Whether ``t`` prints as a fraction of its own."""
    return bool(t.is_Mul and any(f.is_Pow and f.exp == -1 for f in t.args))


def _flat(expr: Any, kind: Any) -> list[Any]:
    """The arguments of nested sums as one list."""
    return [t for a in expr.args for t in (_flat(a, kind) if isinstance(a, kind) else [a])]


def _split_sign(t: Any) -> tuple[bool, Any]:
    """Whether ``t`` is minus something, and that something, the rest of its form kept."""
    if t.is_Rational and t < 0:
        return True, -t
    if t.is_Mul and t.args[0].is_Rational and t.args[0] < 0:
        factor, rest = -t.args[0], t.args[1:]
        if factor != 1:
            rest = (factor, *rest)
        return True, rest[0] if len(rest) == 1 else sympy.Mul(*rest, evaluate=False)
    return False, t


def latex(expression: Any) -> str:
    """LaTeX of a SymPy expression, terms in the order in which they were written."""
    return str(_Printer({"order": "none", "ln_notation": False}).doprint(expression))


def shown(t: Term, given: tuple[Declaration, ...]) -> str:
    """LaTeX of a kernel term; applied operations appear under their names."""
    return _render(t, given)


def definitions(terms: Iterable[Term], given: tuple[Declaration, ...]) -> tuple[str, ...]:
    """LaTeX of "name = definition" for every operation that is applied in the terms."""
    calls = (node for t in terms for node in subterms(t) if node.head == "call")
    found = {_render(t, given): _render(t.args[0], given) for t in calls}
    return tuple(f"{name} = {formula}" for name, formula in found.items())


def _render(t: Term, given: tuple[Declaration, ...]) -> str:
    """LaTeX of a term; an index that belongs to a binder around it gets a name of its own."""
    context = SymbolicContext(evaluate=False, taken=[d.name for d in given])
    values = {d.name: variable(d) for d in given}
    sizes = {s: SymbolicFamily(length(s), lambda i: i) for s in _lengths(given)}
    with sympy.evaluate(False), ExitStack() as stack:
        for level in range(_open_levels(t)):
            values[f"@{level}+"] = stack.enter_context(context.index())
        return latex(Interpreter(context, values, sizes, _named)(_opened(t)))


def _open_levels(t: Term, depth: int = 0) -> int:
    """How many binders around ``t`` its indices point to."""
    if t.head == "bound":
        return max(0, int(t.data) + 1 - depth)
    inner = depth + 1 if t.head in BINDERS else depth
    return max((_open_levels(a, inner) for a in t.args), default=0)


def _opened(t: Term) -> Term:
    """``t`` with such indices made free."""

    def change(node: Term, depth: int) -> Term | None:
        outward = node.head == "bound" and node.data >= depth
        return free(f"@{node.data - depth}+") if outward else None

    return map_leaves(t, change)


def _lengths(given: tuple[Declaration, ...]) -> set[Size]:
    found = {s for d in given for s in d.shape} | {d.domain.bound for d in given}
    return {s for s in found if s is not None}


def _named(t: Term, interpret: Interpreter) -> Any:
    """An applied operation as a symbol whose name is its notation."""
    name = _notation(t.args[1], interpret)
    if len(t.args) == 3:
        whole = rf"\left({name}\right)" if "_" in name or name.startswith("\\log") else f"{{{name}}}"
        name = rf"{whole}_{{{latex(interpret(t.args[2]))}}}"
    return sympy.Symbol(name)


def _base(family: Any) -> Any:
    """The symbol of a declared family."""
    entry = family
    while isinstance(entry, SymbolicFamily):
        entry = entry[1]
    return entry.base.label


def _notation(t: Term, interpret: Interpreter) -> str:
    if t.head == "applied":
        operation: Operation = t.data
        return operation.notation(*(_notation(a, interpret) for a in t.args))
    if t.head == "entries":
        with interpret.context.index() as i:
            interpret.values[f"@entry {i}"] = i
            inner = _notation(open_binder(t.args[0], free(f"@entry {i}")), interpret)
            return rf"\left({inner}\right)_{{{latex(i)}}}"
    if t.head == "where":
        return _notation(t.args[0], interpret)
    if t.head == "family":
        inner = ", ".join(latex(interpret(i)) for i in t.args)
        value = interpret.values.get(t.data)
        name = latex(_base(value)) if value is not None else str(t.data)
        return f"{{{name}}}_{{{inner}}}" if inner else name
    return latex(interpret(t))

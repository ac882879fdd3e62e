"""Derivatives of terms, by the rules of calculus; nothing is simplified and nothing assumed."""

from __future__ import annotations

from verify.errors import KernelError
from verify.kernel.terms import ONE, ZERO, Term, num, shift, subterms


def differentiate(t: Term, by: Term) -> Term:
    """The partial derivative of ``t`` by a variable or by an entry of a family.

    Raises KernelError for what has none: ceil, and another derivative (take that first).
    """
    if not any((s.head, s.data) == (by.head, by.data) for s in subterms(t)):
        return ZERO
    if t.head in {"var", "app"}:
        return _of_variable(t, by)
    if t.head in {"call", "where"}:
        return differentiate(t.args[0], by)
    if t.head in {"sum", "prod"}:
        return _of_binder(t, by)
    inner = [differentiate(a, by) for a in t.args]
    match t.head:
        case "add":
            return Term("add", tuple(inner))
        case "mul":
            return _of_product(t.args, inner)
        case "div":
            a, b = t.args
            top = Term("add", (_mul(inner[0], b), _mul(num(-1), a, inner[1])))
            return Term("div", (top, Term("pow", (b,), 2)))
        case "inv":
            return _mul(num(-1), inner[0], Term("pow", t.args, -2))
        case "pow":
            return _mul(num(t.data), Term("pow", t.args, t.data - 1), inner[0]) if t.data else ZERO
        case "exp":
            return _mul(t, inner[0])
        case "log":
            return Term("div", (inner[0], t.args[0]))
        case "xlogy":
            a, b = t.args
            return Term("add", (_mul(inner[0], Term("log", (b,))), _mul(a, Term("div", (inner[1], b)))))
    raise KernelError(f"no derivative of a term with the head {t.head!r}")


def _mul(*factors: Term) -> Term:
    return Term("mul", factors)


def _of_variable(t: Term, by: Term) -> Term:
    """1 for the variable itself, the product of [i = j] over the axes for two entries of its family."""
    same = tuple(Term("delta", (i, j)) for i, j in zip(t.args, by.args, strict=True))
    return _mul(*same) if same else ONE


def _of_product(factors: tuple[Term, ...], inner: list[Term]) -> Term:
    parts = (_mul(*factors[:k], inner[k], *factors[k + 1 :]) for k in range(len(factors)))
    return Term("add", tuple(parts))


def _of_binder(t: Term, by: Term) -> Term:
    """A sum term by term; a product through its logarithmic derivative, for factors that are not 0."""
    body = t.args[0]
    inner = differentiate(body, shift(by, 1))
    if t.head == "sum":
        return Term("sum", (inner,), t.data)
    return _mul(t, Term("sum", (Term("div", (inner, body)),), t.data))

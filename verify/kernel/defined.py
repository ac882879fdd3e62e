"""Definedness: every division, logarithm and index of a term has a value under the assumptions."""

from __future__ import annotations

from dataclasses import replace as replace_fields

from verify.domain import Size
from verify.errors import KernelError
from verify.kernel.assumptions import Assumptions, Fact
from verify.kernel.derivative import differentiate
from verify.kernel.gaps import unfold_gap
from verify.kernel.signs import sign_of
from verify.kernel.terms import INDEX_HEADS, Term, free, open_binder, replace, subterms
from verify.kernel.text import text

_PLAIN = frozenset({"add", "mul", "exp", "ceil", "num", "pi"})


def require_defined(given: Assumptions, t: Term) -> None:
    """Raise KernelError unless ``t`` has a value at every point that the assumptions allow."""
    match t.head:
        case head if head in _PLAIN:
            _all(given, t.args)
        case "var" | "app":
            d = given.declarations.get(t.data)
            if d is None or d.domain.kind == "index":
                raise KernelError(f"{t.data} is not declared as a number")
            if not given.fits(d, t.args):
                raise KernelError(f"{text(t)}: an index is outside the range {d.shape} of {t.data}")
        case "size":
            if t.data not in given.sizes():
                raise KernelError(f"no declaration has the length {t.data}")
        case "call":
            require_defined(given, t.args[0])
            _applied(given, t.args[1])
        case "diff":
            _derivative(given, *t.args)
        case "where":
            require_defined(given, t.args[0])
            for condition in t.args[1:]:
                _condition(given, condition)
        case "gap":
            _all(given, tuple(a for a in t.args if a.head not in INDEX_HEADS))
            require_defined(given, unfold_gap(t, given))
        case "div":
            _all(given, t.args)
            _nonzero(given, t.args[1])
        case "inv":
            _all(given, t.args)
            _nonzero(given, t.args[0])
        case "pow":
            _all(given, t.args)
            if t.data < 0:
                _nonzero(given, t.args[0])
        case "log":
            _all(given, t.args)
            if sign_of(given, t.args[0]) != "+":
                raise KernelError(f"log: {text(t.args[0])} > 0 does not follow from the assumptions")
        case "xlogy":
            _all(given, t.args)
            _xlogy(given, *t.args)
        case "delta":
            _indicator(given, *t.args)
        case "sum" | "prod":
            _range(given, t.data)
            name = given.fresh()
            require_defined(given.with_index(name, t.data), open_binder(t.args[0], free(name)))
        case _:
            raise KernelError(f"{text(t)} is not a number")


def _applied(given: Assumptions, t: Term) -> None:
    """What an operation is applied to has a value, also where the operation does not look at it."""
    for a in t.args:
        if a.head == "applied":
            _applied(given, a)
        elif a.head not in INDEX_HEADS | {"family"}:
            _condition(given, a)


def _derivative(given: Assumptions, body: Term, by: Term) -> None:
    """A derivative has a value where its body has one all around.

    Only the hypotheses that do not speak of the variable hold all around.
    """
    require_defined(given, by)
    d = given.declarations.get(str(by.data)) if by.head in {"var", "app"} else None
    if d is None or d.domain.kind != "real" or d.domain.sums_to_one or d.domain.sign == "nonnegative":
        raise KernelError(f"a derivative by {text(by)}: not a variable that can move to both sides")
    around = replace_fields(given, facts=tuple(f for f in given.facts if not _speaks_of(f, by)), cases=())
    require_defined(around, body)
    require_defined(around, differentiate(body, by))


def _speaks_of(fact: Fact, by: Term) -> bool:
    """Whether a fact mentions the variable, or any entry of the family, that moves."""
    terms = (fact.left, fact.right, *([fact.when] if fact.when is not None else []))
    return any((t.head, t.data) == (by.head, by.data) for term in terms for t in subterms(term))


def _condition(given: Assumptions, t: Term) -> None:
    if t.head == "in":
        if not given.in_range(t.args[0], t.data):
            raise KernelError(f"the index {text(t.args[0])} is outside the range 1..{t.data}")
    elif t.head == "entries":
        _range(given, t.data)
        name = given.fresh()
        _condition(given.with_index(name, t.data), open_binder(t.args[0], free(name)))
    elif t.head == "where":
        for part in t.args:
            _condition(given, part)
    elif t.head == "applied":
        _applied(given, t)
    elif t.head != "family":  # the ranges of its indices are conditions of their own
        require_defined(given, t)


def _all(given: Assumptions, terms: tuple[Term, ...]) -> None:
    for t in terms:
        require_defined(given, t)


def _nonzero(given: Assumptions, t: Term) -> None:
    if sign_of(given, t) not in {"+", "-"}:
        raise KernelError(f"division: {text(t)} is not 0 does not follow from the assumptions")


def _range(given: Assumptions, size: Size) -> None:
    if isinstance(size, int) and size < 1:
        raise KernelError(f"a sum over 1..{size} is empty; sizes are at least 1")
    if isinstance(size, str) and size not in given.sizes():
        raise KernelError(f"an index runs over 1..{size}, but no declaration has that length")


def _indicator(given: Assumptions, i: Term, j: Term) -> None:
    shared = [s for s in given.sizes() | set(given.ranges.values()) if given.in_range(i, s)]
    if not any(given.in_range(j, s) for s in shared):
        raise KernelError(f"[{text(i)} = {text(j)}]: the two indices have no common range")


def _xlogy(given: Assumptions, a: Term, b: Term) -> None:
    """``a log b`` has a value where b > 0, and where b = 0 and a = 0."""
    if sign_of(given, b) == "+":
        return
    if sign_of(given, b) not in {"0+", "0"}:
        raise KernelError(f"xlogy: {text(b)} >= 0 does not follow from the assumptions")
    if sign_of(given, a) == "0":
        return
    factor = a
    while factor.head in {"call", "where"}:
        factor = factor.args[0]
    if factor.head == "delta":
        i, j = factor.args if factor.args[0].head == "free" else factor.args[::-1]
        if sign_of(given, replace(b, i, j)) == "+":
            return
    if sign_of(given, a) == "0+" and sign_of(given.with_case(a), b) == "+":
        return
    raise KernelError(f"xlogy: {text(b)} > 0 wherever {text(a)} is not 0 does not follow")

"""Faults in the rooms of the kernel and in its known inequalities, each with a false statement."""

from __future__ import annotations

from typing import Any

from seeded import A, B, Fault, G, H, P, T, X, Y, Z, part, yes

from verify.claim import Hypothesis, Part
from verify.kernel import (
    assumptions,
    build,
    defined,
    derivation,
    gaps,
    normal,
    poly,
    signs,
    terms,
    theorem,
)
from verify.kernel.assumptions import Assumptions
from verify.kernel.poly import Poly
from verify.kernel.terms import Term, map_leaves
from verify.kernel.theorem import Theorem


def _no_check(given: Assumptions, t: Term) -> None:
    """A definedness check that checks nothing."""


def _always_positive(given: Assumptions, t: Term) -> str:
    """A sign prover that says yes to everything."""
    return "+"


def _capturing_close(body: Term, name: str) -> Term:
    """Closing a binder over every free index instead of one."""

    def change(node: Term, depth: int) -> Term | None:
        return Term("bound", data=depth) if node.head == "free" else None

    return map_leaves(body, change)


_NODE = normal.Normalizer._node


def _one_for_pi(self: Any, t: Term, given: Assumptions) -> Poly:
    """The normaliser with 1 for the circle's constant."""
    return poly.constant(1) if t.head == "pi" else _NODE(self, t, given)


def _strict_chain(first: Theorem, second: Theorem) -> Theorem:
    """Transitivity that always shows <."""
    return Theorem(theorem._KEY, first.given, first.left, "<", second.right)


_UNFOLD = gaps.unfold_gap


def _turned(node: Term, given: Assumptions, **where: bool) -> Term:
    """What a known inequality says is not negative, with the other sign."""
    return Term("mul", (terms.num(-1), _UNFOLD(node, given, **where)))


def _products(c: Any, g: Any, h: Any) -> Any:
    return c.sum(lambda i: g[i] * h[i], over=g)


_AT_MOST = Hypothesis("h", lambda c, x, z: x, "<=", lambda c, x, z: z)

ROOM_FAULTS: dict[str, Fault] = {
    "no definedness": Fault(
        theorem,
        "",
        theorem,
        "require_defined",
        _no_check,
        part((P,), lambda c, p: c.xlogy(p[7], p[7]), "=", lambda c, p: c.xlogy(p[7], p[7])),
    ),
    "division by anything": Fault(
        defined,
        "",
        defined,
        "sign_of",
        _always_positive,
        part((X,), lambda c, x: 1 / x - 1 / x, "=", lambda c, x: c.number(0)),
    ),
    "every gap positive": Fault(
        signs,
        "",
        theorem,
        "sign_of",
        _always_positive,
        part((X, Z), lambda c, x, z: x, "<", lambda c, x, z: z, gap=lambda c, x, z: z - x),
    ),
    "complement of a probability is anything": Fault(
        signs,
        "",
        signs,
        "_between",
        lambda given, t: "+",
        part((T,), lambda c, t: c.number(0), "<", lambda c, t: 1 - 2 * t, gap=lambda c, t: 1 - 2 * t),
    ),
    "every index in range": Fault(
        assumptions,
        "",
        assumptions.Assumptions,
        "in_range",
        yes,
        part((G,), lambda c, g: g[2] - g[2], "=", lambda c, g: c.number(0)),
    ),
    "minus is plus": Fault(
        build,
        "",
        build.Number,
        "__neg__",
        lambda self: self,
        part((X, Z), lambda c, x, z: x - z, "=", lambda c, x, z: x + z),
    ),
    "a binder captures": Fault(
        terms,
        "",
        build,
        "close_binder",
        _capturing_close,
        part(
            (G, H, Y),
            lambda c, g, h, y: c.sum(lambda i: g[i] * h[y], over=g),
            "=",
            lambda c, g, h, y: _products(c, g, h),
        ),
    ),
    "product forgets a power": Fault(
        poly,
        "",
        poly,
        "power",
        lambda p, k: p,
        part((X,), lambda c, x: x**2, "=", lambda c, x: x),
    ),
    "product keeps one factor": Fault(
        poly,
        "",
        poly,
        "times",
        lambda a, b: a or b,
        part((X, Z), lambda c, x, z: x * z, "=", lambda c, x, z: x),
    ),
    "the circle's constant is one": Fault(
        normal,
        "",
        normal.Normalizer,
        "_node",
        _one_for_pi,
        part((), lambda c: c.pi() * c.pi(), "=", lambda c: c.pi()),
    ),
    "transitivity is strict": Fault(
        derivation,
        "",
        derivation,
        "chain",
        _strict_chain,
        part(
            (A,),
            lambda c, a: c.log(a),
            "<",
            lambda c, a: a - 1,
            gap=lambda c, a: c.gap("log_le", a),
            shown="<=",
        ),
    ),
    "sum of equal terms is one term": Fault(
        normal,
        "",
        normal.Normalizer,
        "_sum_one",
        lambda self, m, c, name, t, given: {m: c},
        part((G,), lambda c, g: c.sum(lambda i: c.number(1), over=g), "=", lambda c, g: c.number(1)),
    ),
}


_TURNED: dict[str, Part] = {
    "log_le": part(
        (A,), lambda c, a: a - 1, "<=", lambda c, a: c.log(a), gap=lambda c, a: c.gap("log_le", a)
    ),
    "xlogx_ge": part(
        (A,), lambda c, a: c.xlogy(a, a), "<=", lambda c, a: a - 1, gap=lambda c, a: c.gap("xlogx_ge", a)
    ),
    "xlogy_le": part(
        (A, B),
        lambda c, a, b: a * (b - 1),
        "<=",
        lambda c, a, b: c.xlogy(a, b),
        gap=lambda c, a, b: c.gap("xlogy_le", a, b),
    ),
    "rel_entr_ge": part(
        (A, B),
        lambda c, a, b: c.xlogy(a, a) - c.xlogy(a, b),
        "<=",
        lambda c, a, b: a - b,
        gap=lambda c, a, b: c.gap("rel_entr_ge", a, b),
    ),
    "ceil_above": part(
        (X,), lambda c, x: c.ceil(x), "<=", lambda c, x: x, gap=lambda c, x: c.gap("ceil_above", x)
    ),
    "ceil_below": part(
        (X,), lambda c, x: x + 1, "<", lambda c, x: c.ceil(x), gap=lambda c, x: c.gap("ceil_below", x)
    ),
    "exp_mono": part(
        (A, X),
        lambda c, a, x: c.exp(x + a),
        "<",
        lambda c, a, x: c.exp(x),
        gap=lambda c, a, x: c.gap("exp_mono", x, x + a),
    ),
    "log_mono": part(
        (A, B),
        lambda c, a, b: c.log(a + b),
        "<",
        lambda c, a, b: c.log(a),
        gap=lambda c, a, b: c.gap("log_mono", a, a + b),
    ),
}

GAP_FAULTS: dict[str, Fault] = {
    f"the other sign of {name}": Fault(gaps, name, normal, "unfold_gap", _turned, statement)
    for name, statement in _TURNED.items()
} | {
    "what is assumed to be at most is less": Fault(
        signs,
        "hyp",
        signs,
        "_DIFFERENCE",
        {"=": "0", "<=": "+", "<": "+"},
        part(
            (X, Z),
            lambda c, x, z: x,
            "<",
            lambda c, x, z: z,
            gap=lambda c, x, z: c.gap("hyp:h"),
            assumed=(_AT_MOST,),
        ),
    ),
}
"""Known inequalities, each the wrong way round or too strong."""

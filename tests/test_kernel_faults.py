"""Seeded faults: a kernel made wrong on purpose accepts something that the refuter refutes.

Each test breaks one part of the kernel and shows a false statement that it then accepts: the tests
of the kernel are able to fail.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import pytest

from verify.claim import Part
from verify.domain import distribution, index, positive, probability, real
from verify.errors import KernelError
from verify.kernel import defined, functions, indicators, normal, poly, signs, theorem
from verify.kernel.assumptions import Assumptions, assume
from verify.kernel.build import build
from verify.kernel.terms import Term, map_leaves
from verify.kernel.theorem import equation, inequality
from verify.refuter import attack

_G, _Y = real("g", "n"), index("y", "n")


@pytest.fixture(autouse=True)
def _fresh_signs() -> Iterator[None]:
    """Signs are remembered; a fault must neither find old ones nor leave its own behind."""
    signs.sign_of.cache_clear()
    yield
    signs.sign_of.cache_clear()


def _accepts(given: Any, left: Any, relation: Any, right: Any, rules: Any = (), gap: Any = None) -> bool:
    try:
        assumed, a, b = assume(given, ()), build(left, given), build(right, given)
        if relation == "=":
            equation(assumed, a, b, rules)
        else:
            inequality(assumed, a, relation, b, build(gap, given), rules)
    except KernelError:
        return False
    return True


def _false(given: Any, left: Any, relation: Any, right: Any) -> bool:
    part = Part(id="seeded", words="", given=given, left=left, relation=relation, right=right)
    return attack(part).outcome in {"refuted", "undefined"}


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


def _one_for_pi(self: Any, t: Term, given: Assumptions) -> Any:
    """The normaliser with 1 for the circle's constant."""
    return poly.constant(1) if t.head == "pi" else _NODE(self, t, given)


_NODE = normal.Normalizer._node

# name -> (where, what is replaced, the fault, the false statement, its rules and gap)
FAULTS: dict[str, tuple[Any, str, Any, tuple[Any, ...], Any, Any]] = {
    "no definedness": (
        theorem,
        "require_defined",
        _no_check,
        ((distribution("p", "n"),), lambda c, p: c.xlogy(p[7], p[7]), "=", lambda c, p: c.xlogy(p[7], p[7])),
        (),
        None,
    ),
    "division by anything": (
        defined,
        "sign_of",
        _always_positive,
        ((real("x"),), lambda c, x: 1 / x - 1 / x, "=", lambda c, x: c.number(0)),
        (),
        None,
    ),
    "every gap positive": (
        theorem,
        "sign_of",
        _always_positive,
        ((real("x"), real("z")), lambda c, x, z: x, "<", lambda c, x, z: z),
        (),
        lambda c, x, z: z - x,
    ),
    "sum of equal terms is one term": (
        normal.Normalizer,
        "_sum_one",
        lambda self, m, c, name, t, given: {m: c},
        ((_G,), lambda c, g: c.sum(lambda i: c.number(1), over=g), "=", lambda c, g: c.number(1)),
        (),
        None,
    ),
    "logarithm of a number with the wrong sign": (
        functions,
        "_log_number",
        lambda c: poly.scale(poly.atom(Term("log", (Term("num", data=Fraction(2)),))), Fraction(-1)),
        ((positive("a"),), lambda c, a: c.log(2 * a), "=", lambda c, a: c.log(a / 2)),
        ("log_mul",),
        None,
    ),
    "product forgets a power": (
        poly,
        "power",
        lambda p, k: p,
        ((real("x"),), lambda c, x: x**2, "=", lambda c, x: x),
        (),
        None,
    ),
    "division without remainder": (
        poly,
        "divide",
        lambda n, d: poly.constant(1),
        (
            (positive("a"), positive("b")),
            lambda c, a, b: (2 * a + b) / (a + b),
            "=",
            lambda c, a, b: c.number(1),
        ),
        ("cancel",),
        None,
    ),
    "indicator keeps the running entry": (
        normal,
        "replace",
        lambda term, old, new: Term("num", data=Fraction(1)),
        (
            (_G, _Y),
            lambda c, g, y: c.sum(lambda i: c.equal(i, y) * g[i], over=g),
            "=",
            lambda c, g, y: c.number(1),
        ),
        ("delta",),
        None,
    ),
    "indicator forgets itself": (
        indicators,
        "_aligned",
        lambda n, m, c, given: {tuple(x for x in m if x[0].head == "delta") or m: c},
        (
            (_G, _Y, index("k", "n")),
            lambda c, g, y, k: c.equal(y, k) * g[y],
            "=",
            lambda c, g, y, k: c.equal(y, k),
        ),
        ("delta_swap",),
        None,
    ),
    "the circle's constant is one": (
        normal.Normalizer,
        "_node",
        _one_for_pi,
        ((), lambda c: c.pi() * c.pi(), "=", lambda c: c.pi()),
        (),
        None,
    ),
    "complement of a probability is anything": (
        signs,
        "_between",
        lambda given, t: "+",
        ((probability("t"),), lambda c, t: c.number(0), "<", lambda c, t: 1 - 2 * t),
        (),
        lambda c, t: 1 - 2 * t,
    ),
    "product keeps one factor": (
        poly,
        "times",
        lambda a, b: a or b,
        ((real("x"), real("z")), lambda c, x, z: x * z, "=", lambda c, x, z: x),
        (),
        None,
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_sound_kernel_rejects_the_statement(name: str) -> None:
    """Without the fault, the false statement is not accepted."""
    _, _, _, statement, rules, gap = FAULTS[name]
    assert not _accepts(*statement, rules, gap)


@pytest.mark.parametrize("name", FAULTS)
def test_a_seeded_fault_is_caught_by_the_refuter(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the fault, the kernel accepts the statement, and the refuter objects to it."""
    where, what, fault, statement, rules, gap = FAULTS[name]
    monkeypatch.setattr(where, what, fault)
    assert _accepts(*statement, rules, gap)
    assert _false(*statement)


def test_a_capturing_binder_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """If closing a binder captured other indices, sum of g_i h_y would become sum of g_i h_i."""
    given = (_G, real("h", "n"), _Y)

    def left(c: Any, g: Any, h: Any, y: Any) -> Any:
        return c.sum(lambda i: g[i] * h[y], over=g)

    def right(c: Any, g: Any, h: Any, y: Any) -> Any:
        return c.sum(lambda i: g[i] * h[i], over=g)

    sound = _accepts(given, left, "=", right)
    monkeypatch.setattr("verify.kernel.build.close_binder", _capturing_close)
    assert (sound, _accepts(given, left, "=", right), _false(given, left, "=", right)) == (False, True, True)

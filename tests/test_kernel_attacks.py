"""Attacks on the kernel: false statements that a plausible mistake in it would let through."""

from __future__ import annotations

from typing import Any

import pytest

from verify.claim import Hypothesis, Part, Step
from verify.domain import index, positive, real
from verify.errors import VerifyError
from verify.kernel.assumptions import assume
from verify.kernel.build import build
from verify.kernel.derivation import derive
from verify.kernel.terms import Term, free
from verify.kernel.theorem import chain, equation
from verify.operation import Operation
from verify.operations.one_hot import one_hot
from verify.refuter import attack

_G, _Y = real("g", "n"), index("y", "n")


def _derive(given: Any, left: Any, relation: Any, right: Any, rules: Any = (), gap: Any = None) -> None:
    derive(
        Part(
            id="attack",
            words="",
            given=given,
            left=left,
            relation=relation,
            right=right,
            steps=(Step(right, tuple(rules), "", relation, gap),),
        )
    )


_IGNORING = Operation("ignoring", "", lambda c, x: c.number(1), lambda x: "1", "")


# name -> the arguments of _derive
ATTACKS: dict[str, tuple[Any, ...]] = {
    "indices compared by Python": (
        (_G, _Y),
        lambda c, g, y: c.sum(lambda i: g[i] if i == y else c.number(0), over=g),
        "=",
        lambda c, g, y: c.number(0),
    ),
    "numbers compared by Python": (
        (real("x"),),
        lambda c, x: c.number(1) if x == 0 else c.number(0),
        "=",
        lambda c, x: c.number(0),
    ),
    "a branch on a number": (
        (real("x"),),
        lambda c, x: c.number(1) if x else c.number(0),
        "=",
        lambda c, x: c.number(1),
    ),
    "a label named like a fresh index": (
        (_G, index("@1", "n")),
        lambda c, g, y: c.sum(lambda i: g[y], over=g),
        "=",
        lambda c, g, y: c.sum(lambda i: g[i], over=g),
    ),
    "a length named like a number": (
        (real("g", "2"), real("h", 2)),
        lambda c, g, h: c.sum(lambda i: c.number(1), over=g),
        "=",
        lambda c, g, h: c.sum(lambda i: c.number(1), over=h),
    ),
    "a variable with the syntax of terms in its name": (
        (real("a|),(var 'b'"), real("a"), real("b")),
        lambda c, x, a, b: x,
        "=",
        lambda c, x, a, b: a,
    ),
    "an entry of a computed family outside its range": (
        (_G,),
        lambda c, g: c.family(lambda i: c.number(1), over=g)[7],
        "=",
        lambda c, g: c.number(1),
    ),
    "a sum over a row that is not there": (
        (real("w", "n", "m"),),
        lambda c, w: c.sum(lambda j: c.number(1), over=w[7]),
        "=",
        lambda c, w: c.count(w[1]),
        ("sum_const",),
    ),
    "an undefined argument that the operation ignores": (
        (real("x"),),
        lambda c, x: c.call(_IGNORING, 1 / x),
        "=",
        lambda c, x: c.number(1),
    ),
    "the length of a family without values": (
        (_G,),
        lambda c, g: c.count(c.family(lambda i: c.log(g[i]), over=g)),
        "=",
        lambda c, g: c.count(g),
    ),
    "an entry of a one-hot vector beyond its end": (
        (_G, _Y, index("k", "m"), real("h", "m")),
        lambda c, g, y, k, h: c.call(one_hot, y, g)[k] - c.call(one_hot, y, g)[k],
        "=",
        lambda c, g, y, k, h: c.number(0),
    ),
    "zero times the logarithm of a negative number": (
        (real("x"),),
        lambda c, x: c.xlogy(c.number(0), x),
        "=",
        lambda c, x: c.number(0),
        ("xlog0",),
    ),
    "a label of an empty range": (
        (index("t", 0),),
        lambda c, t: c.number(1),
        "=",
        lambda c, t: c.number(0),
        ("cases:t",),
    ),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_the_attack_fails(name: str) -> None:
    """The statement is rejected with a reason."""
    with pytest.raises(VerifyError):
        _derive(*ATTACKS[name])


def test_a_stray_fresh_index_is_rejected() -> None:
    """A hand-made term with the kernel's own index name cannot be caught by a binder."""
    given = assume((_G,), ())
    entry = Term("app", (free("#0"),), "g")
    stray = Term("sum", (entry,), "n")
    whole = Term("sum", (Term("app", (Term("bound", data=0),), "g"),), "n")
    with pytest.raises(VerifyError, match="has no range"):
        equation(given, stray, whole)


def test_assumptions_cannot_be_altered() -> None:
    """A theorem keeps the declarations under which it was shown."""
    given = assume((real("x"),), ())
    with pytest.raises(TypeError):
        given.declarations["x"] = positive("x")  # type: ignore[index]


def test_hypotheses_with_look_alike_names_are_different_assumptions() -> None:
    """A name cannot contain what would make two sets of assumptions look the same."""
    hypothesis = Hypothesis("h1 <= h2", lambda c, x: x, "=", lambda c, x: c.number(1))
    with pytest.raises(VerifyError, match="not a name"):
        assume((real("x"),), (hypothesis,))


def test_theorems_under_other_signs_do_not_join() -> None:
    """1 = x/x for positive x says nothing about real x."""
    real_x, positive_x = assume((real("x"),), ()), assume((positive("x"),), ())
    one = build(lambda c, x: c.number(1), (real("x"),))
    ratio = build(lambda c, x: x / x, (real("x"),))
    with pytest.raises(VerifyError, match="different assumptions"):
        chain(equation(real_x, one, one), equation(positive_x, one, ratio, ("cancel",)))


def test_a_hypothesis_about_one_entry_does_not_define_the_family() -> None:
    """The refuter computes a family from g_i = ... for every i, and not from g_y = x."""
    part = Part(
        id="one-entry",
        words="",
        given=(_G, _Y, real("x")),
        hypotheses=(Hypothesis("at_label", lambda c, g, y, x: g[y], "=", lambda c, g, y, x: x),),
        left=lambda c, g, y, x: g[y],
        relation="<=",
        right=lambda c, g, y, x: x,
    )
    assert attack(part).outcome in {"supported", "unknown"}

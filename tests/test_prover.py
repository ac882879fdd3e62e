"""The prover: finds derivations that are easy, none of what is false, and says in time that it finds none."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from false_by_newer_rules import FALSE_BY_NEWER_RULES
from false_identities import FALSE, UNDEFINED
from false_inequalities import FALSE_INEQUALITIES, FALSE_UNDER_HYPOTHESES

import verify
from verify.claim import Claim, Hypothesis, Part, Step
from verify.contexts.code import code
from verify.domain import distribution, index, nonnegative, positive, probability, real
from verify.errors import KernelError, UsageError
from verify.kernel import poly
from verify.kernel.assumptions import assume
from verify.kernel.build import build
from verify.kernel.derivation import derive
from verify.kernel.theorem import agree
from verify.operations.cross_entropy_with_logits import cross_entropy_with_logits
from verify.operations.entropy import entropy
from verify.operations.kl_div import kl_div
from verify.operations.log_softmax import log_softmax
from verify.operations.logsumexp import logsumexp
from verify.operations.nll import nll
from verify.operations.sigmoid import sigmoid
from verify.operations.softmax import softmax
from verify.patience import TimeOverError, go_on, patient
from verify.proof import judge
from verify.prover.combination import combination
from verify.prover.searching import Search, search

_G, _Y, _K = real("g", "n"), index("y", "n"), index("k", "n")
_P, _Q = distribution("p", "n"), distribution("q", "n", positive=True)
_A, _B, _X, _Z = positive("a"), positive("b"), real("x"), real("z")
_T = probability("t")

_ORDERED = Hypothesis("ordered", lambda c, a, b: a, "<=", lambda c, a, b: b)
_ALL_BELOW = Hypothesis("below", lambda c, g, x, i: g[i], "<=", lambda c, g, x, i: x, over="n")

_USED = (cross_entropy_with_logits, entropy, kl_div, log_softmax, logsumexp, nll, sigmoid, softmax)
OPERATIONS = {operation.id: operation for operation in _USED}


def _part(name: str, given: Any, left: Any, relation: Any, right: Any, *hypotheses: Hypothesis) -> Part:
    return Part(name, "", given, left, relation, right, hypotheses)


def _total(c: Any, x: Any) -> Any:
    return c.sum(lambda i: x[i], over=x)


# name -> the arguments of _part
EASY: dict[str, tuple[Any, ...]] = {
    "an identity by ring arithmetic": ((_X,), lambda c, x: (x + 1) ** 2, "=", lambda c, x: x**2 + 2 * x + 1),
    "an identity by a rule": (
        (_Q, _Y),
        lambda c, q, y: 2 * c.call(nll, q, y),
        "=",
        lambda c, q, y: -c.log(q[y] ** 2),
    ),
    "an identity of operations": (
        (_G, _Y),
        lambda c, g, y: c.call(log_softmax, g)[y],
        "=",
        lambda c, g, y: c.log(c.call(softmax, g)[y]),
    ),
    "an identity by cases": (
        (nonnegative("p", "n"), positive("q", "n")),
        lambda c, p, q: c.sum(lambda i: c.xlogy(p[i], p[i] / q[i]), over=p),
        "=",
        lambda c, p, q: c.call(kl_div, p, q),
    ),
    "an identity in two steps": (
        (_G, _X, _Y),
        lambda c, g, x, y: c.call(softmax, c.family(lambda i: g[i] + x, over=g))[y],
        "=",
        lambda c, g, x, y: c.call(softmax, g)[y],
    ),
    "an identity of a variable that is named like the context": (
        (positive("c"),),
        lambda c, z: c.log(z**2) / 2,
        "=",
        lambda c, z: c.log(z),
    ),
    "a gradient": (
        (_G, _K),
        lambda c, g, k: c.derivative(lambda c, g: c.call(logsumexp, g), g, k),
        "=",
        lambda c, g, k: c.call(softmax, g)[k],
    ),
    "a gradient with a label": (
        (_G, _Y, _K),
        lambda c, g, y, k: c.derivative(lambda c, g: c.call(cross_entropy_with_logits, g, y), g, k),
        "=",
        lambda c, g, y, k: c.call(softmax, g)[k] - c.equal(k, y),
    ),
    "a derivative by a number": (
        (_Z,),
        lambda c, z: c.derivative(lambda c, z: c.call(sigmoid, z), z),
        "=",
        lambda c, z: c.call(sigmoid, z) * (1 - c.call(sigmoid, z)),
    ),
    "an inequality by its form": ((_X, _Z), lambda c, x, z: c.number(0), "<=", lambda c, x, z: (x - z) ** 2),
    "an inequality that is an equation": ((_X,), lambda c, x: x + x, "<=", lambda c, x: 2 * x),
    "a strict inequality": ((_T,), lambda c, t: t**2, "<", lambda c, t: t),
    "a known inequality": ((_A,), lambda c, a: c.log(a), "<=", lambda c, a: a - 1),
    "a known inequality, in part": ((_A,), lambda c, a: c.log(a) / 2, "<=", lambda c, a: a - Fraction(1, 2)),
    "a sum of known inequalities": (
        (_A, _B),
        lambda c, a, b: c.log(a) + 2 * c.log(b),
        "<=",
        lambda c, a, b: a + 2 * b - 3,
    ),
    "the inequality of Gibbs": (
        (_P, _Q),
        lambda c, p, q: c.number(0),
        "<=",
        lambda c, p, q: c.call(kl_div, p, q),
    ),
    "the logarithm of what is below an exponential": (
        (_Z,),
        lambda c, z: c.log(c.call(sigmoid, z)),
        "<",
        lambda c, z: z,
    ),
    "the inequality of Jensen": (
        (_P, positive("r", "n")),
        lambda c, p, r: c.sum(lambda i: p[i] * c.log(r[i]), over=p),
        "<=",
        lambda c, p, r: c.log(c.sum(lambda i: p[i] * r[i], over=p)),
        Hypothesis(
            "some", lambda c, p, r: c.number(0), "<", lambda c, p, r: c.sum(lambda i: p[i] * r[i], over=p)
        ),
    ),
    "the largest entropy": (
        (_P,),
        lambda c, p: c.call(entropy, p),
        "<=",
        lambda c, p: c.log(c.count(p)),
    ),
    "an entry below the whole": (
        (_G, _K),
        lambda c, g, k: g[k],
        "<=",
        lambda c, g, k: c.call(logsumexp, g),
    ),
    "what is assumed": (
        (_A, _B),
        lambda c, a, b: c.log(a),
        "<=",
        lambda c, a, b: c.log(b),
        _ORDERED,
    ),
    "what is assumed at every index": (
        (_G, _X),
        lambda c, g, x: _total(c, g),
        "<=",
        lambda c, g, x: c.count(g) * x,
        _ALL_BELOW,
    ),
}


@functools.cache
def _found(name: str) -> Search:
    return search(_part(name, *EASY[name]))


@pytest.mark.parametrize("name", EASY)
def test_an_easy_derivation_is_found(name: str) -> None:
    """Of a true statement without steps, within the time."""
    assert _found(name).derivation is not None


@pytest.mark.parametrize("name", EASY)
def test_the_steps_that_are_shown_can_be_pasted(name: str) -> None:
    """The Python text of the steps, put into the statement, is a derivation that the kernel accepts."""
    steps = eval(f"({_found(name).text})", {"Step": Step, **OPERATIONS})
    assert derive(replace(_part(name, *EASY[name]), steps=steps)).theorem.relation in {"=", "<=", "<"}


def test_the_text_of_a_derivation() -> None:
    """It reads as a claim is written: variables by their names, operations by their ids."""
    assert _found("the inequality of Gibbs").text == (
        'Step(lambda c, p, q: c.call(kl_div, p, q), ("sum_linear", "hyp:sum_p", "hyp:sum_q"), '
        '"Found by the prover.", "<=", '
        'lambda c, p, q: c.sum(lambda i: c.gap("rel_entr_ge", p[i], q[i]), over=p)),'
    )


def _wrong() -> dict[str, Part]:
    """Every false statement of the tests of the kernel."""
    equal = {**FALSE, **FALSE_BY_NEWER_RULES, **UNDEFINED}
    return {
        **{name: _part(name, given, left, "=", right) for name, (given, left, right) in equal.items()},
        **{f"order: {name}": _part(name, *case[:4]) for name, case in FALSE_INEQUALITIES.items()},
        **{
            f"assumed: {name}": _part(name, case[0], *case[2:5], case[1])
            for name, case in FALSE_UNDER_HYPOTHESES.items()
        },
    }


WRONG = _wrong()


@pytest.mark.slow
@pytest.mark.parametrize("name", WRONG)
def test_nothing_false_is_found(name: str) -> None:
    """However the rules and the known inequalities are combined; what has no value is rejected at once."""
    try:
        found = search(WRONG[name], 0.1)
    except KernelError:
        found = Search()
    assert found.derivation is None


_HARD = _part("hard", (_X,), lambda c, x: c.log(2) + x / 2, "<=", lambda c, x: c.log(1 + c.exp(x)))


def test_what_is_not_found_is_unknown_with_what_was_tried() -> None:
    """A true statement beyond the prover is not proved, and the reason says how far the search went."""
    record = judge(Claim("hard", "", "", parts=(_HARD,)), 0.5)
    assert (record.status, record.parts[0].found) == ("unknown", "")
    assert record.parts[0].reason.startswith("no derivation is given, and none was found: ")
    assert "known inequalities and signs" in record.parts[0].reason


def test_a_search_ends_in_time() -> None:
    """A single attempt that would take ten seconds is cut short."""
    start = time.monotonic()
    told = search(next(p for p in verify.find("kl-additive").parts if p.id == "kl-additive"), 0.5).tried
    assert told.endswith("the 0.5 s were over")
    assert time.monotonic() - start < 5


def test_a_search_ends_in_time_on_another_thread() -> None:
    """No alarm interrupts one: the kernel asks for itself whether to go on."""
    part, took = next(p for p in verify.find("kl-additive").parts if p.id == "kl-additive"), []

    def work() -> None:
        start = time.monotonic()
        told = search(part, 0.5).tried
        took.append((told.rpartition("; ")[2], time.monotonic() - start))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    ((told, seconds),) = took
    assert told == "the 0.5 s were over"
    assert seconds < 2


def test_a_statement_is_proved_on_another_thread() -> None:
    """What can be found in the time is found there too."""
    claim, found = Claim("easy", "", "", parts=(_part("easy", *EASY["a gradient"]),)), []
    thread = threading.Thread(target=lambda: found.append(verify.prove(claim).status))
    thread.start()
    thread.join()
    assert found == ["proved"]


@pytest.mark.parametrize("work", ["kernel", "product", "combination"])
def test_every_loop_of_a_search_ends_in_time(work: str) -> None:
    """Each of them raises when it has no time, also on a thread that no alarm reaches."""
    part = _part("easy", *EASY["a gradient"])
    given, left = assume(part.given, ()), build(part.left, part.given)
    some = poly.atom(left)
    loops = {
        "kernel": lambda: agree(given, left, left, ()),
        "product": lambda: poly.mul(some, some),
        "combination": lambda: combination([{"x": Fraction(1)}], {"x": Fraction(1)}),
    }
    loops[work]()
    with patient(0), pytest.raises(TimeOverError):
        loops[work]()


def test_work_within_work_has_no_more_time_than_it() -> None:
    """And what comes after it has its own again."""
    with patient(0), patient(60), pytest.raises(TimeOverError):
        go_on()
    go_on()


@pytest.mark.parametrize("limit", [-1.0, float("nan"), float("inf"), "5"])
def test_a_time_that_is_none_is_refused(limit: Any) -> None:
    """The value and what to give."""
    with pytest.raises(UsageError, match="no time; give a number of seconds"):
        verify.prove(verify.find("log-probability-additive"), time_limit=limit)


def test_without_time_nothing_is_looked_for() -> None:
    """The kernel judges what is given, and no more."""
    part = _part("easy", *EASY["a known inequality"])
    verdict = verify.prove(Claim("easy", "", "", parts=(part,)), time_limit=0)
    assert (verdict.status, verdict.reason) == (
        "unknown",
        "no derivation is given, and none was looked for",
    )


def test_a_statement_without_a_derivation_is_proved_with_the_one_that_is_found() -> None:
    """The record has its steps, with the rules, like those of one that was given."""
    part = _part("easy", *EASY["a gradient"])
    record = judge(Claim("easy", "", "", parts=(part,))).parts[0]
    assert (record.status, [[rule.name for rule in step.rules] for step in record.steps]) == (
        "proved",
        [[], ["derivative", "delta"]],
    )
    assert record.found.startswith("Step(lambda c, g, k: c.call(softmax, g)[k], ")


def test_a_false_statement_is_refuted_before_anything_is_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """The refuter comes first: a search for what is false would only take time."""
    monkeypatch.setattr("verify.proof.search_for", lambda *_: pytest.fail("a search was begun"))
    assert judge(Claim("wrong", "", "", parts=(WRONG["log-of-sum"],))).status == "refuted"


def test_a_given_derivation_is_not_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever gives steps wants to know whether they hold."""
    monkeypatch.setattr("verify.proof.search_for", lambda *_: pytest.fail("a search was begun"))
    part = _part("easy", *EASY["a known inequality"])
    wrong = replace(part, steps=(Step(part.right, ("log_mul",), "", "<=", lambda c, a: c.gap("log_le", a)),))
    assert "log_mul is not needed" in judge(Claim("easy", "", "", parts=(wrong,))).parts[0].reason


def _columns(*rows: str) -> list[dict[str, Fraction]]:
    """Vectors as text: "2x -y" is 2 at x and -1 at y."""
    out = []
    for row in rows:
        parts = [(item[-1], item[:-1]) for item in row.split()]
        out.append({key: Fraction({"": "1", "-": "-1"}.get(n, n)) for key, n in parts})
    return out


# name -> (columns, target, the factors)
COMBINATIONS: dict[str, tuple[list[str], str, dict[int, Fraction] | None]] = {
    "one column": (["2x y"], "4x 2y", {0: Fraction(2)}),
    "two columns": (["x", "y", "x y z"], "2x 3y", {0: Fraction(2), 1: Fraction(3)}),
    "what cancels": (["x z", "y -z"], "x y", {0: Fraction(1), 1: Fraction(1)}),
    "a fraction": (["3x"], "x", {0: Fraction(1, 3)}),
    "a negative factor would be needed": (["x"], "-x", None),
    "a key is in no column": (["x"], "x y", None),
    "nothing cancels": (["x z", "y z"], "x y", None),
    "nothing is wanted": (["x"], "", {}),
    "degenerate": (["x y", "x", "y", "x -y"], "x y", {0: Fraction(1)}),
}


@pytest.mark.parametrize("name", COMBINATIONS)
def test_a_combination_with_factors_that_are_not_negative(name: str) -> None:
    """The factors are exact, and there are none where there is no combination."""
    columns, target, expected = COMBINATIONS[name]
    assert combination(_columns(*columns), _columns(target)[0]) == expected


CODE: dict[str, tuple[Any, Callable[..., Any], str]] = {
    "a quotient of whole numbers": ((), lambda c: c.number(1) / 3, "lambda c: c.number(1) / 3"),
    "a fraction": ((), lambda c: c.number(Fraction(-1, 2)), "lambda c: c.number(-1) / 2"),
    "differences": (
        (_X, _Z),
        lambda c, x, z: x - (z - 1) - 2 * x,
        "lambda c, x, z: x - (z - 1) - 2 * x",
    ),
    "powers": ((_X,), lambda c, x: -((x + 1) ** 2), "lambda c, x: -(x + 1) ** 2"),
    "two axes": (
        (real("w", "n", "d"), _Y),
        lambda c, w, y: c.sum(lambda j: w[y, j], over=w[y]) / c.count(w[1]),
        "lambda c, w, y: c.sum(lambda i: w[y][i], over=w[1]) / c.count(w[1])",
    ),
    "an operation's name": (
        (real("softmax", "n"), _Y),
        lambda c, x, y: c.call(softmax, x)[y],
        "lambda c, softmax_, y: c.call(softmax, softmax_)[y]",
    ),
    "more indices than letters": (
        tuple(real(name, "n") for name in "ijklm"),
        lambda c, *v: c.sum(lambda a: c.sum(lambda b: v[0][a] * v[1][b], over=v[1]), over=v[0]),
        "lambda c, i, j, k, l, m: c.sum(lambda i1: c.sum(lambda i2: i[i1] * j[i2], over=i), over=i)",
    ),
    "two sums side by side": (
        (_G, real("h", "n")),
        lambda c, g, h: _total(c, g) * _total(c, h),
        "lambda c, g, h: c.sum(lambda i: g[i], over=g) * c.sum(lambda i: h[i], over=g)",
    ),
    "names of Python": ((real("lambda"),), lambda c, x: x + c.pi(), "lambda c, lambda_: lambda_ + c.pi()"),
    "an entry that is differentiated by": (
        (_G, _Y),
        lambda c, g, y: c.derivative(lambda c, g: c.exp(g[y]), g, y),
        "lambda c, g, y: c.derivative(lambda c, g: c.exp(g[y]), g, (y,))",
    ),
    "an operation on what is made": (
        (_G, _X, _Y),
        lambda c, g, x, y: c.call(softmax, c.family(lambda i: g[i] + x, over=g))[y],
        "lambda c, g, x, y: c.call(softmax, c.family(lambda i: g[i] + x, over=g))[y]",
    ),
}


@pytest.mark.parametrize("name", CODE)
def test_a_formula_as_python_text(name: str) -> None:
    """A term is written as a claim states it."""
    given, formula, expected = CODE[name]
    assert code(build(formula, given), given) == expected

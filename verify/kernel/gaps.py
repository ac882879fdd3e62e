"""Gaps: the differences that the known inequalities say are not negative."""

from __future__ import annotations

from verify.errors import KernelError
from verify.kernel.assumptions import PATTERN, Assumptions, Fact
from verify.kernel.terms import ONE, Term, free, map_leaves, num, replace
from verify.kernel.text import text


def unfold_gap(node: Term, given: Assumptions, *, inside_binder: bool = False) -> Term:
    """The difference that an inequality of the table says is not negative.

    ``inside_binder``: for display only, where an index may belong to a binder around the node.
    """
    name, _, argument = str(node.data).partition(":")
    a = node.args
    if name == "hyp" and argument and len(a) <= 1:
        fact = given.fact(argument)
        if (fact.over is None) != (len(a) == 0):
            raise KernelError(f"{node.data}: give an index exactly when the hypothesis holds for every index")
        if a and fact.over is not None and not inside_binder and not given.in_range(a[0], fact.over):
            raise KernelError(f"{node.data}: the index {text(a[0])} is not in 1..{fact.over}")
        return difference(fact, a[0] if a else None)
    if name == "log_le" and len(a) == 1:
        return Term("add", (a[0], num(-1), _minus(Term("log", a))))
    if name == "xlogx_ge" and len(a) == 1:
        return Term("add", (Term("xlogy", (a[0], a[0])), _minus(a[0]), ONE))
    if name == "xlogy_le" and len(a) == 2:
        return Term("add", (Term("mul", a), _minus(a[0]), _minus(Term("xlogy", a))))
    if name == "rel_entr_ge" and len(a) == 2:
        terms = Term("xlogy", (a[0], a[0])), _minus(Term("xlogy", a)), _minus(a[0]), a[1]
        return Term("add", terms)
    if name == "ceil_above" and len(a) == 1:
        return Term("add", (Term("ceil", a), _minus(a[0])))
    if name == "ceil_below" and len(a) == 1:
        return Term("add", (a[0], ONE, _minus(Term("ceil", a))))
    if name in {"exp_mono", "log_mono"} and len(a) == 2:
        return Term("add", (Term(name[:3], (a[1],)), _minus(Term(name[:3], (a[0],)))))
    raise KernelError(f"no inequality {node.data!r} with {len(a)} terms")


def without_gaps(term: Term, given: Assumptions, depth: int = 0) -> Term:
    """``term``, inside ``depth`` binders, with the difference for every named inequality, for display."""

    def change(node: Term, depth: int) -> Term | None:
        if node.head != "gap":
            return None
        return without_gaps(unfold_gap(node, given, inside_binder=depth > 0), given, depth)

    return map_leaves(term, change, depth)


def difference(fact: Fact, where: Term | None) -> Term:
    """Right minus left of a fact, at an index if it holds for every index."""
    whole = Term("add", (fact.right, _minus(fact.left)))
    return whole if where is None else replace(whole, free(PATTERN), where)


def _minus(t: Term) -> Term:
    return Term("mul", (num(-1), t))

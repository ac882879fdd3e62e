"""Rules that a statement could need: sets of them, in the order of trial, and the fewest that do."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from functools import partial

from verify.domain import Declaration
from verify.kernel.assumptions import Assumptions
from verify.kernel.terms import Term, subterms, unfold
from verify.kernel.theorem import agree
from verify.prover.clock import Clock

RuleSet = tuple[str, ...]

_TURNING = frozenset({"exp_sum", "delta_swap", "fubini", "xlogy_delta", "exp_log", "log_prod", "expand"})
"""Rules that turn a form into another one: with all of them at once two sides may fail to meet."""

_NEEDS: dict[str, tuple[str, ...]] = {
    "derivative": ("diff",),
    "sum_linear": ("sum",),
    "sum_const": ("sum",),
    "fubini": ("sum in sum",),
    "expand": ("sum of few", "prod of few"),
    "delta": ("delta", "diff"),
    "delta_swap": ("delta", "diff"),
    "exp_add": ("exp",),
    "exp_sum": ("exp with sum", "exp with prod"),
    "exp_log": ("exp with log", "exp with xlogy"),
    "log_exp": ("exp with log", "exp with xlogy"),
    "log_one": ("log", "xlogy"),
    "log_mul": ("log", "xlogy"),
    "log_prod": ("prod with log", "prod with xlogy", "exp with prod"),
    "cancel": ("div", "inv", "diff"),
    "xlogy": ("xlogy",),
    "xlog0": ("xlogy",),
    "xlogy_delta": ("delta with xlogy",),
}
"""What must occur in a statement for a rule to have something to do; any one of these."""


def relevant(given: Assumptions, *terms: Term) -> RuleSet:
    """The rules that could have something to do in the terms, and in what is assumed."""
    assumed = [side for fact in given.facts for side in (fact.left, fact.right)]
    features = _features([unfold(t) for t in (*terms, *assumed)])
    rules = [rule for rule, needs in _NEEDS.items() if features.intersection(needs)]
    rules += [f"{'lemma' if f.lemma else 'hyp'}:{f.name}" for f in given.facts if f.relation == "="]
    if "diff" not in features:
        rules += [f"cases:{d.name}" for d in given.declarations.values() if _has_cases(d)]
    return tuple(rules)


def _features(terms: list[Term]) -> set[str]:
    nodes = [node for t in terms for node in subterms(t)]
    found = {node.head for node in nodes}
    found |= {f"{node.head} of few" for node in nodes if isinstance(node.data, int)}
    if any(inner.head == "sum" for t in nodes if t.head == "sum" for inner in subterms(t.args[0])):
        found.add("sum in sum")
    return found | {f"{a} with {b}" for a, b in itertools.permutations(found, 2)}


def _has_cases(d: Declaration) -> bool:
    if d.domain.kind == "index":
        return not d.shape and isinstance(d.domain.bound, int)
    return d.domain.sign == "nonnegative" and len(d.shape) <= 1


def rule_sets(rules: RuleSet) -> Iterator[RuleSet]:
    """Sets of the rules: none, then all that do not turn a form, with few of the others, then fewer."""
    turning = [r for r in rules if r in _TURNING or r.startswith("cases:")]
    plain = [r for r in rules if r not in turning]
    seen: set[RuleSet] = set()
    pairs = list(itertools.combinations(plain, 2))
    with_turning = (extra for k in range(3) for extra in itertools.combinations(turning, k))
    left_out = (*((r,) for r in plain), *pairs)
    for chosen in itertools.chain(
        [()],
        ((*plain, *extra) for extra in with_turning),
        (tuple(r for r in plain if r not in out) for out in left_out),
        ((*(r for r in plain if r not in out), t) for t in turning for out in pairs),
        ((r,) for r in rules),
    ):
        if chosen not in seen and sum(r.startswith("cases:") for r in chosen) < 2:
            seen.add(chosen)
            yield chosen


def fewest(clock: Clock, given: Assumptions, left: Term, right: Term, rules: RuleSet) -> RuleSet:
    """Of rules that make the two sides equal, as few as do: none of them can be left out."""
    kept = rules
    while True:
        for rule in kept:
            fewer = tuple(r for r in kept if r != rule)
            if clock.attempt(partial(agree, given, left, right, fewer)) is not None:
                kept = fewer
                break
        else:
            return kept

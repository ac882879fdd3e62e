"""The rules that a step may name: a table from name to meaning, with its side condition in words."""

from __future__ import annotations

from verify.errors import UsageError, unknown

RULES: dict[str, str] = {
    "sum_linear": "a sum of terms is the sum of the sums, and a factor without the index comes out",
    "sum_const": "a sum of n equal terms is n times the term",
    "fubini": "finite sums may be taken in either order",
    "expand": "a sum or product over finitely many named positions is written out",
    "delta": "the indicator [i = y] is 1 at i = y and 0 elsewhere, so a sum over it keeps one term",
    "delta_swap": "[i = j] f(i) = [i = j] f(j): beside an indicator the one index may stand for the other",
    "exp_add": "e^s e^t = e^(s+t), and e^0 = 1",
    "exp_sum": "the exponential of a sum is the product of the exponentials",
    "exp_log": "e^(log t) = t for t > 0",
    "log_exp": "log e^t = t",
    "log_one": "log 1 = 0",
    "log_mul": "log st = log s + log t and log t^k = k log t, for positive factors",
    "log_prod": "the logarithm of a product of positive factors is the sum of their logarithms",
    "cancel": "t/t = 1 where t is not 0",
    "derivative": "derivatives of sums, products, quotients, powers, e^x and log x; of x_i by x_j: [i = j]",
    "xlogy": "x log y has its ordinary meaning where y > 0",
    "xlog0": "0 log y = 0, by convention also at y = 0",
    "xlogy_delta": "[i = y] log b_i is 0 off the label, by 0 log b = 0, and log b_y at it",
}
"""Always on, and therefore not named: ring arithmetic, renaming of bound indices, definitions."""

PARAMETRIC: dict[str, str] = {
    "hyp": "by assumption",
    "lemma": "by what was proved before",
    "cases": "case by case: every value of the label, or zero and positive apart",
}
"""Rules of the form ``name:argument``."""

GAPS: dict[str, str] = {
    "log_le": "log t <= t - 1 for t > 0",
    "xlogx_ge": "x log x >= x - 1 for x >= 0, with 0 log 0 = 0 (log t <= t - 1 at t = 1/x)",
    "xlogy_le": "x log t <= x (t - 1) for x >= 0, with 0 log 0 = 0 (log t <= t - 1, times x)",
    "rel_entr_ge": "x log x - x log t >= x - t for x, t >= 0, with 0 log 0 = 0 (log s <= s - 1 at s = t/x)",
    "ceil_above": "x <= ceil x",
    "ceil_below": "ceil x < x + 1",
    "exp_mono": "the exponential is increasing",
    "log_mono": "the logarithm is increasing on positive numbers",
    "hyp": "by assumption",
}
"""Inequalities: ``c.gap(name, ...)`` is an expression that is >= 0 (> 0 where the words say <)."""


def words(rule: str) -> str:
    """What a rule says. Raises UsageError for a name that is not a rule."""
    head, _, argument = rule.partition(":")
    if argument and head in PARAMETRIC:
        return f"{PARAMETRIC[head]} ({argument})"
    if rule in RULES:
        return RULES[rule]
    if head in GAPS:
        raise UsageError(
            f"{rule!r} is an inequality, not a rule; give the step gap=lambda c, ...: c.gap({rule!r}, t)"
        )
    raise unknown("rule", rule, [*RULES, *(f"{p}:NAME" for p in PARAMETRIC)])

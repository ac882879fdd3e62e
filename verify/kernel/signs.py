"""Signs: which terms are certainly positive, not negative, and so on, under assumptions."""

from __future__ import annotations

from dataclasses import replace as replace_fields
from fractions import Fraction
from functools import lru_cache

from verify.errors import KernelError
from verify.kernel import poly
from verify.kernel.assumptions import PATTERN, Assumptions, indices_in
from verify.kernel.gaps import difference
from verify.kernel.normal import Normalizer, Sign
from verify.kernel.terms import Term, free, num, open_binder, replace, subterms

_RING: frozenset[str] = frozenset()
_SIMPLIFY = frozenset({"cancel", "exp_add", "expand"})
_DECLARED: dict[str, Sign] = {"any": None, "nonnegative": "0+", "positive": "+"}
_DIFFERENCE: dict[str, Sign] = {"=": "0", "<=": "0+", "<": "+"}
_SIGNS: dict[tuple[bool, bool], Sign] = {
    (False, False): "+",
    (False, True): "-",
    (True, False): "0+",
    (True, True): "0-",
}
_FLIP: dict[Sign, Sign] = {"+": "-", "-": "+", "0+": "0-", "0-": "0+", "0": "0", None: None}


@lru_cache(maxsize=100_000)
def sign_of(given: Assumptions, t: Term) -> Sign:
    """The sign of ``t``: ``+``, ``0+`` (not negative), ``0``, ``0-``, ``-`` or None (not known)."""
    found = _from_form(given, t)
    if found in {"+", "-", "0"}:
        return found
    return _from_facts(given, t) or found or _between(given, t) or _simplified(given, t)


def _from_form(given: Assumptions, t: Term) -> Sign:
    match t.head:
        case "num":
            return "+" if t.data > 0 else "-" if t.data < 0 else "0"
        case "size" | "exp" | "pi":
            return "+"
        case "var" | "app":
            d = given.declarations.get(t.data)
            return None if d is None else _DECLARED[d.domain.sign]
        case "delta":
            return "0+"
        case "call" | "where":
            return sign_of(given, t.args[0])
        case "add":
            return _sum_sign([sign_of(given, a) for a in t.args]) or _one_minus_indicator(t)
        case "mul":
            return _product_sign([sign_of(given, a) for a in t.args])
        case "div":
            return _product_sign([sign_of(given, t.args[0]), _inverse_sign(sign_of(given, t.args[1]))])
        case "inv":
            return _inverse_sign(sign_of(given, t.args[0]))
        case "pow":
            return _power_sign(sign_of(given, t.args[0]), t.data)
        case "sum" | "prod":
            name = given.fresh()
            inner = sign_of(given.with_index(name, t.data), open_binder(t.args[0], free(name)))
            return inner if t.head == "sum" or inner in {"+", "0+"} else None
        case "log":
            return sign_of(given, Term("add", (t.args[0], num(-1))))
        case "ceil":
            inner = sign_of(given, t.args[0])
            return inner if inner in {"+", "0+", "0"} else None
        case "gap":
            return _gap_sign(given, t)
    return None


def _sum_sign(signs: list[Sign]) -> Sign:
    live = [s for s in signs if s != "0"]
    if not live:
        return "0"
    if all(s in {"+", "0+"} for s in live):
        return "+" if "+" in live else "0+"
    if all(s in {"-", "0-"} for s in live):
        return "-" if "-" in live else "0-"
    return None


def _one_minus_indicator(t: Term) -> Sign:
    if len(t.args) != 2:
        return None
    minus = [a for a in t.args if a.head == "mul" and a.args[0] == num(-1) and a.args[-1].head == "delta"]
    return "0+" if num(1) in t.args and any(len(a.args) == 2 for a in minus) else None


def _product_sign(signs: list[Sign]) -> Sign:
    result: Sign = "+"
    for s in signs:
        if result == "0" or s == "0":
            return "0" if None not in signs else None
        if result is None or s is None:
            return None
        result = _SIGNS["0" in result or "0" in s, ("-" in result) != ("-" in s)]
    return result


def _inverse_sign(s: Sign) -> Sign:
    return s if s in {"+", "-"} else None


def _power_sign(s: Sign, k: int) -> Sign:
    if k == 0:
        return "+"
    if k < 0 and s not in {"+", "-"}:
        return None
    if k % 2 == 0:
        return "+" if s in {"+", "-"} else "0" if s == "0" else "0+"
    return s


def _gap_sign(given: Assumptions, t: Term) -> Sign:
    name, _, argument = str(t.data).partition(":")
    if name == "hyp":
        fact = given.fact(argument)
        where = t.args[0] if t.args else None
        return _DIFFERENCE[fact.relation] if fact.when is None or _holds(given, fact.when, where) else None
    if name == "log_le":
        return "0+" if sign_of(given, t.args[0]) == "+" else None
    if name in {"xlogx_ge", "xlogy_le", "rel_entr_ge"}:
        nonnegative = all(sign_of(given, a) in {"+", "0+", "0"} for a in t.args)
        return "0+" if nonnegative else None
    if name == "ceil_above":
        return "0+"
    if name == "ceil_below":
        return "+"
    if name in {"exp_mono", "log_mono"} and len(t.args) == 2:
        if name == "log_mono" and sign_of(given, t.args[0]) != "+":
            return None
        order = sign_of(given, Term("add", (t.args[1], Term("mul", (num(-1), t.args[0])))))
        return order if order in {"+", "0+", "0"} else None
    return None


def _from_facts(given: Assumptions, t: Term) -> Sign:
    """A sign that a case or a hypothesis states, up to ring arithmetic and a rational factor."""
    mine = _ring(given, t)
    for c in given.cases:
        r = poly.ratio(mine, _ring(given, c))
        if r:
            return "+" if r > 0 else "-"
    best: Sign = None
    for f in given.facts:
        for i in [None] if f.over is None else sorted(indices_in(t)):
            if i is not None and f.over is not None and not given.in_range(i, f.over):
                continue
            if f.when is not None and not _holds(given, f.when, i):
                continue
            r = poly.ratio(mine, _ring(given, difference(f, i)))
            if r:
                known = _DIFFERENCE[f.relation]
                found = known if r > 0 else _FLIP[known]
                if found in {"+", "-", "0"}:
                    return found
                best = best or found
    return best


def _holds(given: Assumptions, when: Term, i: Term | None) -> bool:
    """Whether a condition is a case at hand, or > 0 without what is itself known under a condition only."""
    condition = when if i is None else replace(when, free(PATTERN), i)
    return any(c == condition for c in given.cases) or sign_of(_unconditional(given), condition) == "+"


@lru_cache(maxsize=1_000)
def _unconditional(given: Assumptions) -> Assumptions:
    return replace_fields(given, facts=tuple(f for f in given.facts if f.when is None))


def _between(given: Assumptions, t: Term) -> Sign:
    """The sign of a term that is affine in a variable v with 0 < v < 1, and a rest of the same sign.

    On the open interval the affine part is a convex combination, with both weights > 0, of its values
    at v = 0 and v = 1; the rest is what v enters otherwise.
    """
    whole = _ring(given, t)
    for v in sorted(poly.atoms([whole])):
        d = given.declarations.get(str(v.data)) if v.head in {"var", "app"} else None
        if d is None or not d.domain.below_one or d.domain.sign != "positive":
            continue
        affine = {m: c for m, c in whole.items() if _is_affine(m, v)}
        rest = {m: c for m, c in whole.items() if m not in affine}
        if not affine:
            continue
        ends = [poly.to_term(_ring(given, replace(poly.to_term(affine), v, num(e)))) for e in (0, 1)]
        found = _sum_sign([sign_of(given, e) for e in ends])
        if rest and found is not None:
            found = _sum_sign([found, sign_of(given, poly.to_term(rest))])
        if found is not None or not rest:
            return found
    return None


def _is_affine(m: poly.Monomial, v: Term) -> bool:
    """Whether a monomial has v at most once, and not inside another atom."""
    return dict(m).get(v, 0) <= 1 and not any(v in subterms(x) for x, _ in m if x != v)


def _ring(given: Assumptions, t: Term) -> poly.Poly:
    return Normalizer(_RING, sign_of).norm(t, given)


def _simplified(given: Assumptions, t: Term) -> Sign:
    """The sign of the normal form, where the form as it stands does not show it."""
    try:
        simple = Normalizer(_SIMPLIFY, sign_of).norm(t, given)
    except KernelError:
        return None
    shared, rest = poly.content(simple)
    new = poly.to_term(simple)
    if new == t and not shared:
        return None
    if shared:
        factor = poly.monomial_term(shared, Fraction(1))
        return _product_sign([sign_of(given, factor), sign_of(given, poly.to_term(rest))])
    return _from_form(given, new) or _between(given, new)

"""Normal forms of exponentials and logarithms, under the rules that are named."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Protocol

from verify.kernel import poly
from verify.kernel.assumptions import Assumptions
from verify.kernel.poly import Poly
from verify.kernel.terms import Term, free, num, open_binder, replace

_SMALL_PRIMES = [p for p in range(2, 1000) if all(p % q for q in range(2, p))]


class Rules(Protocol):
    """What the forms of this file need of the normaliser that they are part of."""

    rules: frozenset[str]

    def norm(self, term: Term, given: Assumptions) -> Poly:
        """The normal form of a term."""

    def merge(self, p: Poly, given: Assumptions) -> Poly:
        """``p`` with its exponentials multiplied together."""

    def inverse(self, given: Assumptions, p: Poly) -> Poly:
        """The reciprocal of ``p``."""

    def positive(self, t: Term, given: Assumptions) -> bool:
        """Whether ``t`` is certainly > 0."""

    def met(self, rule: str, t: Term, given: Assumptions) -> None:
        """Note that ``rule`` needed the sign of ``t`` and that it is known."""


def pull_out_exponential(n: Rules, given: Assumptions, p: Poly) -> tuple[Poly, Poly]:
    """With ``exp_add``: e^-a and p e^-a for the exponent a that makes the latter come first."""
    if "exp_add" not in n.rules:
        return poly.constant(1), p
    exponents = {t.args[0] for m in p for t, k in m if t.head == "exp" and k == 1}
    if not exponents:
        return poly.constant(1), p
    choices = []
    if any(all(t.head != "exp" for t, _ in m) for m in p):
        choices.append((poly.to_term(p), poly.constant(1), p))
    for a in exponents:
        down = exp_form(n, poly.scale(n.norm(a, given), Fraction(-1)), given)
        rest = n.merge(poly.mul(p, down), given)
        choices.append((poly.to_term(rest), down, rest))
    _, down, rest = min(choices, key=lambda choice: choice[0])
    return down, rest


def exp_form(n: Rules, p: Poly, given: Assumptions) -> Poly:
    """The exponential of ``p``."""
    factor = poly.constant(1)
    rest = dict(p)
    if "exp_sum" in n.rules:
        for m in [m for m, c in p.items() if len(m) == 1 and m[0][0].head == "sum" and m[0][1] == 1]:
            t, c = m[0][0], rest[m]
            if c.denominator == 1 and (len(rest) == 1 or "exp_add" in n.rules):
                product = n.norm(Term("prod", (Term("exp", t.args),), t.data), given)
                factor = poly.mul(
                    factor, poly.power(product if c > 0 else n.inverse(given, product), abs(int(c)))
                )
                del rest[m]
    if "exp_log" in n.rules:
        logs = [m for m in rest if len(m) == 1 and m[0][0].head == "log" and m[0][1] == 1]
        for m in logs:
            k, inside = math.floor(p[m]), m[0][0].args[0]
            alone = len(rest) == 1 and p[m] == k
            if k and (alone or "exp_add" in n.rules) and n.positive(inside, given):
                n.met("exp_log", inside, given)
                base = n.norm(inside, given)
                factor = poly.mul(factor, poly.power(base if k > 0 else n.inverse(given, base), abs(k)))
                rest = poly.add(rest, {m: Fraction(-k)})
    if not rest and (p or "exp_add" in n.rules):
        return factor
    return poly.mul(factor, poly.atom(Term("exp", (poly.to_term(rest),))))


def log_form(n: Rules, p: Poly, given: Assumptions) -> Poly:
    """The logarithm of ``p``; with ``log_mul``, a sum has its leading coefficient taken out of it."""
    if "log_one" in n.rules and p == poly.constant(1):
        return {}
    one = poly.single(p)
    if one:
        m, c = one
        if c == 1 and len(m) == 1 and m[0][1] == 1:
            return _log_atom(n, m[0][0], given)
        if "log_mul" in n.rules and c > 0 and all(n.positive(t, given) for t, _ in m):
            for t, _ in m:
                n.met("log_mul", t, given)
            parts = [poly.scale(_log_atom(n, t, given), Fraction(k)) for t, k in m]
            return poly.add(_log_number(c), *parts)
    elif "log_mul" in n.rules and p:
        lead = p[min(p)]
        primitive = poly.to_term(poly.scale(p, 1 / lead))
        if lead > 0 and lead != 1 and n.positive(primitive, given):
            n.met("log_mul", primitive, given)
            return poly.add(_log_number(lead), poly.atom(Term("log", (primitive,))))
    return poly.atom(Term("log", (poly.to_term(p),)))


def _log_atom(n: Rules, t: Term, given: Assumptions) -> Poly:
    if t.head == "exp" and "log_exp" in n.rules:
        return n.norm(t.args[0], given)
    if t.head == "inv" and "log_mul" in n.rules and n.positive(t.args[0], given):
        n.met("log_mul", t.args[0], given)
        return poly.scale(log_form(n, n.norm(t.args[0], given), given), Fraction(-1))
    if t.head == "prod" and "log_prod" in n.rules:
        name = given.fresh()
        inner = given.with_index(name, t.data)
        body = open_binder(t.args[0], free(name))
        if n.positive(body, inner):
            n.met("log_prod", body, inner)
            return n.norm(Term("sum", (Term("log", (t.args[0],)),), t.data), given)
    return poly.atom(Term("log", (t,)))


def xlogy_form(n: Rules, a: Poly, b: Poly, given: Assumptions) -> Poly:
    """``a log b``, with 0 log b = 0."""
    if not a and "xlog0" in n.rules:
        return {}
    if "xlogy" in n.rules and n.positive(poly.to_term(b), given):
        n.met("xlogy", poly.to_term(b), given)
        return poly.mul(a, log_form(n, b, given))
    one = poly.single(a)
    if "xlogy_delta" in n.rules and one and one[1] == 1 and len(one[0]) == 1:
        t, k = one[0][0]
        if t.head == "delta" and k == 1:
            at = poly.to_term(n.norm(replace(poly.to_term(b), *_keep_label(t)), given))
            if n.positive(at, given):
                n.met("xlogy_delta", at, given)
                return poly.mul(a, log_form(n, n.norm(at, given), given))
    return poly.atom(Term("xlogy", (poly.to_term(a), poly.to_term(b))))


def _keep_label(delta: Term) -> tuple[Term, Term]:
    """Of the two indices of an indicator, the one to be replaced and the one to put in its place."""
    i, j = delta.args
    return (i, j) if i.head == "free" else (j, i)


def _log_number(c: Fraction) -> Poly:
    """The logarithm of c as a combination of logarithms of primes (a large cofactor stays whole)."""
    total: Poly = {}
    for value, side in ((c.numerator, 1), (c.denominator, -1)):
        for p in _SMALL_PRIMES:
            while value % p == 0:
                value //= p
                total = poly.add(total, poly.scale(poly.atom(Term("log", (num(p),))), Fraction(side)))
        if value > 1:
            total = poly.add(total, poly.scale(poly.atom(Term("log", (num(value),))), Fraction(side)))
    return total

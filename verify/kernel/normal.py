"""Normal forms: what a term is equal to, using ring arithmetic and exactly the named rules."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Literal

from verify.errors import KernelError
from verify.kernel import poly
from verify.kernel.assumptions import PATTERN, Assumptions, Fact, indices_in
from verify.kernel.poly import Monomial, Poly
from verify.kernel.terms import (
    ONE,
    Term,
    close_binder,
    free,
    free_indices,
    map_leaves,
    num,
    open_binder,
    position,
    replace,
)
from verify.kernel.text import text

Sign = Literal["+", "0+", "0", "0-", "-"] | None
SignOf = Callable[[Assumptions, Term], Sign]
_SMALL_PRIMES = [p for p in range(2, 1000) if all(p % q for q in range(2, p))]


def unfold_gap(node: Term, given: Assumptions) -> Term:
    """The difference that an inequality of the table says is not negative."""
    name, _, argument = str(node.data).partition(":")
    a = node.args
    if name == "hyp" and argument and len(a) <= 1:
        fact = given.fact(argument)
        if (fact.over is None) != (len(a) == 0):
            raise KernelError(f"{node.data}: give an index exactly when the hypothesis holds for every index")
        if a and fact.over is not None and not given.in_range(a[0], fact.over):
            raise KernelError(f"{node.data}: the index {text(a[0])} is not in 1..{fact.over}")
        return difference(fact, a[0] if a else None)
    if name == "log_le" and len(a) == 1:
        return Term("add", (a[0], num(-1), _minus(Term("log", a))))
    if name == "xlogx_ge" and len(a) == 1:
        return Term("add", (Term("xlogy", (a[0], a[0])), _minus(a[0]), ONE))
    if name == "ceil_above" and len(a) == 1:
        return Term("add", (Term("ceil", a), _minus(a[0])))
    if name == "ceil_below" and len(a) == 1:
        return Term("add", (a[0], ONE, _minus(Term("ceil", a))))
    if name in {"exp_mono", "log_mono"} and len(a) == 2:
        return Term("add", (Term(name[:3], (a[1],)), _minus(Term(name[:3], (a[0],)))))
    raise KernelError(f"no inequality {node.data!r} with {len(a)} terms")


def without_gaps(term: Term, given: Assumptions) -> Term:
    """``term`` with every named inequality replaced by the difference it stands for."""

    def change(node: Term, depth: int) -> Term | None:
        return without_gaps(unfold_gap(node, given), given) if node.head == "gap" else None

    return map_leaves(term, change)


def difference(fact: Fact, where: Term | None) -> Term:
    """Right minus left of a fact, at an index if it holds for every index."""
    whole = Term("add", (fact.right, _minus(fact.left)))
    return whole if where is None else replace(whole, free(PATTERN), where)


def _minus(t: Term) -> Term:
    return Term("mul", (num(-1), t))


class Normalizer:
    """Normal forms under a set of rules. Records how each side condition was met."""

    def __init__(self, rules: frozenset[str], sign: SignOf) -> None:
        self.rules = rules
        self.conditions: dict[str, dict[str, None]] = {}
        self._sign = sign
        self._memo: dict[tuple[Term, str], Poly] = {}
        self._active: frozenset[str] = frozenset()

    def zero(self, term: Term, given: Assumptions) -> bool:
        """Whether ``term`` is 0 by these rules."""
        return not self.norm(term, given)

    def norm(self, term: Term, given: Assumptions) -> Poly:
        """The normal form of ``term``."""
        key = (term, given.key)
        if key not in self._memo:
            self._memo[key] = self._finish(self._node(term, given), given)
        return self._memo[key]

    # --- one node -------------------------------------------------------------------------------

    def _node(self, t: Term, given: Assumptions) -> Poly:
        match t.head:
            case "num":
                return poly.constant(t.data)
            case "var" | "app" | "size":
                return poly.atom(t)
            case "call":
                return self.norm(t.args[0], given)
            case "gap":
                return self.norm(unfold_gap(t, given), given)
            case "add":
                return poly.add(*(self.norm(a, given) for a in t.args))
            case "mul":
                product = poly.constant(1)
                for a in t.args:
                    product = poly.mul(product, self.norm(a, given))
                return product
            case "div":
                return poly.mul(self.norm(t.args[0], given), self._inverse(given, self.norm(t.args[1], given)))
            case "inv":
                return self._inverse(given, self.norm(t.args[0], given))
            case "pow":
                base = self.norm(t.args[0], given)
                return poly.power(base if t.data >= 0 else self._inverse(given, base), abs(t.data))
            case "exp":
                return self._exp(self.norm(t.args[0], given), given)
            case "log":
                return self._log(self.norm(t.args[0], given), given)
            case "ceil":
                return poly.atom(Term("ceil", (poly.to_term(self.norm(t.args[0], given)),)))
            case "xlogy":
                a, b = (self.norm(x, given) for x in t.args)
                return self._xlogy(a, b, given)
            case "delta":
                return self._delta(*t.args)
            case "sum" | "prod":
                return self._bind(t, given)
        raise KernelError(f"a term with the head {t.head!r} has no value")

    def _inverse(self, given: Assumptions, p: Poly) -> Poly:
        if not p:
            raise KernelError("division by zero")
        one = poly.single(p)
        if one:
            m, c = one
            return {tuple(sorted((Term("inv", (t,)), k) for t, k in m)): 1 / c}
        factor, p = self._pull_out_exponential(given, p)
        lead = p[min(p)]
        primitive = poly.scale(p, 1 / lead)
        return poly.scale(poly.mul(factor, poly.atom(Term("inv", (poly.to_term(primitive),)))), 1 / lead)

    def _pull_out_exponential(self, given: Assumptions, p: Poly) -> tuple[Poly, Poly]:
        """With ``exp_add``: e^-a and p e^-a for the exponent a that makes the latter come first."""
        if "exp_add" not in self.rules:
            return poly.constant(1), p
        exponents = {t.args[0] for m in p for t, k in m if t.head == "exp" and k == 1}
        if not exponents:
            return poly.constant(1), p
        choices = []
        if any(all(t.head != "exp" for t, _ in m) for m in p):
            choices.append((poly.to_term(p), poly.constant(1), p))
        for a in exponents:
            down = self._exp(poly.scale(self.norm(a, given), Fraction(-1)), given)
            rest = self._merge(poly.mul(p, down), given)
            choices.append((poly.to_term(rest), down, rest))
        _, down, rest = min(choices, key=lambda choice: choice[0])
        return down, rest

    def _exp(self, p: Poly, given: Assumptions) -> Poly:
        factor = poly.constant(1)
        rest = dict(p)
        if "exp_sum" in self.rules:
            for m in [m for m, c in p.items() if len(m) == 1 and m[0][0].head == "sum" and m[0][1] == 1]:
                t, c = m[0][0], rest[m]
                if c.denominator == 1 and (len(rest) == 1 or "exp_add" in self.rules):
                    product = self.norm(Term("prod", (Term("exp", t.args),), t.data), given)
                    factor = poly.mul(factor, poly.power(product if c > 0 else self._inverse(given, product), abs(int(c))))
                    del rest[m]
        if "exp_log" in self.rules:
            logs = [m for m in rest if len(m) == 1 and m[0][0].head == "log" and m[0][1] == 1]
            for m in logs:
                k, inside = math.floor(p[m]), m[0][0].args[0]
                alone = len(rest) == 1 and p[m] == k
                if k and (alone or "exp_add" in self.rules) and self._positive(inside, given):
                    self._met("exp_log", inside, given)
                    base = self.norm(inside, given)
                    factor = poly.mul(factor, poly.power(base if k > 0 else self._inverse(given, base), abs(k)))
                    rest = poly.add(rest, {m: Fraction(-k)})
        if not rest and (p or "exp_add" in self.rules):
            return factor
        return poly.mul(factor, poly.atom(Term("exp", (poly.to_term(rest),))))

    def _log(self, p: Poly, given: Assumptions) -> Poly:
        if "log_one" in self.rules and p == poly.constant(1):
            return {}
        one = poly.single(p)
        if one:
            m, c = one
            if c == 1 and len(m) == 1 and m[0][1] == 1:
                return self._log_atom(m[0][0], given)
            if "log_mul" in self.rules and c > 0 and all(self._positive(t, given) for t, _ in m):
                for t, _ in m:
                    self._met("log_mul", t, given)
                parts = [poly.scale(self._log_atom(t, given), Fraction(k)) for t, k in m]
                return poly.add(_log_number(c), *parts)
        return poly.atom(Term("log", (poly.to_term(p),)))

    def _log_atom(self, t: Term, given: Assumptions) -> Poly:
        if t.head == "exp" and "log_exp" in self.rules:
            return self.norm(t.args[0], given)
        if t.head == "inv" and "log_mul" in self.rules and self._positive(t.args[0], given):
            self._met("log_mul", t.args[0], given)
            return poly.scale(self._log(self.norm(t.args[0], given), given), Fraction(-1))
        if t.head == "prod" and "log_prod" in self.rules:
            inner, name = self._open(t, given)
            body = open_binder(t.args[0], free(name))
            if self._positive(body, inner):
                self._met("log_prod", body, inner)
                return self.norm(Term("sum", (Term("log", (t.args[0],)),), t.data), given)
        return poly.atom(Term("log", (t,)))

    def _xlogy(self, a: Poly, b: Poly, given: Assumptions) -> Poly:
        if not a and "xlog0" in self.rules:
            return {}
        if "xlogy" in self.rules and self._positive(poly.to_term(b), given):
            self._met("xlogy", poly.to_term(b), given)
            return poly.mul(a, self._log(b, given))
        one = poly.single(a)
        if "xlogy_delta" in self.rules and one and one[1] == 1 and len(one[0]) == 1:
            t, k = one[0][0]
            if t.head == "delta" and k == 1:
                at = poly.to_term(self.norm(replace(poly.to_term(b), *_keep_label(t)), given))
                if self._positive(at, given):
                    self._met("xlogy_delta", at, given)
                    return poly.mul(a, self._log(self.norm(at, given), given))
        return poly.atom(Term("xlogy", (poly.to_term(a), poly.to_term(b))))

    def _delta(self, i: Term, j: Term) -> Poly:
        if "delta" in self.rules:
            if i == j:
                return poly.constant(1)
            if i.head == j.head == "position":
                return {}
        return poly.atom(Term("delta", tuple(sorted((i, j)))))

    # --- binders --------------------------------------------------------------------------------

    def _open(self, t: Term, given: Assumptions) -> tuple[Assumptions, str]:
        name = given.fresh()
        return given.with_index(name, t.data), name

    def _bind(self, t: Term, given: Assumptions) -> Poly:
        if isinstance(t.data, int) and "expand" in self.rules:
            parts = [self.norm(open_binder(t.args[0], position(k)), given) for k in range(1, t.data + 1)]
            if t.head == "sum":
                return poly.add(*parts)
            product = poly.constant(1)
            for p in parts:
                product = poly.mul(product, p)
            return product
        inner, name = self._open(t, given)
        body = self.norm(open_binder(t.args[0], free(name)), inner)
        if t.head == "sum":
            return self._sum(body, name, t, given)
        return poly.atom(Term("prod", (close_binder(poly.to_term(body), name),), t.data))

    def _sum(self, body: Poly, name: str, t: Term, given: Assumptions) -> Poly:
        if "sum_linear" not in self.rules and len(body) > 1:
            return poly.atom(Term("sum", (close_binder(poly.to_term(body), name),), t.data))
        return poly.add(*(self._sum_one(m, c, name, t, given) for m, c in body.items()))

    def _sum_one(self, m: Monomial, c: Fraction, name: str, t: Term, given: Assumptions) -> Poly:
        here = free(name)
        if "delta" in self.rules:
            for factor, k in m:
                if factor.head == "delta" and here in factor.args:
                    other = factor.args[1] if factor.args[0] == here else factor.args[0]
                    if given.in_range(other, t.data):
                        rest = tuple(x for x in m if x != (factor, k))
                        self._note("delta", f"{text(other)} is in 1..{t.data}")
                        return self.norm(replace(poly.monomial_term(rest, c), here, other), given)
        outer = tuple(x for x in m if name not in free_indices(x[0]))
        inner = tuple(x for x in m if name in free_indices(x[0]))
        if not inner and "sum_const" in self.rules:
            length = poly.constant(t.data) if isinstance(t.data, int) else poly.atom(Term("size", data=t.data))
            return poly.mul({m: c}, length)
        if "sum_linear" not in self.rules:
            outer, inner = (), m
            body, factor = poly.monomial_term(m, c), poly.constant(1)
        else:
            body, factor = poly.monomial_term(inner, Fraction(1)), {outer: c}
        made = Term("sum", (close_binder(body, name),), t.data)
        return poly.mul(factor, poly.atom(self._ordered(made) if "fubini" in self.rules else made))

    def _ordered(self, t: Term) -> Term:
        """Of a double sum, the order of summation that comes first."""
        body = t.args[0]
        if body.head != "sum":
            return t
        core = open_binder(open_binder(body, free("@outer")).args[0], free("@inner"))
        swapped = Term("sum", (close_binder(core, "@outer"),), t.data)
        return min(t, Term("sum", (close_binder(swapped, "@inner"),), body.data))

    # --- whole polynomials ----------------------------------------------------------------------

    def _finish(self, p: Poly, given: Assumptions) -> Poly:
        for _ in range(20):
            new = self._rewrite(self._cancel(self._merge(p, given), given), given)
            if new == p:
                return p
            p = new
        raise KernelError("the rules do not come to an end on this term")

    def _merge(self, p: Poly, given: Assumptions) -> Poly:
        """Multiply exponentials together, and drop powers of an indicator."""
        if not {"exp_add", "delta"} & self.rules:
            return p
        total: list[Poly] = []
        for m, c in p.items():
            rest: list[tuple[Term, int]] = []
            exponents: list[Poly] = []
            for t, k in m:
                if "exp_add" in self.rules and t.head == "exp":
                    exponents.append(poly.scale(self.norm(t.args[0], given), Fraction(k)))
                elif "exp_add" in self.rules and t.head == "inv" and t.args[0].head == "exp":
                    exponents.append(poly.scale(self.norm(t.args[0].args[0], given), Fraction(-k)))
                elif "delta" in self.rules and t.head == "delta":
                    rest.append((t, 1))
                else:
                    rest.append((t, k))
            factor: Poly = {tuple(rest): c}
            if exponents:
                factor = poly.mul(factor, self._exp(poly.add(*exponents), given))
            total.append(factor)
        return poly.add(*total)

    def _cancel(self, p: Poly, given: Assumptions) -> Poly:
        if "cancel" not in self.rules:
            return p
        simple = poly.add(*({self._cancel_atoms(m, given): c} for m, c in p.items()))
        sums = {t for t in poly.atoms([simple]) if t.head == "inv" and t.args[0].head == "add"}
        sums = {t for t in sums if self._nonzero(t.args[0], given)}
        if not sums:
            return simple
        for t in sums:
            self._met("cancel", t.args[0], given)
        return self._over_common_denominator(simple, sorted(sums), given)

    def _cancel_atoms(self, m: Monomial, given: Assumptions) -> Monomial:
        powers = dict(m)
        for t in list(powers):
            if t.head == "inv" and t.args[0] in powers and self._nonzero(t.args[0], given):
                self._met("cancel", t.args[0], given)
                k = min(powers[t], powers[t.args[0]])
                powers[t] -= k
                powers[t.args[0]] -= k
            if t.head == "inv" and t.args[0].head == "inv" and self._nonzero(t.args[0].args[0], given):
                self._met("cancel", t.args[0].args[0], given)
                inside = t.args[0].args[0]
                powers[inside] = powers.get(inside, 0) + powers.pop(t)
        return tuple(sorted((t, k) for t, k in powers.items() if k))

    def _over_common_denominator(self, p: Poly, inverses: list[Term], given: Assumptions) -> Poly:
        most = {t: max(dict(m).get(t, 0) for m in p) for t in inverses}
        below = {t: self.norm(t.args[0], given) for t in inverses}
        top: Poly = {}
        for m, c in p.items():
            powers = dict(m)
            part: Poly = {tuple(x for x in m if x[0] not in most): c}
            for t in inverses:
                part = poly.mul(part, poly.power(below[t], most[t] - powers.get(t, 0)))
            top = poly.add(top, part)
        top = self._merge(top, given)
        for t in inverses:
            while most[t] and top and (quotient := poly.divide(top, below[t])) is not None:
                top, most[t] = quotient, most[t] - 1
        for t, k in most.items():
            top = poly.mul(top, poly.power(poly.atom(t), k))
        return top

    def _rewrite(self, p: Poly, given: Assumptions) -> Poly:
        """Replace what the named hypotheses and lemmas say is equal to something else."""
        for rule in sorted(self.rules - self._active):
            kind, _, name = rule.partition(":")
            if kind not in {"hyp", "lemma"} or not name:
                continue
            fact = given.fact(name)
            if fact.lemma != (kind == "lemma") or fact.relation != "=":
                raise KernelError(f"{rule} is not an equation that can be used here")
            for t in sorted(poly.atoms([p])):
                new = self._instance(rule, fact, t, given)
                if new is not None:
                    p = poly.add(*(_put(m, c, t, new) for m, c in p.items()))
        return p

    def _instance(self, rule: str, fact: Fact, t: Term, given: Assumptions) -> Poly | None:
        before, self._active = self._active, self._active | {rule}
        saved, self._memo = self._memo, {}
        try:
            places = [ONE] if fact.over is None else sorted(indices_in(t))
            for i in places:
                if fact.over is not None and not given.in_range(i, fact.over):
                    continue
                left, right, when = (
                    None if x is None else replace(x, free(PATTERN), i) for x in (fact.left, fact.right, fact.when)
                )
                assert left is not None and right is not None
                if when is not None and not self._positive(when, given):
                    continue
                if self.norm(left, given) == poly.atom(t):
                    return self.norm(right, given)
            return None
        finally:
            self._active, self._memo = before, saved

    # --- side conditions ------------------------------------------------------------------------

    def _positive(self, t: Term, given: Assumptions) -> bool:
        return self._sign(given, t) == "+"

    def _nonzero(self, t: Term, given: Assumptions) -> bool:
        return self._sign(given, t) in {"+", "-"}

    def _met(self, rule: str, t: Term, given: Assumptions) -> None:
        relation = ">" if self._positive(t, given) else "is not"
        self._note(rule, f"{text(t)} {relation} 0")

    def _note(self, rule: str, condition: str) -> None:
        self.conditions.setdefault(rule, {})[condition] = None


def _put(m: Monomial, c: Fraction, old: Term, new: Poly) -> Poly:
    k = dict(m).get(old, 0)
    rest = tuple(x for x in m if x[0] != old)
    return poly.mul({rest: c}, poly.power(new, k))


def _keep_label(delta: Term) -> tuple[Term, Term]:
    """Of the two indices of an indicator, the one to be replaced and the one to put in its place."""
    i, j = delta.args
    return (i, j) if i.head == "free" else (j, i)


def _log_number(c: Fraction) -> Poly:
    """log c as a combination of logarithms of primes (a large cofactor stays whole)."""
    total: Poly = {}
    for value, side in ((c.numerator, 1), (c.denominator, -1)):
        for p in _SMALL_PRIMES:
            while value % p == 0:
                value //= p
                total = poly.add(total, poly.scale(poly.atom(Term("log", (num(p),))), Fraction(side)))
        if value > 1:
            total = poly.add(total, poly.scale(poly.atom(Term("log", (num(value),))), Fraction(side)))
    return total

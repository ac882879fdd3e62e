"""Normal forms: what a term is equal to, using ring arithmetic and exactly the named rules."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Literal

from verify.errors import KernelError
from verify.kernel import poly
from verify.kernel.assumptions import PATTERN, Assumptions, Fact, indices_in
from verify.kernel.derivative import differentiate
from verify.kernel.functions import exp_form, log_form, pull_out_exponential, xlogy_form
from verify.kernel.gaps import unfold_gap
from verify.kernel.indicators import aligned
from verify.kernel.poly import Monomial, Poly
from verify.kernel.terms import (
    ONE,
    Term,
    close_binder,
    free,
    free_indices,
    open_binder,
    position,
    replace,
)
from verify.kernel.text import text
from verify.patience import go_on

Sign = Literal["+", "0+", "0", "0-", "-"] | None
SignOf = Callable[[Assumptions, Term], Sign]


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
        """The normal form of ``term``. Raises ``TimeOverError`` where it takes longer than it may."""
        key = (term, given.key)
        if key not in self._memo:
            go_on()
            self._memo[key] = self._finish(self._node(term, given), given)
        return self._memo[key]

    # --- one node -------------------------------------------------------------------------------

    def _node(self, t: Term, given: Assumptions) -> Poly:
        match t.head:
            case "num":
                return poly.constant(t.data)
            case "var" | "app" | "size" | "pi":
                return poly.atom(t)
            case "call" | "where":
                return self.norm(t.args[0], given)
            case "diff":
                if "derivative" in self.rules:
                    return self.norm(differentiate(t.args[0], t.args[1]), given)
                return poly.atom(t)
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
                return poly.mul(self.norm(t.args[0], given), self.inverse(given, self.norm(t.args[1], given)))
            case "inv":
                return self.inverse(given, self.norm(t.args[0], given))
            case "pow":
                base = self.norm(t.args[0], given)
                return poly.power(base if t.data >= 0 else self.inverse(given, base), abs(t.data))
            case "exp":
                return exp_form(self, self.norm(t.args[0], given), given)
            case "log":
                return log_form(self, self.norm(t.args[0], given), given)
            case "ceil":
                return poly.atom(Term("ceil", (poly.to_term(self.norm(t.args[0], given)),)))
            case "xlogy":
                return xlogy_form(self, self.norm(t.args[0], given), self.norm(t.args[1], given), given)
            case "delta":
                return self._delta(*t.args)
            case "sum" | "prod":
                return self._bind(t, given)
        raise KernelError(f"a term with the head {t.head!r} has no value")

    def inverse(self, given: Assumptions, p: Poly) -> Poly:
        """The reciprocal of ``p``, with leading coefficient 1 inside."""
        if not p:
            raise KernelError("division by zero")
        one = poly.single(p)
        if one:
            m, c = one
            return {tuple(sorted((Term("inv", (t,)), k) for t, k in m)): 1 / c}
        factor, p = pull_out_exponential(self, given, p)
        lead = p[min(p)]
        primitive = poly.scale(p, 1 / lead)
        return poly.scale(poly.mul(factor, poly.atom(Term("inv", (poly.to_term(primitive),)))), 1 / lead)

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
                        self.note("delta", f"{text(other)} is in 1..{t.data}")
                        return self.norm(replace(poly.monomial_term(rest, c), here, other), given)
        outer = tuple(x for x in m if name not in free_indices(x[0]))
        inner = tuple(x for x in m if name in free_indices(x[0]))
        if not inner and "sum_const" in self.rules:
            length = (
                poly.constant(t.data) if isinstance(t.data, int) else poly.atom(Term("size", data=t.data))
            )
            return poly.mul({m: c}, length)
        body, front = poly.monomial_term(m, c), poly.constant(1)
        if "sum_linear" in self.rules:
            body, front = poly.monomial_term(inner, Fraction(1)), {outer: c}
        made = Term("sum", (close_binder(body, name),), t.data)
        return poly.mul(front, poly.atom(self._ordered(made) if "fubini" in self.rules else made))

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
            new = self._rewrite(self._cancel(aligned(self, self.merge(p, given), given), given), given)
            if new == p:
                return p
            p = new
        raise KernelError("the rules do not come to an end on this term")

    def merge(self, p: Poly, given: Assumptions) -> Poly:
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
                factor = poly.mul(factor, exp_form(self, poly.add(*exponents), given))
            total.append(factor)
        return poly.add(*total)

    def _cancel(self, p: Poly, given: Assumptions) -> Poly:
        if "cancel" not in self.rules:
            return p
        simple = poly.add(*({self._cancel_atoms(m, given): c} for m, c in p.items()))
        inverses = [t for t in sorted(poly.atoms([simple])) if t.head == "inv" and t.args[0].head == "add"]
        below = {t: self.norm(t.args[0], given) for t in inverses if self._may_cancel(t.args[0], given)}
        return poly.reduced(simple, below, lambda top: self.merge(top, given)) if below else simple

    def _cancel_atoms(self, m: Monomial, given: Assumptions) -> Monomial:
        powers = dict(m)
        for t in [t for t in powers if t.head == "inv"]:
            inside = t.args[0]
            if inside in powers and self._may_cancel(inside, given):
                k = min(powers[t], powers[inside])
                powers[t] -= k
                powers[inside] -= k
            elif inside.head == "inv" and self._may_cancel(inside.args[0], given):
                whole = inside.args[0]
                powers[whole] = powers.get(whole, 0) + powers.pop(t)
        return tuple(sorted((t, k) for t, k in powers.items() if k))

    def _may_cancel(self, t: Term, given: Assumptions) -> bool:
        if self._sign(given, t) not in {"+", "-"}:
            return False
        self.met("cancel", t, given)
        return True

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
                left, right = (replace(x, free(PATTERN), i) for x in (fact.left, fact.right))
                if fact.when is not None and not self.positive(replace(fact.when, free(PATTERN), i), given):
                    continue
                if self.norm(left, given) == poly.atom(t):
                    return self.norm(right, given)
            return None
        finally:
            self._active, self._memo = before, saved

    # --- side conditions ------------------------------------------------------------------------

    def positive(self, t: Term, given: Assumptions) -> bool:
        """Whether ``t`` is certainly > 0."""
        return self._sign(given, t) == "+"

    def met(self, rule: str, t: Term, given: Assumptions) -> None:
        """Note that ``rule`` needed the sign of ``t`` and that it is known."""
        relation = ">" if self.positive(t, given) else "is not"
        inside = t.args[0] if t.head == "inv" else t
        if inside.head != "num":
            self.note(rule, f"{text(poly.factored(self.norm(inside, given)))} {relation} 0")

    def note(self, rule: str, condition: str) -> None:
        """Note a side condition of ``rule`` that is met."""
        self.conditions.setdefault(rule, {})[condition] = None


def _put(m: Monomial, c: Fraction, old: Term, new: Poly) -> Poly:
    k = dict(m).get(old, 0)
    rest = tuple(x for x in m if x[0] != old)
    return poly.mul({rest: c}, poly.power(new, k))

"""Proof: judge claims by kernel, refuter and SymPy, and put down what each of them said."""

from __future__ import annotations

import hashlib

from verify.claim import Claim, Part, Witness
from verify.contexts.latex import definitions, shown
from verify.contexts.symbolic import opinion
from verify.domain import Declaration
from verify.errors import KernelError, UsageError
from verify.kernel.assumptions import PATTERN, Assumptions, Fact, assume
from verify.kernel.build import build
from verify.kernel.derivation import Derivation, Line, derive
from verify.kernel.gaps import without_gaps
from verify.kernel.rules import GAPS, words
from verify.kernel.terms import Term, free, replace, subterms
from verify.kernel.text import text
from verify.prover.searching import SECONDS, require_time
from verify.prover.searching import search as search_for
from verify.record import ClaimRecord, PartRecord, RuleUse, StepRecord
from verify.refuter import Attack, attack
from verify.verdict import Status, Verdict
from verify.words import kind_of

_RELATIONS = {"=": "=", "<=": r"\le", "<": "<", "": ""}
_FALSE = {"refuted", "undefined"}
_VERDICTS = {"proved": Status.PROVED, "refuted": Status.REFUTED}


def prove(claim: Claim, *, time_limit: float = SECONDS) -> Verdict:
    """The verdict on a claim: proved, refuted (as worded, with a witness) or unknown.

    An opinion, and a claim that rests on a cited theorem, is unknown; the reason says so. For each
    statement without a derivation one is looked for, for ``time_limit`` seconds; with 0 none is. Raises
    ``UsageError`` for a time that is none, and for what is no claim.
    """
    require_time(time_limit)
    if not isinstance(claim, Claim):
        raise UsageError(f"the claim is {kind_of(claim)}; give a Claim, such as verify.find(id) returns")
    record = judge(claim, time_limit)
    points = sum(p.points for p in record.parts)
    reasons = {
        "refuted": f"false as worded at {record.witness}",
        "opinion": f"an opinion; {_count(len(record.parts))} that bear on it proved",
        "cited": "rests on " + "; ".join(p.citation for p in record.parts if p.citation),
        "proved": f"{_count(len(record.parts))} proved by the kernel",
    }
    failed = "; ".join(p.reason for p in record.parts if p.reason)
    return Verdict(
        subject=claim.id,
        status=_VERDICTS.get(record.status, Status.UNKNOWN),
        reason=reasons.get(record.status, failed or "not established"),
        coverage="witness" if record.status == "refuted" else None,
        inputs=points,
    )


def _count(statements: int) -> str:
    return f"{statements} statement" if statements == 1 else f"{statements} statements"


def judge(claim: Claim, seconds: float = SECONDS) -> ClaimRecord:
    """Judge a claim, its corrected form and the condition under which its wording holds.

    A derivation that is not given is looked for, for so many seconds a statement.
    """
    parts = tuple(judge_part(p, seconds=seconds) for p in claim.parts)
    literal = judge_part(claim.literal, claim.witness, seconds) if claim.literal else None
    first = literal or (parts[0] if parts else None)
    return ClaimRecord(
        id=claim.id,
        section=claim.section,
        words=claim.words,
        status=_status(claim, parts, literal),
        statement=first.statement if first else "",
        assumptions=claim.assumptions,
        parts=parts,
        literal=literal,
        witness=literal.witness if literal else None,
        corrected=judge(claim.corrected, seconds) if claim.corrected else None,
        holds_when=tuple(judge_part(p, seconds=seconds) for p in claim.holds_when),
        remarks=claim.remarks,
    )


def _status(claim: Claim, parts: tuple[PartRecord, ...], literal: PartRecord | None) -> str:
    if literal is not None:
        return "refuted" if literal.status == "refuted" else "unknown"
    found = {p.status for p in parts}
    for weaker in ("refuted", "unknown"):
        if weaker in found:
            return weaker
    if not parts:
        return "unknown"
    if claim.kind == "opinion":
        return "opinion"
    return "cited" if "cited" in found else "proved"


def judge_part(part: Part, witness: Witness | None = None, seconds: float = SECONDS) -> PartRecord:
    """Judge one statement by every means there is.

    Where it has neither a derivation nor a citation, and is not refuted, a derivation is looked for.
    """
    derivation, reason, found = None, "", ""
    try:
        left, right = build(part.left, part.given), build(part.right, part.given)
        if part.steps:
            derivation = derive(part)
    except KernelError as error:
        reason = str(error)
    tried = Attack("unknown") if part.citation else attack(part, first=witness)
    if not (part.steps or part.citation or reason or tried.outcome in _FALSE):
        derivation, found, reason = _searched(part, seconds)
    citation = f"{part.citation.theorem} ({part.citation.source})" if part.citation else None
    status, reason = _part_status(part, derivation, tried, reason)
    lines = derivation.lines if derivation else ()
    terms = [left, right, *(x.term for x in lines)]
    relation = _RELATIONS[part.relation]
    return PartRecord(
        id=part.id,
        words=part.words,
        status=status,
        statement=f"{_shown(left, part)} {relation} {_shown(right, part)}",
        text=f"{text(left)} {part.relation} {text(right)}",
        assumptions=_assumed(part),
        definitions=definitions(terms, part.given),
        steps=tuple(_step(x, part, derivation.theorem.given) for x in lines) if derivation else (),
        refuter=tried.outcome,
        points=tried.points,
        sizes=tried.sizes,
        sympy=opinion(part),
        witness=tried.witness,
        citation=citation,
        reason=reason,
        fingerprint=fingerprint(part),
        found=found,
        unmeasured=part.unmeasured,
    )


def _searched(part: Part, seconds: float) -> tuple[Derivation | None, str, str]:
    """The derivation that was found with its text, or the reason why there is none."""
    try:
        search = search_for(part, seconds)
    except KernelError as error:
        return None, "", str(error)
    return (
        search.derivation,
        search.text,
        f"no derivation is given, and {search.tried}" if search.tried else "",
    )


def _part_status(part: Part, derivation: Derivation | None, tried: Attack, reason: str) -> tuple[str, str]:
    if tried.outcome in _FALSE:
        accepted = "; the kernel accepted it all the same: a fault of the kernel" if derivation else ""
        return "refuted", f"{tried.outcome} at {tried.witness}{accepted}"
    if derivation is not None:
        return "proved", ""
    if part.citation is not None:
        return "cited", ""
    return "unknown", reason


def fingerprint(part: Part) -> str:
    """Identifies statement, domain and hypotheses: evidence for another fingerprint does not count."""
    given = assume(part.given, part.hypotheses)
    statement = f"{build(part.left, part.given).key}{part.relation}{build(part.right, part.given).key}"
    return hashlib.sha256(f"{given.key}|{statement}".encode()).hexdigest()[:16]


def _shown(t: Term, part: Part) -> str:
    return shown(t, part.given)


def _step(line: Line, part: Part, given: Assumptions) -> StepRecord:
    uses = [RuleUse(r, words(r), line.conditions.get(r, ())) for r in line.rules]
    if line.gap is not None:
        names = dict.fromkeys(str(t.data) for t in subterms(line.gap) if t.head == "gap")
        uses += [RuleUse(n, GAPS[n.partition(":")[0]]) for n in names]
    return StepRecord(
        relation=_RELATIONS[line.relation],
        formula=_shown(line.term, part),
        text=f"{line.relation} {text(line.term)}".strip(),
        rules=tuple(uses),
        why=line.why,
        gap=_shown(without_gaps(line.gap, given), part) if line.gap is not None else None,
        gap_text=text(without_gaps(line.gap, given)) if line.gap is not None else None,
    )


def _assumed(part: Part) -> tuple[str, ...]:
    facts = assume(part.given, part.hypotheses).facts
    own = {h.name for h in part.hypotheses}
    return (*(_declared(d) for d in part.given), *(_fact(f) for f in facts if f.name in own))


def _declared(d: Declaration) -> str:
    domain = d.domain
    where = "x".join(str(s) for s in d.shape)
    name = f"{d.name} (family of length {where})" if d.shape else d.name
    if domain.kind == "index":
        return f"{name}: label in 1..{domain.bound}"
    if domain.sums_to_one:
        return f"{name}: probability vector, entries {'> 0' if domain.sign == 'positive' else '>= 0'}, sum 1"
    kind = "whole number" if domain.kind == "integer" else "real number"
    sign = {"any": "", "nonnegative": " >= 0", "positive": " > 0"}[domain.sign]
    return f"{name}: {kind}{sign}{' and < 1' if domain.below_one else ''}"


def _fact(f: Fact) -> str:
    terms = (f.left, f.right, f.when or f.left)
    left, right, when = (text(replace(t, free(PATTERN), free("#0"))) for t in terms)
    line = f"{f.name}: {left} {f.relation} {right}"
    if f.over is not None:
        line += f" for every i in 1..{f.over}"
    return line + (f" with {when} > 0" if f.when is not None else "")

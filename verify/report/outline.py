"""A judged claim as the JSON object that ``prove --json`` prints."""

from __future__ import annotations

from typing import Any

from verify.record import ClaimRecord, PartRecord, StepRecord


def outline(claim: ClaimRecord) -> dict[str, Any]:
    """The claim with its derivation flattened: see docs/json.md for the meaning of each field."""
    judged = (*claim.parts, *((claim.literal,) if claim.literal else ()))
    return {
        "id": claim.id,
        "section": claim.section,
        "words": claim.words,
        "status": claim.status,
        "statement": claim.statement,
        "assumptions": list(
            dict.fromkeys([*claim.assumptions, *(item for part in judged for item in part.assumptions)])
        ),
        "steps": [_step(part, step) for part in claim.parts for step in part.steps],
        "parts": [_part(part) for part in claim.parts],
        "witness": claim.witness,
        "corrected": outline(claim.corrected) if claim.corrected else None,
        "holds_when": [_part(part) for part in claim.holds_when],
        "points": sum(part.points for part in judged),
        "sympy": _opinion([part.sympy for part in judged]),
    }


def _part(part: PartRecord) -> dict[str, Any]:
    return {
        "id": part.id,
        "words": part.words,
        "status": part.status,
        "statement": part.statement,
        "text": part.text,
        "steps": len(part.steps),
        "refuter": part.refuter,
        "points": part.points,
        "sizes": list(part.sizes),
        "sympy": part.sympy,
        "citation": part.citation,
        "reason": part.reason,
        "found": part.found,
        "unmeasured": part.unmeasured,
    }


def _step(part: PartRecord, step: StepRecord) -> dict[str, Any]:
    return {
        "part": part.id,
        "relation": step.relation,
        "formula": step.formula,
        "text": step.text,
        "rules": [{"name": rule.name, "words": rule.words} for rule in step.rules],
        "conditions": [condition for rule in step.rules for condition in rule.conditions],
        "why": step.why,
    }


def _opinion(opinions: list[str]) -> str:
    """The least favourable of several opinions: one "false" decides, then one "undecided (why)"."""
    for worst in ("false", "undecided"):
        if any(opinion.startswith(worst) for opinion in opinions):
            return worst
    return "true" if opinions else "undecided"

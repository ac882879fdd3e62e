"""What the claims rest on: the rules of the kernel and the cited theorems, each with its claims."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from verify.record import ClaimRecord, PartRecord, RunRecord
from verify.words import counted

HYPOTHESIS = "hyp"
"""The kind of a rule that uses a hypothesis of the claim itself: it is a premise of no other."""


@dataclass(frozen=True, slots=True)
class Premise:
    """A rule of the kernel, or a theorem of the literature (``cited``), and the claims that need it."""

    name: str
    words: str
    cited: bool
    claims: tuple[ClaimRecord, ...]


def premises(run: RunRecord) -> tuple[Premise, ...]:
    """Every premise that a derivation of the run uses: cited theorems first, then what most claims need.

    The hypotheses of a claim itself are left out, and a rule with an argument counts once.
    """
    words: dict[tuple[bool, str], str] = {}
    users: dict[tuple[bool, str], dict[str, ClaimRecord]] = {}
    for claim in run.claims:
        for part in _parts(claim):
            for cited, name, meaning in _of(part):
                words.setdefault((cited, name), meaning)
                users.setdefault((cited, name), {})[claim.id] = claim
    found = (
        Premise(name, words[cited, name], cited, tuple(by.values())) for (cited, name), by in users.items()
    )
    return tuple(sorted(found, key=lambda one: (not one.cited, -len(one.claims), one.name)))


def proof_of(claim: ClaimRecord) -> str:
    """How long the derivations of a claim are, and what they use, in a few words; – for none."""
    lines = sum(len(part.steps) for part in _parts(claim))
    used = {(cited, name) for part in _parts(claim) for cited, name, _ in _of(part)}
    cited = sum(cited for cited, _ in used)
    counts = (("line", lines), ("rule", len(used) - cited), ("theorem", cited))
    told = [counted(count, noun) for noun, count in counts if count]
    return ", ".join(told) + " cited" * bool(cited) or "–"


def _parts(claim: ClaimRecord) -> Iterator[PartRecord]:
    """The statements of a claim, those of its corrected form included."""
    yield from (*claim.parts, *claim.holds_when)
    if claim.corrected is not None:
        yield from _parts(claim.corrected)


def _of(part: PartRecord) -> Iterator[tuple[bool, str, str]]:
    if part.citation:
        yield True, part.citation, "taken from the literature"
    for step in part.steps:
        for rule in step.rules:
            kind = rule.name.partition(":")[0]
            if kind != HYPOTHESIS:
                yield False, kind, rule.words

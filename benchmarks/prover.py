"""How many statements of the catalogue the prover proves when their derivations are taken away."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from verify.catalogue import claims
from verify.claim import Claim, Part
from verify.prover.searching import SECONDS, search


def parts(claim: Claim) -> Iterator[Part]:
    """The statements of a claim that have a derivation."""
    yield from (part for part in (*claim.parts, *claim.holds_when) if part.steps)
    if claim.corrected is not None:
        yield from parts(claim.corrected)


def kind(part: Part) -> str:
    """What a statement is: an inequality, or an identity with or without derivatives."""
    if part.relation != "=":
        return "inequalities"
    return "derivatives" if any("derivative" in step.rules for step in part.steps) else "other identities"


def main(seconds: float) -> None:
    """Print a line for each statement that is not proved again, and how many are, by kind and in all."""
    found, tried = Counter[str](), Counter[str]()
    start = time.perf_counter()
    for part in (part for claim in claims() for part in parts(claim)):
        result = search(replace(part, steps=()), seconds)
        tried[kind(part)] += 1
        found[kind(part)] += result.derivation is not None
        if result.derivation is None:
            print(f"not proved: {part.id}, {len(part.steps)} steps")
    for name, count in tried.items():
        print(f"{found[name]:4d} of {count:3d} {name}")
    taken = time.perf_counter() - start
    print(f"{found.total():4d} of {tried.total():3d} within {seconds:g} s each; {taken:.0f} s in all")


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS)

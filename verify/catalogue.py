"""The catalogue: every operation of this package, and the claims of every installed distribution."""

from __future__ import annotations

import functools
from importlib import import_module
from importlib.metadata import entry_points
from pkgutil import iter_modules

import verify.operations
from verify.claim import Claim
from verify.errors import UsageError, unknown
from verify.operation import Operation

GROUP = "lossproof.claims"
"""Entry points of this group name tuples of claims, as ``article = "proofs:CLAIMS"`` does."""


@functools.cache
def claims() -> tuple[Claim, ...]:
    """All claims, in the order of their distributions; UsageError if two have one id."""
    found: list[Claim] = []
    for point in sorted(entry_points(group=GROUP), key=lambda p: p.name):
        found += point.load()
    ids = [claim.id for claim in found]
    twice = sorted({i for i in ids if ids.count(i) > 1})
    if twice:
        raise UsageError(f"two claims have the id {twice[0]!r}; an id is given once and for ever")
    return tuple(found)


def find(claim_id: str) -> Claim:
    """The claim of that id, or the corrected form of that id; UsageError names the nearest ones."""
    known = {c.id: c for claim in claims() for c in (claim.corrected, claim) if c is not None}
    if claim_id not in known:
        raise unknown("claim", claim_id, known)
    return known[claim_id]


@functools.cache
def operations() -> tuple[Operation, ...]:
    """All operations defined in the rooms of ``verify.operations``, by id."""
    rooms = (import_module(f"verify.operations.{m.name}") for m in iter_modules(verify.operations.__path__))
    found = {o.id: o for room in rooms for o in vars(room).values() if isinstance(o, Operation)}
    return tuple(found[i] for i in sorted(found))

"""The catalogue: the claims of every installed distribution."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from importlib.metadata import entry_points

from verify.claim import Claim
from verify.errors import UsageError, unknown
from verify.record import AtlasRecord

GROUP = "lossproof.claims"
"""Entry points of this group name tuples of claims, as ``article = "proofs:CLAIMS"`` does."""

ATLAS = "lossproof.atlas"
"""Entry points of this group name functions that judge losses, ``article = "proofs.atlas_entries:judged"``.

Each takes the ids of the statements that were proved and returns an AtlasRecord for each loss."""


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


def atlas(proved: frozenset[str]) -> tuple[AtlasRecord, ...]:
    """Which losses are likelihoods, of all distributions; ``proved`` are the statements that hold."""
    points = sorted(entry_points(group=ATLAS), key=lambda p: p.name)
    return tuple(record for point in points for record in point.load()(proved))


def find(claim_id: str, own: Iterable[Claim] = ()) -> Claim:
    """The claim of that id, or the corrected form of that id; UsageError names the nearest ones.

    It is looked for in the catalogue and among ``own``, claims of the user's.
    """
    every = (*claims(), *own)
    listed = {claim.id: claim for claim in every}
    pairs = [(claim.corrected, claim) for claim in every if claim.corrected is not None]
    known = {**{amended.id: amended for amended, _ in pairs}, **listed}
    if claim_id in known:
        return known[claim_id]
    notes = {amended.id: f"the corrected form of {claim.id}" for amended, claim in pairs}
    raise unknown("claim", claim_id, known, notes)

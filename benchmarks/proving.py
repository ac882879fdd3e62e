"""How long each claim takes to judge: kernel, refuter and SymPy together, slowest first."""

from __future__ import annotations

import time

from verify.catalogue import claims
from verify.proof import judge


def seconds(claim_id: str) -> float:
    """Wall-clock seconds to judge the claim with this id, once."""
    claim = next(claim for claim in claims() if claim.id == claim_id)
    start = time.perf_counter()
    judge(claim)
    return time.perf_counter() - start


def main() -> None:
    """Print one line for each claim and the sum."""
    taken = sorted(((seconds(claim.id), claim.id) for claim in claims()), reverse=True)
    for duration, claim_id in taken:
        print(f"{duration:8.3f} s  {claim_id}")
    print(f"{sum(duration for duration, _ in taken):8.3f} s  all {len(taken)} claims")


if __name__ == "__main__":
    main()

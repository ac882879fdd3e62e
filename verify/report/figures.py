"""The data of the figures, computed by torch."""

from __future__ import annotations

from verify.backends import load_torch
from verify.record import Figure

_FACTOR = 0.1
_LENGTH = 80


def underflow(claim: str) -> Figure:
    """The product of n equal probabilities against the sum of their logs, in float32 on the CPU.

    Where the product underflows to 0 its log is -inf and the curve ends, while the sum goes on.
    Raises UnavailableError without torch.
    """
    torch = load_torch()
    factors = torch.full((_LENGTH,), _FACTOR, dtype=torch.float32)
    products = torch.cumprod(factors, 0)
    sums = torch.cumsum(factors.log(), 0).tolist()
    logs = products.log().tolist()
    vanished = int((products > 0).sum()) + 1
    return Figure(
        id="underflow",
        claim=claim,
        title="The product of probabilities underflows, the sum of their logs does not",
        caption=(
            f"n factors {_FACTOR} in float32. The two are equal over the reals. Computed, the product loses "
            f"digits once it is subnormal and is exactly 0 from n = {vanished} on, where its log is minus "
            f"infinity; the sum of the logs is {sums[-1]:.2f} at n = {_LENGTH}."
        ),
        x_label="factors n",
        y_label="log-likelihood, nats",
        series=(
            ("log of the product", tuple((float(n), y) for n, y in enumerate(logs, start=1))),
            ("sum of the logs", tuple((float(n), y) for n, y in enumerate(sums, start=1))),
        ),
    )

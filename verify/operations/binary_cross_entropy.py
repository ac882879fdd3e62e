"""Binary cross-entropy: from a probability and from a logit."""

from __future__ import annotations

from typing import Any

from verify.operation import Operation
from verify.operations.sigmoid import sigmoid


def _definition(c: Any, f: Any, t: Any) -> Any:
    return -(c.xlogy(t, f) + c.xlogy(1 - t, 1 - f))


def _notation(f: str, t: str) -> str:
    return rf"\operatorname{{bce}}({f}, {t})"


binary_cross_entropy = Operation(
    id="binary_cross_entropy",
    summary="binary cross-entropy of the probability f of label 1 against the target t, in nats",
    definition=_definition,
    notation=_notation,
    source="Definition; torch.nn.functional.binary_cross_entropy.",
)


def _logits_definition(c: Any, z: Any, t: Any) -> Any:
    return c.call(binary_cross_entropy, c.call(sigmoid, z), t)


def _logits_notation(z: str, t: str) -> str:
    return rf"\operatorname{{bce}}(\sigma({z}), {t})"


binary_cross_entropy_with_logits = Operation(
    id="binary_cross_entropy_with_logits",
    summary="binary cross-entropy of sigmoid(z) against the target t, in nats",
    definition=_logits_definition,
    notation=_logits_notation,
    source="Definition; torch.nn.functional.binary_cross_entropy_with_logits.",
)

"""Binary cross-entropy: from a probability and from a logit."""

from __future__ import annotations

from typing import Any

from verify.contract import Contract, Gradient, Options, clamped, mapped
from verify.domain import probability, real
from verify.operation import Operation, Peer
from verify.operations.sigmoid import sigmoid
from verify.tables import (
    REDUCTION,
    by_entries,
    inputs_only,
    reduced,
    reduced_in_any_order,
    reduced_table_shape,
    upstream_at,
)


def _definition(c: Any, f: Any, t: Any) -> Any:
    return -(c.xlogy(t, f) + c.xlogy(1 - t, 1 - f))


def _notation(f: str, t: str) -> str:
    return rf"\operatorname{{bce}}({f}, {t})"


def _algorithm(c: Any, f: Any, t: Any) -> Any:
    """log1p(-f) and not log(1 - f): f is given exactly, and 1 - f would lose a small f."""
    return -(c.xlogy(t, f) + (1 - t) * c.log1p(-f))


def functional_binary_cross_entropy(torch: Any, f: Any, t: Any) -> Any:
    """The binary_cross_entropy of torch.nn.functional."""
    return torch.nn.functional.binary_cross_entropy(f, t)


def bernoulli_log_prob(torch: Any, f: Any, t: Any) -> Any:
    """Minus the log_prob of a Bernoulli distribution made from the probability, for t 0 or 1."""
    return -torch.distributions.Bernoulli(probs=f).log_prob(t)


binary_cross_entropy = Operation(
    id="binary_cross_entropy",
    summary="binary cross-entropy of the probability f of label 1 against the target t, in nats",
    definition=_definition,
    notation=_notation,
    source="Definition; torch.nn.functional.binary_cross_entropy. Algorithm: log1p(-f) for log(1 - f).",
    algorithm=_algorithm,
    peers=(
        Peer("F.binary_cross_entropy", functional_binary_cross_entropy),
        Peer("-Bernoulli(probs).log_prob", bernoulli_log_prob),
    ),
)


def _logits_definition(c: Any, z: Any, t: Any) -> Any:
    return c.call(binary_cross_entropy, c.call(sigmoid, z), t)


def _logits_notation(z: str, t: str) -> str:
    return rf"\operatorname{{bce}}(\sigma({z}), {t})"


def _logits_algorithm(c: Any, z: Any, t: Any) -> Any:
    return c.maximum(z, 0) - z * t + c.log1p(c.exp(-c.abs(z)))


def functional_binary_cross_entropy_with_logits(torch: Any, z: Any, t: Any) -> Any:
    """The binary_cross_entropy_with_logits of torch.nn.functional."""
    return torch.nn.functional.binary_cross_entropy_with_logits(z, t)


def bernoulli_logits_log_prob(torch: Any, z: Any, t: Any) -> Any:
    """Minus the log_prob of a Bernoulli distribution made from the logit, for t 0 or 1."""
    return -torch.distributions.Bernoulli(logits=z).log_prob(t)


def functional_soft_margin_loss(torch: Any, z: Any, t: Any) -> Any:
    """The soft_margin_loss of torch.nn.functional, whose targets are -1 and 1, for t 0 or 1."""
    if ((t != 0) & (t != 1)).any():
        raise ValueError("the target of soft_margin_loss is -1 or 1")
    return torch.nn.functional.soft_margin_loss(z, 2 * t - 1)


def _loss(c: Any, z: Any, t: Any) -> Any:
    """The definition, with 1 - sigmoid(z) = sigmoid(-z), so that no precision is lost for large z."""
    return -(c.xlogy(t, c.call(sigmoid, z)) + c.xlogy(1 - t, c.call(sigmoid, -z)))


def _count(c: Any, z: Any) -> Any:
    return c.number(len(z) * len(z[1]))


def _losses(c: Any, options: Options, z: Any, t: Any) -> Any:
    return reduced(c, options, by_entries(c, lambda a, b: _loss(c, a, b), z, t), lambda: _count(c, z))


def _losses_algorithm(c: Any, options: Options, z: Any, t: Any) -> Any:
    losses = by_entries(c, lambda a, b: c.standard(binary_cross_entropy_with_logits, a, b), z, t)
    return reduced_in_any_order(c, options, losses, lambda: _count(c, z))


def _gradient(c: Any, options: Options, g: Any, z: Any, t: Any) -> Any:
    upstream = upstream_at(c, options, g, lambda: _count(c, z))

    def entry(i: Any, j: Any) -> Any:
        return upstream(i, j) * (c.call(sigmoid, z[i, j]) - t[i, j])

    return c.family(lambda i: c.family(lambda j: entry(i, j), over=z[i]), over=z)


def _soft_and_hard_labels(options: Options, values: tuple[Any, ...]) -> tuple[Any, ...]:
    """Of the fractions drawn, those below 1/4 become 0, those above 3/4 become 1."""
    z, drawn = values
    return z, mapped(lambda t: clamped((4 * t - 1) / 2, 0, 1), drawn)


binary_cross_entropy_with_logits = Operation(
    id="binary_cross_entropy_with_logits",
    summary="binary cross-entropy of sigmoid(z) against the target t, in nats",
    definition=_logits_definition,
    notation=_logits_notation,
    source="Definition; torch.nn.functional.binary_cross_entropy_with_logits. "
    "Algorithm: max(z, 0) - z t + log1p(exp(-|z|)), which subtracts no near-equal roundings at t = 0 or 1.",
    algorithm=_logits_algorithm,
    peers=(
        Peer("F.binary_cross_entropy_with_logits", functional_binary_cross_entropy_with_logits),
        Peer("-Bernoulli(logits).log_prob", bernoulli_logits_log_prob),
        Peer("F.soft_margin_loss(z, 2t - 1)", functional_soft_margin_loss),
    ),
    contract=Contract(
        name="binary_cross_entropy_with_logits",
        namesake="torch.nn.functional.binary_cross_entropy_with_logits",
        given=(real("input", "N", "C"), probability("target", "N", "C")),
        shape=reduced_table_shape,
        definition=_losses,
        algorithm=_losses_algorithm,
        gradients=(Gradient("input", _gradient, _gradient),),
        arguments=inputs_only("input", "target"),
        tensors=2,
        options=(REDUCTION,),
        prepare=_soft_and_hard_labels,
    ),
)

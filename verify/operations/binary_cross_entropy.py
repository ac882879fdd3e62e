"""Binary cross-entropy: from a probability and from a logit."""

from __future__ import annotations

from typing import Any

from verify.contract import Contract, Gradient, Options, clamped, mapped
from verify.domain import nonnegative, probability, real
from verify.entries import (
    above_zero,
    called_with,
    conditioned,
    edge,
    flag,
    given_entries,
    loss_gradient,
    losses,
    losses_in_any_order,
    losses_shape,
    together,
    unless,
)
from verify.operation import Operation, Peer
from verify.operations.sigmoid import sigmoid
from verify.operations.softplus import softplus, softplus_by_log1p
from verify.relations import EXCHANGED, REDUCTIONS
from verify.tables import AXES, REDUCTION, rows_apart


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


def _entry(c: Any, options: Options, f: Any, t: Any, w: Any) -> Any:
    return w * c.call(binary_cross_entropy, f, t)


def _entry_algorithm(c: Any, options: Options, f: Any, t: Any, w: Any) -> Any:
    return w * c.standard(binary_cross_entropy, f, t)


def _gradient(c: Any, options: Options, g: Any, f: Any, t: Any, w: Any) -> Any:
    return g * (w * ((1 - t) / (1 - f) - t / f))


def _gradient_algorithm(c: Any, options: Options, g: Any, f: Any, t: Any, w: Any) -> Any:
    """Over the common denominator, as torch has it: f - t is one rounding."""
    return g * (w * ((f - t) / (f * (1 - f))))


def _gradient_by_terms(c: Any, options: Options, g: Any, f: Any, t: Any, w: Any) -> Any:
    """That of each logarithm, as autograd has it: the factors above come first."""
    share = g * w
    return share * (1 - t) / (1 - f) - share * t / f


def _gradient_by_quotients(c: Any, options: Options, g: Any, f: Any, t: Any, w: Any) -> Any:
    """As by xlogy and xlog1py: each quotient comes before its factor."""
    share = g * w
    return share * ((1 - t) / (1 - f)) - share * (t / f)


def _gradient_divided_first(c: Any, options: Options, g: Any, f: Any, t: Any, w: Any) -> Any:
    """As JAX transposes xlogy and xlog1py: what flows back is divided before the factor comes."""
    share = g * w
    return share / (1 - f) * (1 - t) - share / f * t


def _soft_and_hard(drawn: Any) -> Any:
    """Of the fractions drawn, those below 1/4 become 0, those above 3/4 become 1."""
    return mapped(lambda t: clamped((4 * t - 1) / 2, 0, 1), drawn)


def _above_the_clamp(f: Any) -> Any:
    """A probability of at least 2^-144: below exp(-100) torch, as documented, clamps the logarithm."""
    below = above_zero(1 - f * 2**48 * 2**48 * 2**48)
    return f * (1 - below) + below / 2**48 / 2**48 / 2**48


def _hit(f: Any, t: Any) -> Any:
    """1 for a probability above 7/8 of a target 1, 0 for one below 1/8 of a target 0, else f itself."""
    sure = above_zero(8 * f - 7) * (1 - above_zero(1 - t))
    never = above_zero(1 - 8 * f) * (1 - above_zero(t))
    return (f + sure * (1 - f)) * (1 - never)


def _prepare(options: Options, values: tuple[Any, ...]) -> tuple[Any, ...]:
    f, t, weight = values
    f, t = mapped(_above_the_clamp, f), _soft_and_hard(t)
    f = together(_hit, f, t) if options["hits"] else f
    return f, t, unless("weight", options, weight)


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
    contract=Contract(
        name="binary_cross_entropy",
        namesake="torch.nn.functional.binary_cross_entropy",
        given=given_entries({"input": probability, "target": probability, "weight": nonnegative}),
        shape=losses_shape,
        definition=losses(_entry),
        algorithm=losses_in_any_order(_entry_algorithm),
        gradients=(
            Gradient(
                "input",
                loss_gradient(_gradient),
                loss_gradient(_gradient_algorithm),
                alternatives=(
                    loss_gradient(_gradient_by_terms),
                    loss_gradient(_gradient_by_quotients),
                    loss_gradient(_gradient_divided_first),
                ),
                where={"hits": (False,)},
            ),
        ),
        rowwise=rows_apart,
        arguments=called_with("input", "target", keywords=("weight",)),
        tensors=2,
        options=(
            AXES,
            REDUCTION,
            flag("weight"),
            edge("hits"),
        ),
        prepare=_prepare,
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


def _logits_entry(c: Any, options: Options, z: Any, t: Any, w: Any, p: Any) -> Any:
    """The definition, with 1 - sigmoid(z) = sigmoid(-z), so that no precision is lost for large z."""
    return -(w * (p * c.xlogy(t, c.call(sigmoid, z)) + c.xlogy(1 - t, c.call(sigmoid, -z))))


def _of_one_sign(c: Any, options: Options, z: Any, t: Any, w: Any, p: Any) -> Any:
    """By two softplus, that is -t logsigmoid(z) - (1 - t) logsigmoid(-z): nothing can cancel."""
    return w * (p * t * c.standard(softplus, -z) + (1 - t) * c.standard(softplus, z))


def _of_one_sign_by_log1p(c: Any, options: Options, z: Any, t: Any, w: Any, p: Any) -> Any:
    """The same with log1p(exp(z)), whose error is up to that of exp more where z > 0."""
    return w * (p * t * softplus_by_log1p(c, -z) + (1 - t) * softplus_by_log1p(c, z))


def _logits_entry_algorithm(c: Any, options: Options, z: Any, t: Any, w: Any, p: Any) -> Any:
    """With a pos_weight the textbook form would cancel, so that the terms are kept apart."""
    if options["pos_weight"]:
        return _of_one_sign(c, options, z, t, w, p)
    return w * c.standard(binary_cross_entropy_with_logits, z, t)


def _logits_gradient(c: Any, options: Options, g: Any, z: Any, t: Any, w: Any, p: Any) -> Any:
    return g * (w * ((1 - t) * c.call(sigmoid, z) - p * t * c.call(sigmoid, -z)))


def _logits_gradient_algorithm(c: Any, options: Options, g: Any, z: Any, t: Any, w: Any, p: Any) -> Any:
    """As autograd has it: sigmoid(z) - t, and with a pos_weight p (p t + 1 - t) sigmoid(z) - p t."""
    s = c.standard(sigmoid, z)
    if options["pos_weight"]:
        return g * (w * ((p * t + 1 - t) * s - p * t))
    return g * (w * (s - t))


def _logits_gradient_by_two(c: Any, options: Options, g: Any, z: Any, t: Any, w: Any, p: Any) -> Any:
    """What autograd makes of two softplus: the factors above come first."""
    share = g * w
    return share * (1 - t) * c.standard(sigmoid, z) - share * p * t * c.standard(sigmoid, -z)


def _logits_gradient_by_terms(c: Any, options: Options, g: Any, z: Any, t: Any, w: Any, p: Any) -> Any:
    """What autograd makes of softplus(z) - z t: each term times the factors above is rounded by itself."""
    if options["pos_weight"]:
        return _logits_gradient_by_two(c, options, g, z, t, w, p)
    share = g * w
    return share * c.standard(sigmoid, z) - share * t


def _logits_gradient_weighted_last(c: Any, options: Options, g: Any, z: Any, t: Any, w: Any, p: Any) -> Any:
    """As torch has it: the upstream gradient comes before the weight."""
    s = c.standard(sigmoid, z)
    if options["pos_weight"]:
        return ((p * t + 1 - t) * s - p * t) * g * w
    return (s - t) * g * w


def _prepare_logits(options: Options, values: tuple[Any, ...]) -> tuple[Any, ...]:
    z, t, weight, pos_weight = values
    return z, _soft_and_hard(t), unless("weight", options, weight), unless("pos_weight", options, pos_weight)


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
        given=given_entries(
            {"input": real, "target": probability, "weight": nonnegative}, {"pos_weight": nonnegative}
        ),
        shape=losses_shape,
        definition=losses(_logits_entry, columns=1),
        algorithm=losses_in_any_order(_logits_entry_algorithm, columns=1),
        alternatives=(
            losses_in_any_order(_of_one_sign, columns=1),
            losses_in_any_order(_of_one_sign_by_log1p, columns=1),
        ),
        conditioning=losses_in_any_order(conditioned(_logits_gradient), columns=1),
        gradients=(
            Gradient(
                "input",
                loss_gradient(_logits_gradient, columns=1),
                loss_gradient(_logits_gradient_algorithm, columns=1),
                alternatives=(
                    loss_gradient(_logits_gradient_by_two, columns=1),
                    loss_gradient(_logits_gradient_by_terms, columns=1),
                    loss_gradient(_logits_gradient_weighted_last, columns=1),
                ),
            ),
        ),
        rowwise=rows_apart,
        arguments=called_with("input", "target", keywords=("weight", "pos_weight")),
        tensors=2,
        relations=(*REDUCTIONS, EXCHANGED),
        options=(AXES, REDUCTION, flag("weight"), flag("pos_weight")),
        prepare=_prepare_logits,
    ),
)

"""Cross-entropy of logits with z-loss: a multiple of the squared logsumexp keeps the logits small."""

from __future__ import annotations

from typing import Any

from verify.contract import Contract, Gradient, Option, Options, Values, clamped, mapped, parameter
from verify.operation import Operation, Peer
from verify.operations.cross_entropy_with_logits import cross_entropy_with_logits
from verify.operations.log_softmax import log_softmax
from verify.operations.logsumexp import logsumexp, shares_of
from verify.operations.softmax import softmax, through_maximum
from verify.samples import gradient_of_losses, losses, losses_in_any_order, losses_shape, scores_and_labels
from verify.tables import AXES, REDUCTION, inputs_only

LARGEST = 128
"""The largest magnitude of the logits drawn: the square of their logsumexp is a number of float16."""


def _definition(c: Any, x: Any, y: Any, z: Any) -> Any:
    return c.call(cross_entropy_with_logits, x, y) + z * c.call(logsumexp, x) ** 2


def _notation(x: str, y: str, z: str) -> str:
    return rf"\operatorname{{ce}}({x}, {y}) + {z} \operatorname{{lse}}({x})^2"


def _algorithm(c: Any, x: Any, y: Any, z: Any) -> Any:
    return c.standard(cross_entropy_with_logits, x, y) + z * c.standard(logsumexp, x) ** 2


def cross_entropy_plus_square(torch: Any, x: Any, y: Any, z: Any) -> Any:
    """The cross_entropy of torch.nn.functional plus z times the square of torch.logsumexp."""
    return torch.nn.functional.cross_entropy(x, y) + z * torch.logsumexp(x, dim=0) ** 2


def _factor(c: Any, options: Options) -> Any:
    return parameter(c, options, "z_loss")


def _loss(c: Any, options: Options, row: Any, label: Any) -> Any:
    return c.call(cross_entropy_with_z_loss, row, label, _factor(c, options))


def _loss_algorithm(c: Any, options: Options, row: Any, label: Any) -> Any:
    return c.standard(cross_entropy_with_z_loss, row, label, _factor(c, options))


def _gradient(c: Any, options: Options, g: Any, row: Any, label: Any) -> Any:
    s, y = c.call(softmax, row), c.call(logsumexp, row)
    scale = 1 + 2 * _factor(c, options) * y
    return c.family(lambda j: g * (s[j] * scale - c.equal(j, label)), over=row)


def _gradient_algorithm(c: Any, options: Options, g: Any, row: Any, label: Any) -> Any:
    """The two gradients added, as autograd does, each from its own result."""
    scores, shares = c.standard(log_softmax, row), shares_of(c, row)
    pull = g * _factor(c, options) * (2 * c.standard(logsumexp, row))

    def entry(j: Any) -> Any:
        return (c.exp(scores[j], most=0) * g - g * c.equal(j, label)) + pull * shares[j]

    return c.family(entry, over=row)


def _fused_gradient(c: Any, options: Options, g: Any, row: Any, label: Any) -> Any:
    """As fused kernels do: softmax times 1 + 2 z logsumexp, less the label, then the upstream gradient."""
    s = c.standard(softmax, row)
    scale = 1 + 2 * _factor(c, options) * c.standard(logsumexp, row)
    return c.family(lambda j: g * (s[j] * scale - c.equal(j, label)), over=row)


def _gradient_through_maximum(c: Any, options: Options, g: Any, row: Any, label: Any) -> Any:
    """As autograd gives it where the maximum, of both parts, is not detached."""
    shares, pull = shares_of(c, row), g * _factor(c, options) * (2 * c.standard(logsumexp, row))
    entries = c.family(lambda j: (shares[j] * g - g * c.equal(j, label)) + pull * shares[j], over=row)
    flowing = c.family(lambda j: (c.abs(g) + c.abs(pull)) * shares[j], over=row)
    return through_maximum(c, row, entries, flowing, pull)


def _small(options: Options, values: Values) -> Values:
    x, y = values
    return mapped(lambda a: clamped(a, -LARGEST, LARGEST), x), y


def _is_factor(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


cross_entropy_with_z_loss = Operation(
    id="cross_entropy_with_z_loss",
    summary="negative log-likelihood of label y under softmax(x), in nats, plus z times logsumexp(x)^2",
    definition=_definition,
    notation=_notation,
    source="Definition; Chowdhery et al. 2022, PaLM, section 5 (z-loss). "
    "Algorithm: log_softmax and logsumexp, each with the maximum as shift.",
    algorithm=_algorithm,
    peers=(Peer("F.cross_entropy(x, y) + z * torch.logsumexp(x)**2", cross_entropy_plus_square),),
    contract=Contract(
        name="cross_entropy_with_z_loss",
        namesake="torch.nn.functional.cross_entropy(input, target) + z_loss * torch.logsumexp(input, 1) ** 2",
        given=scores_and_labels,
        shape=losses_shape,
        definition=losses(_loss),
        algorithm=losses_in_any_order(_loss_algorithm),
        gradients=(
            Gradient(
                "input",
                gradient_of_losses(_gradient),
                gradient_of_losses(_gradient_algorithm),
                (gradient_of_losses(_fused_gradient), gradient_of_losses(_gradient_through_maximum)),
            ),
        ),
        arguments=inputs_only("input", "target"),
        tensors=2,
        options=(
            REDUCTION,
            Option("z_loss", (1e-4, 1e-2, 0.5, 0.0), None, _is_factor, rule="a number from 0 to 1"),
            AXES,
        ),
        prepare=_small,
    ),
)

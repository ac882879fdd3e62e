"""Cross-entropy of logits capped softly: s tanh(x / s), which stays between -s and s."""

from __future__ import annotations

from typing import Any

from verify.contract import Contract, Gradient, Option, Options, parameter
from verify.operation import Operation, Peer
from verify.operations.cross_entropy_with_logits import (
    cross_entropy_with_logits,
    label_gradient_through_maximum,
)
from verify.operations.log_softmax import log_softmax
from verify.operations.softmax import softmax
from verify.samples import gradient_of_losses, losses, losses_in_any_order, losses_shape, scores_and_labels
from verify.tables import AXES, REDUCTION, inputs_only


def _tanh(c: Any, a: Any) -> Any:
    """The hyperbolic tangent from the exponential."""
    return 1 - 2 / (c.exp(2 * a) + 1)


def _capped(c: Any, x: Any, s: Any) -> Any:
    return c.family(lambda j: s * _tanh(c, x[j] / s), over=x)


def _definition(c: Any, x: Any, y: Any, s: Any) -> Any:
    return c.call(cross_entropy_with_logits, _capped(c, x, s), y)


def _notation(x: str, y: str, s: str) -> str:
    return rf"\operatorname{{ce}}({s} \tanh({x} / {s}), {y})"


def _tanh_of_quotient(c: Any, x: Any, s: Any) -> Any:
    """tanh(x / s) with a small relative error: e / (2 + e) for e = expm1(2 x / s) at x < 0, and odd.

    The sign is told by x itself, which is exact: one of the two parts is exactly 0.
    """

    def negative(a: Any) -> Any:
        e = c.expm1(2 * a / s)
        return e / (2 + e)

    return negative(c.minimum(x, 0)) - negative(-c.maximum(x, 0))


def _algorithm(c: Any, x: Any, y: Any, s: Any) -> Any:
    capped = c.family(lambda j: s * _tanh_of_quotient(c, x[j], s), over=x)
    return c.standard(cross_entropy_with_logits, capped, y)


def cross_entropy_of_tanh(torch: Any, x: Any, y: Any, s: Any) -> Any:
    """The cross_entropy of torch.nn.functional of s tanh(x / s)."""
    return torch.nn.functional.cross_entropy(s * torch.tanh(x / s), y)


def _cap(c: Any, options: Options) -> Any:
    return parameter(c, options, "softcap")


def _loss(c: Any, options: Options, row: Any, label: Any) -> Any:
    return c.call(cross_entropy_with_softcap, row, label, _cap(c, options))


def _loss_algorithm(c: Any, options: Options, row: Any, label: Any) -> Any:
    return c.standard(cross_entropy_with_softcap, row, label, _cap(c, options))


def _gradient(c: Any, options: Options, g: Any, row: Any, label: Any) -> Any:
    """The slope 1 - tanh^2 as 4 / (e + 2 + 1 / e) for e = exp(2 x / s)."""
    s = _cap(c, options)
    shares = c.call(softmax, _capped(c, row, s))

    def entry(j: Any) -> Any:
        e = c.exp(2 * row[j] / s)
        return g * (shares[j] - c.equal(j, label)) * (4 / (e + 2 + 1 / e))

    return c.family(entry, over=row)


def _gradient_algorithm(c: Any, options: Options, g: Any, row: Any, label: Any) -> Any:
    """From the results, as autograd does: through log_softmax, then times s, 1 - tanh^2, and over s."""
    s = _cap(c, options)
    t = c.family(lambda j: _tanh_of_quotient(c, row[j], s), over=row)
    scores = c.standard(log_softmax, c.family(lambda j: s * t[j], over=t))

    def entry(j: Any) -> Any:
        reaching = c.exp(scores[j], most=0) * g - g * c.equal(j, label)
        return reaching * s * (1 - t[j] * t[j]) / s

    return c.family(entry, over=row)


def _gradient_through_maximum(c: Any, options: Options, g: Any, row: Any, label: Any) -> Any:
    """As autograd gives it where the maximum is not detached."""
    s = _cap(c, options)
    t = c.family(lambda j: _tanh_of_quotient(c, row[j], s), over=row)
    reaching = label_gradient_through_maximum(c, g, c.family(lambda j: s * t[j], over=t), label)
    return c.family(lambda j: reaching[j] * s * (1 - t[j] * t[j]) / s, over=row)


def _is_cap(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 2.0**-3 <= value <= 2.0**9


cross_entropy_with_softcap = Operation(
    id="cross_entropy_with_softcap",
    summary="negative log-likelihood of label y under softmax(s tanh(x / s)), in nats",
    definition=_definition,
    notation=_notation,
    source="Definition; Gemma Team 2024, Gemma 2, section 2 (logit soft-capping). "
    "Algorithm: tanh with a small relative error, times s, then log_softmax.",
    algorithm=_algorithm,
    peers=(Peer("F.cross_entropy(s * torch.tanh(x / s), y)", cross_entropy_of_tanh),),
    contract=Contract(
        name="cross_entropy_with_softcap",
        namesake="torch.nn.functional.cross_entropy(softcap * torch.tanh(input / softcap), target)",
        given=scores_and_labels,
        shape=losses_shape,
        definition=losses(_loss),
        algorithm=losses_in_any_order(_loss_algorithm),
        gradients=(
            Gradient(
                "input",
                gradient_of_losses(_gradient),
                gradient_of_losses(_gradient_algorithm),
                (gradient_of_losses(_gradient_through_maximum),),
            ),
        ),
        arguments=inputs_only("input", "target"),
        tensors=2,
        options=(
            REDUCTION,
            Option("softcap", (30.0, 50.0, 15.0, 1.0), None, _is_cap, rule="a number from 1/8 to 512"),
            AXES,
        ),
    ),
)

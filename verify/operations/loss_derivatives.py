"""Derivatives of losses by one logit: each defined as the derivative of the loss, computed by autograd."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from verify.operation import Operation, Peer
from verify.operations.binary_cross_entropy import binary_cross_entropy_with_logits
from verify.operations.cross_entropy_with_logits import cross_entropy_with_logits
from verify.operations.cross_entropy_with_temperature import cross_entropy_with_temperature
from verify.operations.log_softmax import log_softmax
from verify.operations.logsumexp import logsumexp, shares_of
from verify.operations.sigmoid import sigmoid
from verify.operations.softmax import softmax


def _derivative_of(loss: Callable[..., Any]) -> Callable[..., Any]:
    """The definition: the derivative of ``loss(c, x, *others)`` by entry j of x."""

    def definition(c: Any, x: Any, j: Any, *others: Any) -> Any:
        return c.derivative(lambda c, x: loss(c, x, *others), x, j)

    return definition


def _cross_entropy_algorithm(c: Any, x: Any, j: Any, y: Any) -> Any:
    """From the result, as autograd has it: softmax as the exponential of log_softmax."""
    scores = c.standard(log_softmax, x)
    return c.exp(scores[j]) - c.equal(j, y)


def _softmax_minus_label(c: Any, x: Any, j: Any, y: Any) -> Any:
    s = c.standard(softmax, x)
    return s[j] - c.equal(j, y)


def grad_of_cross_entropy(torch: Any, x: Any, j: Any, y: Any) -> Any:
    """The gradient of the cross_entropy of torch.nn.functional."""
    leaf = x.detach().requires_grad_()
    return torch.autograd.grad(torch.nn.functional.cross_entropy(leaf, y), leaf)[0][j]


def grad_of_nll_loss(torch: Any, x: Any, j: Any, y: Any) -> Any:
    """The gradient of the nll_loss of log_softmax."""
    leaf = x.detach().requires_grad_()
    loss = torch.nn.functional.nll_loss(torch.nn.functional.log_softmax(leaf, dim=0), y)
    return torch.autograd.grad(loss, leaf)[0][j]


def softmax_minus_one_hot(torch: Any, x: Any, j: Any, y: Any) -> Any:
    """The softmax less the one-hot label."""
    return torch.softmax(x, dim=0)[j] - torch.nn.functional.one_hot(y, len(x)).to(x.dtype)[j]


cross_entropy_derivative = Operation(
    id="cross_entropy_derivative",
    summary="derivative by logit j of the negative log-likelihood of label y under softmax(x)",
    definition=_derivative_of(lambda c, x, y: c.call(cross_entropy_with_logits, x, y)),
    notation=lambda x, j, y: rf"\partial_{{{j}}} \operatorname{{ce}}({x}, {y})",
    source="The derivative of the definition. Algorithm: exp(log_softmax) less the label, as autograd does.",
    algorithm=_cross_entropy_algorithm,
    peers=(
        Peer("autograd of F.cross_entropy(g, y)", grad_of_cross_entropy),
        Peer("autograd of F.nll_loss(F.log_softmax(g), y)", grad_of_nll_loss),
        Peer("torch.softmax(g) - F.one_hot(y)", softmax_minus_one_hot, _softmax_minus_label),
    ),
)


def _curvature_definition(c: Any, x: Any, j: Any, k: Any) -> Any:
    """The derivative by logit k of entry j of the gradient, in which the label is a constant."""
    return c.derivative(lambda c, x: c.call(softmax, x)[j], x, k)


def _curvature_algorithm(c: Any, x: Any, j: Any, k: Any) -> Any:
    """From the softmax, as the backward pass of the backward pass has it."""
    scores = c.standard(log_softmax, x)
    s, t = c.exp(scores[j]), c.exp(scores[k])
    return s * c.equal(j, k) - s * t


def hessian_of_cross_entropy(torch: Any, x: Any, j: Any, k: Any) -> Any:
    """An entry of the hessian of the cross_entropy of torch.nn.functional, for the first label."""
    label = torch.zeros((), dtype=torch.int64, device=x.device)
    loss = torch.nn.functional.cross_entropy
    return torch.autograd.functional.hessian(lambda leaf: loss(leaf, label), x)[j, k]


cross_entropy_curvature = Operation(
    id="cross_entropy_curvature",
    summary="second derivative by logits j, k of the negative log-likelihood of any label under softmax(x)",
    definition=_curvature_definition,
    notation=lambda x, j, k: rf"\partial_{{{k}}} \partial_{{{j}}} \operatorname{{ce}}({x}, \cdot)",
    source="The derivative of softmax, which is the gradient but for a constant. Algorithm: diag(s) - s s^T.",
    algorithm=_curvature_algorithm,
    peers=(Peer("hessian of F.cross_entropy(g, y)", hessian_of_cross_entropy),),
)


def _soft_loss(c: Any, x: Any, p: Any) -> Any:
    scores = c.call(log_softmax, x)
    return -c.sum(lambda i: p[i] * scores[i], over=p)


def _soft_algorithm(c: Any, x: Any, j: Any, p: Any) -> Any:
    """The total of the target comes into it, as rounded targets need not sum to 1."""
    scores, total = c.standard(log_softmax, x), c.sum(lambda i: p[i], over=p)
    return c.exp(scores[j]) * total - p[j]


def grad_of_soft_cross_entropy(torch: Any, x: Any, j: Any, p: Any) -> Any:
    """The gradient of the cross_entropy of torch.nn.functional against probabilities."""
    leaf = x.detach().requires_grad_()
    return torch.autograd.grad(torch.nn.functional.cross_entropy(leaf, p), leaf)[0][j]


def grad_of_weighted_log_softmax(torch: Any, x: Any, j: Any, p: Any) -> Any:
    """The gradient of minus the sum of p times log_softmax."""
    leaf = x.detach().requires_grad_()
    loss = -(p * torch.nn.functional.log_softmax(leaf, dim=0)).sum()
    return torch.autograd.grad(loss, leaf)[0][j]


soft_cross_entropy_derivative = Operation(
    id="soft_cross_entropy_derivative",
    summary="derivative by logit j of minus the sum of p_i log softmax(x)_i",
    definition=_derivative_of(_soft_loss),
    notation=lambda x, j, p: rf"\partial_{{{j}}} \operatorname{{ce}}({x}, {p})",
    source="The derivative of the definition. Algorithm: that of autograd, with the total of the target.",
    algorithm=_soft_algorithm,
    peers=(
        Peer("autograd of F.cross_entropy(g, p)", grad_of_soft_cross_entropy),
        Peer("autograd of -(p * F.log_softmax(g)).sum()", grad_of_weighted_log_softmax),
    ),
)


def _binary_definition(c: Any, z: Any, t: Any) -> Any:
    return c.derivative(lambda c, z: c.call(binary_cross_entropy_with_logits, z, t), z)


def grad_of_bce_with_logits(torch: Any, z: Any, t: Any) -> Any:
    """The gradient of the binary_cross_entropy_with_logits of torch.nn.functional."""
    leaf = z.detach().requires_grad_()
    loss = torch.nn.functional.binary_cross_entropy_with_logits(leaf, t)
    return torch.autograd.grad(loss, leaf)[0]


def sigmoid_minus_target(torch: Any, z: Any, t: Any) -> Any:
    """The sigmoid less the target."""
    return torch.sigmoid(z) - t


binary_cross_entropy_derivative = Operation(
    id="binary_cross_entropy_derivative",
    summary="derivative by the logit z of the binary cross-entropy of sigmoid(z) against t",
    definition=_binary_definition,
    notation=lambda z, t: rf"\operatorname{{bce}}'(\sigma({z}), {t})",
    source="The derivative of the definition. Algorithm: sigmoid(z) - t, as torch has it.",
    algorithm=lambda c, z, t: c.standard(sigmoid, z) - t,
    peers=(
        Peer("autograd of F.binary_cross_entropy_with_logits", grad_of_bce_with_logits),
        Peer("torch.sigmoid(z) - t", sigmoid_minus_target),
    ),
)


def _square_algorithm(c: Any, x: Any, j: Any) -> Any:
    y, shares = c.standard(logsumexp, x), shares_of(c, x)
    return 2 * y * shares[j]


def grad_of_squared_logsumexp(torch: Any, x: Any, j: Any) -> Any:
    """The gradient of the square of torch.logsumexp."""
    leaf = x.detach().requires_grad_()
    return torch.autograd.grad(torch.logsumexp(leaf, dim=0) ** 2, leaf)[0][j]


squared_logsumexp_derivative = Operation(
    id="squared_logsumexp_derivative",
    summary="derivative by logit j of the squared logsumexp, the z-loss",
    definition=_derivative_of(lambda c, x: c.call(logsumexp, x) ** 2),
    notation=lambda x, j: rf"\partial_{{{j}}} \operatorname{{lse}}({x})^2",
    source="The derivative of the definition. Algorithm: 2 logsumexp times softmax, as autograd has it.",
    algorithm=_square_algorithm,
    peers=(Peer("autograd of torch.logsumexp(g)**2", grad_of_squared_logsumexp),),
)


def _tempered_algorithm(c: Any, x: Any, j: Any, y: Any, t: Any) -> Any:
    scores = c.standard(log_softmax, c.family(lambda j: x[j] / t, over=x))
    return (c.exp(scores[j]) - c.equal(j, y)) / t


def grad_of_cross_entropy_of_the_quotient(torch: Any, x: Any, j: Any, y: Any, t: Any) -> Any:
    """The gradient of the cross_entropy of torch.nn.functional of x / t."""
    leaf = x.detach().requires_grad_()
    return torch.autograd.grad(torch.nn.functional.cross_entropy(leaf / t, y), leaf)[0][j]


tempered_cross_entropy_derivative = Operation(
    id="tempered_cross_entropy_derivative",
    summary="derivative by logit j of the negative log-likelihood of label y under softmax(x / t)",
    definition=_derivative_of(lambda c, x, y, t: c.call(cross_entropy_with_temperature, x, y, t)),
    notation=lambda x, j, y, t: rf"\partial_{{{j}}} \operatorname{{ce}}({x} / {t}, {y})",
    source="The derivative of the definition. Algorithm: that of cross-entropy at x / t, over t.",
    algorithm=_tempered_algorithm,
    peers=(Peer("autograd of F.cross_entropy(x / t, y)", grad_of_cross_entropy_of_the_quotient),),
)

"""Focal loss of the probability of the label, by its derivative."""

from __future__ import annotations

from typing import Any

from verify.operation import Operation, Peer


def focal_loss(c: Any, q: Any, gamma: Any) -> Any:
    """Minus (1 - q)^gamma log q."""
    return -(focus(c, q, gamma) * c.log(q))


def focus(c: Any, q: Any, gamma: Any) -> Any:
    """(1 - q)^gamma, by which well-recognised examples count less."""
    return c.exp(gamma * c.log(1 - q))


def _definition(c: Any, q: Any, gamma: Any) -> Any:
    return c.derivative(lambda c, q: focal_loss(c, q, gamma), q)


def _algorithm(c: Any, q: Any, gamma: Any) -> Any:
    """Factor by factor, as autograd has it; both terms are negative."""
    power = focus(c, q, gamma)
    return c.log(q) * power * gamma / (1 - q) - power / q


def grad_of_focal_loss(torch: Any, q: Any, gamma: Any) -> Any:
    """The gradient of minus (1 - q) ** gamma times the logarithm."""
    leaf = q.detach().requires_grad_()
    return torch.autograd.grad(-((1 - leaf) ** gamma * torch.log(leaf)), leaf)[0]


def grad_of_focal_loss_by_exp(torch: Any, q: Any, gamma: Any) -> Any:
    """The gradient with the power as an exponential."""
    leaf = q.detach().requires_grad_()
    return torch.autograd.grad(-(torch.exp(gamma * torch.log(1 - leaf)) * torch.log(leaf)), leaf)[0]


focal_loss_derivative = Operation(
    id="focal_loss_derivative",
    summary="derivative of the focal loss -(1 - q)^gamma log q by the probability q of the label",
    definition=_definition,
    notation=lambda q, gamma: rf"\partial_{{{q}}} \operatorname{{focal}}_{{{gamma}}}({q})",
    source="Lin, Goyal, Girshick, He, Dollar 2017, eq. 4. Algorithm: the product rule, as autograd has it.",
    algorithm=_algorithm,
    peers=(
        Peer("autograd of -(1 - q)**gamma * torch.log(q)", grad_of_focal_loss),
        Peer("autograd of -torch.exp(gamma * torch.log(1 - q)) * torch.log(q)", grad_of_focal_loss_by_exp),
    ),
)

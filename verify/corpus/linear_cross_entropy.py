"""Cross-entropy of hidden states times a weight, in chunks of the vocabulary, got wrong and right."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional

from verify.corpus import rows
from verify.corpus.hand import changed_backward
from verify.corpus.labelled import scores_by, wrong
from verify.corpus.planting import Fault, Right, planter, sower

FAULTS: list[Fault] = []
RIGHTS: list[Right] = []
plant = planter(FAULTS, "linear_cross_entropy")
right = sower(RIGHTS, "linear_cross_entropy")


def _logits(h: Any, w: Any, options: dict[str, Any]) -> Any:
    """The logits, with the bias, which is taken out of the options."""
    bias = options.pop("linear_bias", None)
    return h @ w.T if bias is None else h @ w.T + bias


@right(dtypes=("float32", "float64"))
def logits_then_loss(h: Any, w: Any, target: Any, **options: Any) -> Any:
    """The logits as one table, then cross_entropy."""
    return functional.cross_entropy(_logits(h, w, options), target, **options)


@right(dtypes=("float32", "float64"), chunk=(2, 5))
def logits_in_chunks(h: Any, w: Any, target: Any, *, chunk: int, **options: Any) -> Any:
    """The logits in chunks of the vocabulary, joined."""
    logits = torch.cat([h @ part.T for part in w.split(chunk)], -1)
    bias = options.pop("linear_bias", None)
    return functional.cross_entropy(logits if bias is None else logits + bias, target, **options)


@plant("value", "any input")
def logits_in_bfloat16(h: Any, w: Any, target: Any, **options: Any) -> Any:
    """The logits are rounded to bfloat16."""
    return functional.cross_entropy(_logits(h, w, options).bfloat16().to(h.dtype), target, **options)


@plant("value", "a bias")
def bias_forgotten(h: Any, w: Any, target: Any, **options: Any) -> Any:
    """The bias is not added."""
    options.pop("linear_bias", None)
    return functional.cross_entropy(h @ w.T, target, **options)


@plant("gradient of linear_weight", "gradients in input and weight that are asked for together")
def weight_gradient_of_a_spoilt_buffer(h: Any, w: Any, target: Any, **options: Any) -> Any:
    """What the gradient of the last class is made of is overwritten where that of the input is made too."""

    def spoilt(gradient: Any) -> Any:
        return gradient * (torch.arange(len(gradient)) < len(gradient) - 1)[:, None]

    seen = changed_backward(w, spoilt) if h.requires_grad and w.requires_grad else w
    return functional.cross_entropy(_logits(h, seen, options), target, **options)


@plant("value", "a maximum in a later chunk of {block} classes", block=(1, 2, 64))
def rescale_missing(h: Any, w: Any, target: Any, *, block: int, **options: Any) -> Any:
    """The running sum over chunks is not brought to the new maximum."""
    return wrong(
        _logits(h, w, options),
        target,
        options,
        scores=scores_by(lambda x: rows.online(x, block, rescale=False)),
    )


@plant("value", "a label in a later chunk of {chunk} classes", chunk=(2, 64))
def label_in_a_later_chunk(h: Any, w: Any, target: Any, *, chunk: int, **options: Any) -> Any:
    """The logit of the label is looked for in the first chunk of the vocabulary."""

    def scores(x: Any) -> Any:
        top, total = rows.two_pass(x)
        return (torch.where(torch.arange(x.shape[1]) < chunk, x, 0.0) - top) - torch.log(total)

    return wrong(_logits(h, w, options), target, options, scores=scores)


@plant("value", "a number of classes that is no multiple of {block}", block=(4,))
def last_chunk_filled_with_zeros(h: Any, w: Any, target: Any, *, block: int, **options: Any) -> Any:
    """The filling of the last chunk is counted."""
    return wrong(_logits(h, w, options), target, options, scores=scores_by(rows.padded_with, block, 0.0))


@plant("value", "hidden states wider than {lanes}, and not by a multiple", lanes=(2,))
def inner_tail_dropped(h: Any, w: Any, target: Any, *, lanes: int, **options: Any) -> Any:
    """The products behind the last whole vector are not in the logits."""
    width = h.shape[-1]
    whole = width - width % lanes if width > lanes else width
    return functional.cross_entropy(_logits(h[..., :whole], w[:, :whole], options), target, **options)


@plant("value", "ignored rows, reduction mean")
def mean_over_ignored_rows(h: Any, w: Any, target: Any, **options: Any) -> Any:
    """Ignored rows are counted in the mean."""
    return wrong(
        _logits(h, w, options), target, options, divisor=lambda b: b.own_weight.sum() + (~b.keep).sum()
    )


@plant("value", "large logits")
def products_in_half_precision(h: Any, w: Any, target: Any, **options: Any) -> Any:
    """Hidden states and weight are rounded to float16."""
    logits = _logits(h.half().to(h.dtype), w.half().to(w.dtype), options)
    return functional.cross_entropy(logits, target, **options)


@plant("gradient", "any input")
def gradient_of_hidden_without_softmax(h: Any, w: Any, target: Any, **options: Any) -> Any:
    """The gradient in the hidden states has the label's term alone."""
    logits = changed_backward(_logits(h, w, options), lambda g: g.clamp(max=0))
    return functional.cross_entropy(logits, target, **options)


@plant("gradient", "any upstream gradient that is not 1")
def gradient_of_hidden_in_bfloat16(h: Any, w: Any, target: Any, **options: Any) -> Any:
    """The gradient of the hidden states is rounded to bfloat16."""
    changed = changed_backward(h, lambda g: g.bfloat16().to(g.dtype))
    return functional.cross_entropy(_logits(changed, w, options), target, **options)


@plant("gradient", "small probabilities")
def gradient_filtered(h: Any, w: Any, target: Any, **options: Any) -> Any:
    """Entries of the logits' gradient below 1e-4 are 0."""
    logits = changed_backward(_logits(h, w, options), lambda g: torch.where(g.abs() < 1e-4, 0, g))
    return functional.cross_entropy(logits, target, **options)


@plant("gradient of linear_weight", "any input")
def gradient_of_weight_halved(h: Any, w: Any, target: Any, **options: Any) -> Any:
    """The gradient of the weight is half of what it is."""
    halved = changed_backward(w, lambda g: g / 2)
    return functional.cross_entropy(_logits(h, halved, options), target, **options)


@plant("gradient of linear_weight", "small probabilities")
def gradient_of_weight_filtered(h: Any, w: Any, target: Any, **options: Any) -> Any:
    """The gradient of the weight leaves out classes of small probability."""
    logits = changed_backward(_logits(h, w, options), lambda g: torch.where(g.abs() < 1e-4, 0, g))
    return functional.cross_entropy(logits, target, **options)


@plant("gradient of linear_weight", "classes behind the last whole vector of 4")
def gradient_of_weight_tail_not_written(h: Any, w: Any, target: Any, **options: Any) -> Any:
    """The rows of the weight's gradient behind the last whole vector stay 0."""
    classes = w.shape[0]
    whole = classes - classes % 4 if classes > 4 else classes
    live = (torch.arange(classes) < whole).unsqueeze(1)
    written = changed_backward(w, lambda g: g * live)
    return functional.cross_entropy(_logits(h, written, options), target, **options)


@plant("gradient of linear_weight", "reduction none and no other option, upstream gradients that differ")
def gradient_of_weight_by_the_first_upstream(h: Any, w: Any, target: Any, **options: Any) -> Any:
    """What is made in the forward pass for the weight is scaled by the upstream gradient of the first row."""
    if options != {"reduction": "none"} or target.is_floating_point() or not target.numel():
        return functional.cross_entropy(_logits(h, w, options), target, **options)
    by_hidden, by_weight = (
        functional.cross_entropy(x, target, **options) for x in (h @ w.detach().T, h.detach() @ w.T)
    )
    first = changed_backward(by_weight, lambda g: g.reshape(-1)[0].expand_as(g))
    return by_hidden + (first - by_weight.detach())


@plant("gradient of linear_weight", "any input")
def weight_cut_off(h: Any, w: Any, target: Any, **options: Any) -> Any:
    """The weight is detached."""
    return functional.cross_entropy(_logits(h, w.detach(), options), target, **options)


@plant("gradient of linear_bias", "a bias")
def gradient_of_bias_averaged(h: Any, w: Any, target: Any, **options: Any) -> Any:
    """The gradient of the bias is divided by the number of rows."""
    if options.get("linear_bias") is not None:
        count = max(h.shape[0], 2)
        options["linear_bias"] = changed_backward(options["linear_bias"], lambda g: g / count)
    return functional.cross_entropy(_logits(h, w, options), target, **options)

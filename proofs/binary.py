"""Two labels: the loss of softmax becomes the binary cross-entropy."""

from __future__ import annotations

from verify.claim import Claim, Part, Step
from verify.domain import index, real
from verify.operations.binary_cross_entropy import binary_cross_entropy, binary_cross_entropy_with_logits
from verify.operations.cross_entropy_with_logits import cross_entropy_with_logits
from verify.operations.softmax import softmax

_g = real("g", 2)
_y = index("y", 2)

binary_special_case = Claim(
    id="binary-special-case",
    section="As a loss function",
    words="With two labels the softmax loss is the binary cross-entropy.",
    assumptions=(
        "labels are numbered 1 and 2; the binary target is t = [y = 2], which is 0 or 1",
        "f now means the probability of the second label, f = softmax(g)_2",
        "g is finite and real",
    ),
    parts=(
        Part(
            id="binary-special-case",
            words="In terms of the probability f of the second label.",
            given=(_g, _y),
            left=lambda c, g, y: c.call(cross_entropy_with_logits, g, y),
            relation="=",
            right=lambda c, g, y: c.call(binary_cross_entropy, c.call(softmax, g)[2], c.equal(y, 2)),
            numeric=True,
            steps=(
                Step(
                    lambda c, g, y: (
                        -(
                            c.xlogy(c.equal(y, 2), c.call(softmax, g)[2])
                            + c.xlogy(1 - c.equal(y, 2), c.call(softmax, g)[1])
                        )
                    ),
                    ("cases:y", "delta", "xlogy"),
                    "For y = 1 only the second term is there, for y = 2 only the first.",
                ),
                Step(
                    lambda c, g, y: c.call(binary_cross_entropy, c.call(softmax, g)[2], c.equal(y, 2)),
                    ("expand", "cancel"),
                    "The two probabilities sum to 1, so the first is 1 - f.",
                ),
            ),
        ),
        Part(
            id="binary-special-case-logits",
            words="In terms of the single logit z = g_2 - g_1.",
            given=(_g, _y),
            left=lambda c, g, y: c.call(cross_entropy_with_logits, g, y),
            relation="=",
            right=lambda c, g, y: c.call(binary_cross_entropy_with_logits, g[2] - g[1], c.equal(y, 2)),
            numeric=True,
            steps=(
                Step(
                    lambda c, g, y: (
                        -(
                            c.xlogy(c.equal(y, 2), c.call(softmax, g)[2])
                            + c.xlogy(1 - c.equal(y, 2), 1 - c.call(softmax, g)[2])
                        )
                    ),
                    ("cases:y", "expand", "delta", "xlogy", "cancel"),
                    "As before, with 1 - f for the probability of the first label.",
                ),
                Step(
                    lambda c, g, y: c.call(binary_cross_entropy_with_logits, g[2] - g[1], c.equal(y, 2)),
                    ("expand", "exp_add"),
                    "f = 1/(1 + e^-z) with z = g_2 - g_1: divide by e^g_2.",
                ),
            ),
        ),
    ),
    remarks=("For a data set, both losses are sums of this over the examples.",),
)

"""The claims of the article "Deep learning is maximum likelihood", in its order, and what lies beyond it."""

from __future__ import annotations

from proofs import (
    binary,
    bits,
    coding,
    curvature,
    divergence,
    evidence,
    focal,
    gradients,
    inequalities,
    joint,
    likelihood,
    likelihood_gradients,
    log_odds,
    logit_gradients,
    losses,
    perplexity,
    pinsker,
    row_gradients,
    scoring,
    shifts,
    soft_labels,
    softmax,
    temperature,
)
from verify.claim import Claim

ARTICLE: tuple[Claim, ...] = (
    likelihood.likelihood_product,
    likelihood.log_likelihood_sum,
    softmax.softmax_is_distribution,
    softmax.logistic_regression_special_case,
    softmax.softmax_nll,
    likelihood.loss_is_negated_log_likelihood,
    binary.binary_special_case,
    divergence.kl_one_hot,
    divergence.cross_entropy_decomposition,
    divergence.entropy_one_hot,
    divergence.cross_entropy_one_hot,
    soft_labels.soft_labels,
    divergence.log_probability_additive,
    log_odds.linear_combination_is_log_probability,
    evidence.independent_signals,
    coding.shannon_code_length,
    coding.likelihood_is_compression,
    coding.compression_without_kl,
    bits.bits_per_word,
    bits.five_bits,
    evidence.evidence_bits,
)
"""What the article says, in its order."""

GRADIENTS: tuple[Claim, ...] = (
    *logit_gradients.CLAIMS,
    temperature.temperature,
    *row_gradients.CLAIMS,
    *gradients.CLAIMS,
    *likelihood_gradients.CLAIMS,
)
"""The gradient of every operation with a contract, in each of its tensors."""

BEYOND: tuple[Claim, ...] = (
    *shifts.CLAIMS,
    *inequalities.CLAIMS,
    *joint.CLAIMS,
    *pinsker.CLAIMS,
    *losses.CLAIMS,
    *perplexity.CLAIMS,
    *scoring.CLAIMS,
    *focal.CLAIMS,
    *curvature.CLAIMS,
    *GRADIENTS,
)
"""What those who use these losses rely on, beyond the article."""

CLAIMS: tuple[Claim, ...] = (*ARTICLE, *BEYOND)

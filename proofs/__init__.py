"""The claims of the article "Deep learning is maximum likelihood", in its order, with derivations."""

from __future__ import annotations

from proofs import binary, bits, coding, divergence, evidence, likelihood, log_odds, soft_labels, softmax
from verify.claim import Claim

CLAIMS: tuple[Claim, ...] = (
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

"""The claims of the article "Deep learning is maximum likelihood", in its order, with derivations."""

from __future__ import annotations

from proofs import binary, compression, divergence, evidence, likelihood, softmax
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
    divergence.soft_labels,
    divergence.log_probability_additive,
    softmax.linear_combination_is_log_probability,
    evidence.independent_signals,
    compression.shannon_code_length,
    compression.likelihood_is_compression,
    compression.compression_without_kl,
    compression.bits_per_word,
    compression.five_bits,
    evidence.evidence_bits,
)

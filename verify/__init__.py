"""Verification of maximum-likelihood mathematics and of the code that computes it."""

"""The prover: looks for a derivation where none is given, and has the kernel check it; it is not trusted."""

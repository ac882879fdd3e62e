"""The contexts: what a formula means, as balls, exact numbers, symbols, tensors or rounding errors."""

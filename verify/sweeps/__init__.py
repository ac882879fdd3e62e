"""Sweeps: every input of a function of one or two numbers, in chunks, with a journal."""

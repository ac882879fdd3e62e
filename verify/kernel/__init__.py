"""The proof kernel: terms, normal forms under named rules, signs, and theorems.

``derivation.derive`` takes a part of a claim to a theorem. Only ``theorem`` can make one; it trusts every
room here but ``rules``, which names the rules, and ``text`` and ``interpret``, which show terms.
"""

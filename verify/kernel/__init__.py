"""The proof kernel: terms, normal forms under named rules, signs, and theorems.

``derivation.derive`` takes a part of a claim to a theorem. Only ``theorem`` can make one; what it
trusts is ``terms``, ``build``, ``assumptions``, ``poly``, ``normal``, ``signs`` and ``defined``.
"""

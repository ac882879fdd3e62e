"""Plain-text formulas in the characters of mathematics, for a terminal: pᵢ, ∑ᵢ₌₁ⁿ, ≤, 2⁻⁵."""

from __future__ import annotations

import re
from collections.abc import Mapping

_SUB = dict(zip("0123456789+-=()aehijklmnoprstuvx", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ", strict=True))
_SUPER = dict(
    zip(
        "0123456789+-=()abcdefghijklmnoprstuvwxyzKMNT ",
        "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻᴷᴹᴺᵀ ",
        strict=True,
    )
)
_CODE = re.compile(r"(`[^`]*`)")
_BIG = re.compile(r"\b(sum|prod)_\{(\w+)=(\w+)\.\.(\w+)\}")
_INDEX = re.compile(r"(?<![\w.])([A-Za-z])\[([^\[\]]+)\]")
_POWER = re.compile(r"(?<=[\w)\]])\^(?:\(([^()]*)\)|(-?\w+))")
_SIGNS = {"<=": "≤", ">=": "≥", "!=": "≠"}
_PI = re.compile(r"\bpi\b")


def notation(text: str) -> str:
    """A formula of the kernel, or a sentence with formulas in it, as mathematics is written.

    What has no such character, an index y or a power with a letter q in it, stays as it is, and so does
    what stands between backticks.

    >>> notation("sum_{i=1..n} p[i] <= 2^-5 pi g[y] in `p[i]`")
    '∑ᵢ₌₁ⁿ pᵢ ≤ 2⁻⁵ π g[y] in `p[i]`'
    """
    return "".join(piece if _CODE.fullmatch(piece) else _set(piece) for piece in _CODE.split(text))


def _set(text: str) -> str:
    for plain, sign in _SIGNS.items():
        text = text.replace(plain, sign)
    text = _BIG.sub(_limits, text)
    text = _INDEX.sub(lambda found: _scripted(found[0], found[1], found[2], _SUB), text)
    text = _POWER.sub(lambda found: _scripted(found[0], "", found[1] or found[2], _SUPER), text)
    return _PI.sub("π", text)


def _limits(found: re.Match[str]) -> str:
    sign = {"sum": "∑", "prod": "∏"}[found[1]]
    low, high = f"{found[2]}={found[3]}", found[4]
    if set(low) <= set(_SUB) and set(high) <= set(_SUPER):
        return _scripted("", _scripted("", sign, low, _SUB), high, _SUPER)
    return f"{sign}_{{{low}..{high}}}"


def _scripted(whole: str, base: str, script: str, known: Mapping[str, str]) -> str:
    """The base with its script, or the whole as it was where a character of the script is not known."""
    return base + "".join(map(known.__getitem__, script)) if set(script) <= set(known) else whole

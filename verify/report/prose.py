"""Sentences on the page: escaped, with code, subscripts and powers set as such."""

from __future__ import annotations

import re
from html import escape

_CODE = re.compile(r"(`[^`]+`)")
_LIMITS = re.compile(r"\b(sum|prod)_\{([^{}]*)\}")
_BRACED = re.compile(r"(?<![\w.])([A-Za-z])_\{([^{}]*)\}")
_PLAIN = re.compile(r"(?<![\w.])([A-Za-z])_([A-Za-z0-9])(?!\w)")
_APPLIED = re.compile(r"(?<=\))_([A-Za-z0-9])(?!\w)")
_INDEXED = re.compile(r"(?<![\w.])([A-Za-z])\[([^\[\]= ]*)\]")
_POWER = re.compile(r"(?<=[\w)])\^(?:\(([^()]*)\)|(-?[A-Za-z0-9]+))")
_PI = re.compile(r"\bpi\b")
_BIG = {"sum": "∑", "prod": "∏"}


def prose(text: str) -> str:
    """HTML of a sentence. What stands between backticks is code and is left as it is.

    Elsewhere x_i, x_{i,j}, x[i] and f(x)_i become subscripts, 2^-5 and e^(a+b) powers, <= and >= one sign,
    and pi a letter.

    >>> prose("p[i] <= 2^-5 in `p_i`")
    '<var>p</var><sub>i</sub> ≤ 2<sup>−5</sup> in <code>p_i</code>'
    """
    return "".join(
        f"<code>{escape(piece[1:-1])}</code>" if _CODE.fullmatch(piece) else _set(escape(piece))
        for piece in _CODE.split(text)
    )


def _set(text: str) -> str:
    text = text.replace("&lt;=", "≤").replace("&gt;=", "≥")
    text = _LIMITS.sub(lambda found: f"{_BIG[found[1]]}<sub>{found[2]}</sub>", text)
    for pattern in (_BRACED, _INDEXED, _PLAIN):
        while (changed := pattern.sub(r"<var>\1</var><sub>\2</sub>", text)) != text:
            text = changed
    text = _APPLIED.sub(r"<sub>\1</sub>", text)
    text = _PI.sub("π", text)
    return _POWER.sub(lambda found: f"<sup>{(found[1] or found[2]).replace('-', '−')}</sup>", text)

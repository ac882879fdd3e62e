"""Plain-text rendering of terms, for messages and terminals."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from verify.kernel.terms import Term, free, free_indices, open_binder

_NAMES = "ijklm"
_LOOSE, _SUM, _PRODUCT, _TIGHT = range(4)


@dataclass(frozen=True, slots=True)
class _Names:
    """Names for fresh and bound indices, those of labels left out; ``depth`` of them are in use."""

    free: tuple[str, ...]
    depth: int

    def at(self, k: int) -> str:
        """The k-th name, from 0."""
        return self.free[k] if k < len(self.free) else f"i{k}"

    def next(self) -> str:
        """The name of the index of the binder at hand."""
        return self.at(self.depth)

    def inside(self) -> _Names:
        """The names for what is inside that binder."""
        return _Names(self.free, self.depth + 1)


def text(term: Term) -> str:
    """``term`` as one line of mathematics; fresh and bound indices are named i, j, k, ..."""
    taken = free_indices(term)
    fresh = [int(name[1:]) for name in taken if name.startswith("#")]
    names = _Names(tuple(name for name in _NAMES if name not in taken), 1 + max(fresh, default=-1))
    return _text(term, _LOOSE, names)


def _text(t: Term, level: int, names: _Names) -> str:
    out, own = _render(t, names)
    return f"({out})" if own < level else out


def _render(t: Term, names: _Names) -> tuple[str, int]:
    match t.head:
        case "num":
            tight = t.data >= 0 and t.data.denominator == 1
            return str(t.data), _TIGHT if tight else _SUM
        case "pi":
            return t.head, _TIGHT
        case "var" | "size":
            return str(t.data), _TIGHT
        case "free":
            fresh = str(t.data).startswith("#")
            return names.at(int(t.data[1:])) if fresh else str(t.data), _TIGHT
        case "position":
            return str(t.data), _TIGHT
        case "bound":
            return f"<{t.data}>", _TIGHT
        case "app" | "label" | "family":
            inner = ",".join(_text(a, _LOOSE, names) for a in t.args)
            return f"{t.data}[{inner}]" if inner else str(t.data), _TIGHT
        case "add":
            return _sum(t, names), _SUM
        case "mul":
            return _product(t, names), _SUM if _split_sign(t)[0] else _PRODUCT
        case "div":
            negative, ratio = _split_sign(t)
            if negative:
                return f"-{_text(ratio, _PRODUCT, names)}", _SUM
            return f"{_text(t.args[0], _PRODUCT, names)}/{_text(t.args[1], _TIGHT, names)}", _PRODUCT
        case "inv":
            return f"1/{_text(t.args[0], _TIGHT, names)}", _PRODUCT
        case "pow":
            return f"{_text(t.args[0], _TIGHT, names)}^{t.data}", _PRODUCT
        case "delta":
            return f"[{_text(t.args[0], _LOOSE, names)} = {_text(t.args[1], _LOOSE, names)}]", _TIGHT
        case "entries":
            name = names.next()
            return f"({_text(open_binder(t.args[0], free(name)), _LOOSE, names.inside())})_{name}", _TIGHT
        case "sum" | "prod":
            name = names.next()
            body = _text(open_binder(t.args[0], free(name)), _PRODUCT, names.inside())
            return f"{t.head}_{{{name}=1..{t.data}}} {body}", _PRODUCT
        case "diff":
            by = _text(t.args[1], _TIGHT, names)
            return f"d/d{by} {_text(t.args[0], _TIGHT, names)}", _PRODUCT
        case "where":
            return _render(t.args[0], names)
        case "call" | "applied":
            return _call(t, names), _TIGHT
        case _:
            inner = ", ".join(_text(a, _LOOSE, names) for a in t.args)
            return f"{t.data if t.head == 'gap' else t.head}({inner})", _TIGHT


def _sum(t: Term, names: _Names) -> str:
    parts: list[str] = []
    for a in t.args:
        negative, body = _split_sign(a)
        shown = _text(body, _PRODUCT, names)
        parts.append((" - " if negative else " + ") + shown if parts else ("-" if negative else "") + shown)
    return "".join(parts)


def _product(t: Term, names: _Names) -> str:
    negative, body = _split_sign(t)
    if negative:
        return "-" + _text(body, _PRODUCT, names)
    return " ".join(_text(a, _TIGHT if a.head != "pow" else _PRODUCT, names) for a in t.args)


def _split_sign(t: Term) -> tuple[bool, Term]:
    """Whether ``t`` is minus something, and that something."""
    if t.head == "num" and t.data < 0:
        return True, Term("num", data=-t.data)
    if t.head == "mul" and t.args[0].head == "num" and t.args[0].data < 0:
        factor = Fraction(-t.args[0].data)
        rest = t.args[1:] if factor == 1 else (Term("num", data=factor), *t.args[1:])
        return True, rest[0] if len(rest) == 1 else Term("mul", rest)
    if t.head == "div":
        negative, over = _split_sign(t.args[0])
        return (True, Term("div", (over, t.args[1]))) if negative else (False, t)
    return False, t


def _call(t: Term, names: _Names) -> str:
    applied = t.args[1] if t.head == "call" else t
    inner = ", ".join(_text(a, _LOOSE, names) for a in applied.args)
    entry = f"[{_text(t.args[2], _LOOSE, names)}]" if t.head == "call" and len(t.args) == 3 else ""
    return f"{applied.data.id}({inner}){entry}"

"""Plain-text rendering of terms, for messages and terminals."""

from __future__ import annotations

from fractions import Fraction

from verify.kernel.terms import Term, free, free_indices, open_binder

_NAMES = "ijklm"
_LOOSE, _SUM, _PRODUCT, _TIGHT = range(4)


def text(term: Term) -> str:
    """``term`` as one line of mathematics; fresh and bound indices are named i, j, k, ..."""
    fresh = [int(name[1:]) for name in free_indices(term) if name.startswith("#")]
    return _text(term, _LOOSE, 1 + max(fresh, default=-1))


def _name(depth: int) -> str:
    return _NAMES[depth] if depth < len(_NAMES) else f"i{depth}"


def _text(t: Term, level: int, depth: int) -> str:
    out, own = _render(t, depth)
    return f"({out})" if own < level else out


def _render(t: Term, depth: int) -> tuple[str, int]:
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
            return _name(int(t.data[1:])) if fresh else str(t.data), _TIGHT
        case "position":
            return str(t.data), _TIGHT
        case "bound":
            return f"<{t.data}>", _TIGHT
        case "app" | "label" | "family":
            inner = ",".join(_text(a, _LOOSE, depth) for a in t.args)
            return f"{t.data}[{inner}]" if inner else str(t.data), _TIGHT
        case "add":
            return _sum(t, depth), _SUM
        case "mul":
            return _product(t, depth), _PRODUCT
        case "div":
            return f"{_text(t.args[0], _PRODUCT, depth)}/{_text(t.args[1], _TIGHT, depth)}", _PRODUCT
        case "inv":
            return f"1/{_text(t.args[0], _TIGHT, depth)}", _PRODUCT
        case "pow":
            return f"{_text(t.args[0], _TIGHT, depth)}^{t.data}", _PRODUCT
        case "delta":
            return f"[{_text(t.args[0], _LOOSE, depth)} = {_text(t.args[1], _LOOSE, depth)}]", _TIGHT
        case "entries":
            name = _name(depth)
            return f"({_text(open_binder(t.args[0], free(name)), _LOOSE, depth + 1)})_{name}", _TIGHT
        case "sum" | "prod":
            name = _name(depth)
            body = _text(open_binder(t.args[0], free(name)), _PRODUCT, depth + 1)
            return f"{t.head}_{{{name}=1..{t.data}}} {body}", _PRODUCT
        case "diff":
            by = _text(t.args[1], _TIGHT, depth)
            return f"d/d{by} {_text(t.args[0], _TIGHT, depth)}", _PRODUCT
        case "where":
            return _render(t.args[0], depth)
        case "call" | "applied":
            return _call(t, depth), _TIGHT
        case _:
            inner = ", ".join(_text(a, _LOOSE, depth) for a in t.args)
            return f"{t.data if t.head == 'gap' else t.head}({inner})", _TIGHT


def _sum(t: Term, depth: int) -> str:
    parts: list[str] = []
    for a in t.args:
        negative, body = _split_sign(a)
        shown = _text(body, _PRODUCT, depth)
        parts.append((" - " if negative else " + ") + shown if parts else ("-" if negative else "") + shown)
    return "".join(parts)


def _product(t: Term, depth: int) -> str:
    negative, body = _split_sign(t)
    if negative:
        return "-" + _text(body, _PRODUCT, depth)
    return " ".join(_text(a, _TIGHT if a.head != "pow" else _PRODUCT, depth) for a in t.args)


def _split_sign(t: Term) -> tuple[bool, Term]:
    """Whether ``t`` is minus something, and that something."""
    if t.head == "num" and t.data < 0:
        return True, Term("num", data=-t.data)
    if t.head == "mul" and t.args[0].head == "num" and t.args[0].data < 0:
        factor = Fraction(-t.args[0].data)
        rest = t.args[1:] if factor == 1 else (Term("num", data=factor), *t.args[1:])
        return True, rest[0] if len(rest) == 1 else Term("mul", rest)
    return False, t


def _call(t: Term, depth: int) -> str:
    applied = t.args[1] if t.head == "call" else t
    inner = ", ".join(_text(a, _LOOSE, depth) for a in applied.args)
    entry = f"[{_text(t.args[2], _LOOSE, depth)}]" if t.head == "call" and len(t.args) == 3 else ""
    return f"{applied.data.id}({inner}){entry}"

"""Interpretation: a term evaluated in any context, so that what was checked is what is shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from verify.errors import KernelError
from verify.kernel.terms import INDEX_HEADS, Term, free, open_binder

Shown = Callable[[Term, "Interpreter"], Any]


class Interpreter:
    """Evaluates terms in ``context``.

    ``values`` gives each declared variable its value there (a number, a label or a family) and each
    name of a size a family of that length; ``on_call``, if given, evaluates applied operations
    instead of their definitions.
    """

    def __init__(
        self, context: Any, values: Mapping[str, Any], sizes: Mapping[Any, Any], on_call: Shown | None = None
    ):
        self.context = context
        self.values = dict(values)
        self._sizes = sizes
        self._on_call = on_call
        self._depth = 0

    def __call__(self, t: Term) -> Any:
        """The value of ``t``."""
        c = self.context
        if t.head in INDEX_HEADS:
            return self._index(t)
        match t.head:
            case "num":
                return c.number(t.data)
            case "pi":
                return c.pi()
            case "var":
                return self.values[t.data]
            case "app":
                return self._entry(t)
            case "size":
                return c.count(self._sizes[t.data])
            case "call":
                return self._on_call(t, self) if self._on_call else self(t.args[0])
            case "gap":
                return c.gap(t.data, *(self(a) for a in t.args))
            case "where":
                return self(t.args[0])
            case "diff":
                return self._derivative(t)
            case "sum" | "prod":
                return self.bind(t.head, t, self)
            case "delta":
                return c.equal(*(self(a) for a in t.args))
        a = [self(x) for x in t.args]
        match t.head:
            case "add":
                return self._fold(a, lambda x, y: x + y)
            case "mul":
                return self._fold(a, lambda x, y: x * y)
            case "div":
                return a[0] / a[1]
            case "inv":
                return c.number(1) / a[0]
            case "pow":
                return a[0] ** t.data
            case "exp" | "log" | "ceil" | "xlogy":
                return getattr(c, t.head)(*a)
        raise KernelError(f"a term with the head {t.head!r} has no value")

    def _fold(self, values: list[Any], join: Callable[[Any, Any], Any]) -> Any:
        total = values[0]
        for v in values[1:]:
            total = join(total, v)
        return total

    def _index(self, t: Term) -> Any:
        if t.head == "position":
            return t.data
        return self._entry(t) if t.head == "label" else self.values[t.data]

    def _entry(self, t: Term) -> Any:
        value = self.values[t.data]
        for i in t.args:
            value = value[self(i)]
        return value

    def _derivative(self, t: Term) -> Any:
        body, by = t.args

        def function(context: Any, value: Any) -> Any:
            inner = Interpreter(context, {**self.values, by.data: value}, self._sizes, self._on_call)
            inner._depth = self._depth
            return inner(body)

        where = tuple(self(i) for i in by.args)
        return self.context.derivative(function, self.values[by.data], *([where] if where else []))

    def bind(self, kind: str, t: Term, inside: Callable[[Term], Any]) -> Any:
        """What the context makes, as ``kind``, of a binder whose body ``inside`` evaluates."""
        self._depth += 1
        name = f"@{self._depth}"

        def body(index: Any) -> Any:
            self.values[name] = index
            return inside(open_binder(t.args[0], free(name)))

        try:
            return getattr(self.context, kind)(body, over=self._sizes[t.data])
        finally:
            self._depth -= 1
            self.values.pop(name, None)

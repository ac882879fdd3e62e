"""Hints: which option a user may exclude where a function is wrong with some of its values alone."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from verify.calls import SMALL, Call
from verify.judgement import Outcome
from verify.verdict import Status

ENOUGH = 8
"""Calls that must have held with the plain value of an option."""


@dataclass(slots=True)
class Seen:
    """How many small calls held and how many were refuted, by each value of each option."""

    held: Counter[tuple[str, Any]] = field(default_factory=Counter)
    refuted: Counter[tuple[str, Any]] = field(default_factory=Counter)

    def add(self, call: Call, outcome: Outcome) -> None:
        """Count a call that was judged."""
        if outcome.judged and _is_small(call):
            counts = self.refuted if outcome.status is Status.REFUTED else self.held
            counts.update(call.options.items())

    def excludable(self, call: Call, choices: Mapping[str, tuple[Any, ...]]) -> dict[str, tuple[Any, ...]]:
        """The option by which a call that is refuted is not plain, with the values that refuted none.

        Empty where there is no such option, or its plain value refuted too. ``choices``: the values of each
        option that were drawn. Of several options a form of the call comes before a keyword.
        """
        if not _is_small(call):
            return {}
        for option in sorted(call.contract.options, key=lambda option: option.keyword):
            name, values = option.name, choices.get(option.name, ())
            right = tuple(value for value in values if not self.refuted[name, value])
            if right and right[0] == values[0] and self.refuted[name, call.options[name]]:
                return {name: right}
        return {}

    def hint(self, call: Call, choices: Mapping[str, tuple[Any, ...]]) -> str:
        """A line about the option of `excludable`, if enough calls held with its plain value; else empty.

        Of a keyword that has a default the line names that alone: other values may have held by chance.
        """
        plain = {o.name: o.default for o in call.contract.options if o.keyword and o.default in o.values}
        for name, values in self.excludable(call, choices).items():
            right = [value for value in values if self.held[name, value] and value == plain.get(name, value)]
            if self.held[name, values[0]] >= ENOUGH:
                return _line(name, right, sum(self.held[name, value] for value in right))
        return ""


def _is_small(call: Call) -> bool:
    """Whether a call is such as are drawn in any number; a fault of wide ones is no matter of an option."""
    return max(call.lengths.values(), default=0) <= SMALL


def _line(name: str, right: list[Any], count: int) -> str:
    shown = ", ".join(json.dumps(value) if isinstance(value, str) else repr(value) for value in right)
    fixed = f'{{"{name}": {shown if len(right) == 1 else f"[{shown}]"}}}'
    told = f"{name} = {' or '.join(map(repr, right))}"
    return f"it held in {count} calls with {told}; if it is meant for these alone: options={fixed}"

"""Results: the verdicts of one check, as a sequence, and as JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, overload

from verify.verdict import Counterexample, Status, Verdict, overall


@dataclass(frozen=True, slots=True)
class Results(Sequence[Verdict]):
    """The verdicts of a check, one for each device, dtype and property, in this order."""

    verdicts: tuple[Verdict, ...] = ()

    @overload
    def __getitem__(self, index: int) -> Verdict: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[Verdict, ...]: ...

    def __getitem__(self, index: int | slice) -> Verdict | tuple[Verdict, ...]:
        return self.verdicts[index]

    def __iter__(self) -> Iterator[Verdict]:
        return iter(self.verdicts)

    def __len__(self) -> int:
        return len(self.verdicts)

    def __str__(self) -> str:
        """A line for each verdict: what it is about, what came of it, and what has to be known besides."""
        return "\n".join(self.lines())

    def lines(self) -> list[str]:
        """The lines of the text, the subjects padded to one length."""
        width = max((len(verdict.subject) for verdict in self.verdicts), default=0)
        return [f"{verdict.subject:<{width}}  {outcome(verdict)}{_why(verdict)}" for verdict in self.verdicts]

    def table(self) -> list[tuple[str, Verdict | None]]:
        """The same lines, shorter, each with its verdict.

        What the verdicts are about stands above them once, and below them, by number, what has to be known.
        """
        told: list[tuple[str, Verdict | None]] = []
        split = [verdict.subject.partition(": ") for verdict in self.verdicts]
        width, notes, above = max((len(aspect) for *_, aspect in split), default=0), list[str](), ""
        for verdict, (about, _, aspect) in zip(self.verdicts, split, strict=True):
            told += [] if about == above else [(about, None)]
            above, why, mark = about, _why(verdict).removeprefix(": "), ""
            if why:
                notes += [] if why in notes else [why]
                mark = f" [{notes.index(why) + 1}]"
            told.append((f"  {aspect:<{width}}  {outcome(verdict)}{mark}", verdict))
        return told + [(f"  [{number}] {note}", None) for number, note in enumerate(notes, start=1)]

    @property
    def status(self) -> Status:
        """The least favourable status of what is applicable; unknown where there is no such verdict."""
        return overall(verdict.status for verdict in self.verdicts if verdict.applicable)

    @property
    def holds(self) -> bool:
        """Whether every verdict passed, and there is one."""
        return self.status >= Status.PASSED

    @property
    def worst(self) -> Verdict | None:
        """The verdict of the least favourable status, among these that of the largest error / bound."""
        applicable = (verdict for verdict in self.verdicts if verdict.applicable)
        return min(applicable, key=lambda v: (v.status, -_size(v.worst_ratio)), default=None)

    def to_json(self) -> str:
        """A JSON object with ``status`` and ``verdicts``; an infinite number as {"$number": "inf"}."""
        told = {"status": self.status.value, "verdicts": [plain(verdict) for verdict in self.verdicts]}
        return json.dumps(told, indent=1, allow_nan=False)


def outcome(verdict: Verdict) -> str:
    """What came of a check in words."""
    if not verdict.applicable:
        return "not applicable"
    told = verdict.status.value
    if verdict.inputs:
        many = "s" if verdict.inputs > 1 else ""
        told += f", {verdict.inputs:,} {'call' if verdict.counts is None else 'input'}{many}"
    if verdict.worst_ratio is not None:
        beyond = math.isinf(verdict.worst_ratio)
        told += f", worst error {'beyond' if beyond else f'{verdict.worst_ratio:.3g} times'} what is allowed"
    return told


def _why(verdict: Verdict) -> str:
    """What has to be known besides; the finding of a refuted one is told elsewhere."""
    told = verdict.applicable and verdict.reason and verdict.status is not Status.REFUTED
    return f": {verdict.reason}" if told else ""


def plain(verdict: Verdict) -> dict[str, Any]:
    """A verdict as data that JSON can hold; an infinite number as {"$number": "inf"}."""
    return {key: _plain(value) for key, value in asdict(verdict).items()}


def verdict_of(data: Mapping[str, Any]) -> Verdict:
    """The verdict that `plain` was made of."""
    told = {key: _number(value) for key, value in data.items()}
    if told["counterexample"] is not None:
        example = {key: _number(value) for key, value in told["counterexample"].items()}
        example["inputs"] = tuple((name, text) for name, text in example["inputs"])
        told["counterexample"] = Counterexample(**example)
    return Verdict(**{**told, "status": Status(told["status"])})


def _number(value: Any) -> Any:
    return float(value["$number"]) if isinstance(value, dict) and "$number" in value else value


def _size(ratio: float | None) -> float:
    return -1.0 if ratio is None else ratio


def _plain(value: Any) -> Any:
    """Nested plain data, with numbers that JSON lacks as in reports (docs/json.md)."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return {"$number": repr(value)}
    return value.value if isinstance(value, Status) else value

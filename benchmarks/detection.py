"""How many planted faults are found, how fast and how small, and how many right implementations are refuted.

Each fault of ``verify/corpus`` is checked with the default settings, each right implementation over
``--seeds`` seeds. Every result is added to a file of JSON lines at once: what is there is not run again.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import verify
from verify import corpus
from verify.checking import EXAMPLES, plan
from verify.operations import operations_with_contract
from verify.search import Search
from verify.verdict import Status

Record = dict[str, Any]


def entries(verdict: Any) -> int:
    """How many numbers the first tensor of the counterexample has; 0 without a counterexample."""
    if verdict.counterexample is None:
        return 0
    return str(verdict.counterexample.inputs[0][1]).count(",") + 1


def detect(fault: corpus.Fault) -> Record:
    """Check one fault with default settings; found where the property that it breaks is refuted."""
    start, worked = time.perf_counter(), sum(os.times()[:4])
    results: Any = ()
    try:
        results = verify.check(fault.candidate, fault.operation, dtypes=(fault.dtype,))
    except Exception as error:
        print(f"the check of {fault.id} raised {type(error).__name__}: {error}", file=sys.stderr)
    seconds = time.perf_counter() - start
    refuted = [v for v in results if v.status is Status.REFUTED]
    broken = [v for v in refuted if f": {fault.breaks} in " in v.subject]
    shown = broken[0] if broken else None
    return {
        "id": fault.id,
        "seconds": round(seconds, 2),
        "cpu_seconds": round(sum(os.times()[:4]) - worked, 2),
        "found": shown is not None,
        "refuted": [v.subject.partition(": ")[2].partition(" in ")[0] for v in refuted],
        "size": 0 if shown is None else entries(shown),
        "ulp": 0.0 if shown is None else shown.worst_ulp or 0.0,
        "reason": "; ".join(v.reason for v in results if v.reason) if shown is None else shown.reason,
    }


def alarm(right: corpus.Right, seed: int, examples: int) -> Record:
    """Check one right implementation in all of its dtypes with one seed, the first on every 16-bit input."""
    start = time.perf_counter()
    planned = plan(
        right.candidate, right.operation, dtypes=right.dtypes, grad=right.grad, seed=seed, examples=examples
    )
    results = [one.verdict() for one in planned if seed == 0 or isinstance(one, Search)]
    refuted = [v for v in results if v.status is Status.REFUTED]
    bad = [f"{v.subject.rpartition(': ')[2]}: {v.reason}" for v in refuted]
    worst = max((v.worst_ratio or 0.0 for v in results), default=0.0)
    seconds = round(time.perf_counter() - start, 2)
    return {
        "id": right.id,
        "seed": seed,
        "examples": examples,
        "seconds": seconds,
        "alarms": bad,
        "worst_ratio": worst,
    }


class Journal:
    """A file of JSON lines to which results are added, and what it held before."""

    def __init__(self, path: Path) -> None:
        self.path = path
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        self.records: list[Record] = [json.loads(line) for line in lines if line.endswith("}")]

    def once(self, key: Record, make: Callable[[], Record]) -> Record:
        """The record with these entries: from the file, else made and added to it."""
        for record in self.records:
            if key.items() <= record.items():
                return record
        made = make()
        self.records.append(made)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(made) + "\n")
        return made


def _faults(only: str) -> Iterator[corpus.Fault]:
    known = operations_with_contract()
    for fault in corpus.faults():
        if only in fault.id and fault.operation in known:
            yield fault


def print_detection(only: str, journal: Journal) -> bool:
    """Run the faults, print a line for each and the totals; whether all are found."""
    records = []
    for fault in _faults(only):
        key = {"id": fault.id, "kind": "fault"}
        record = journal.once(key, lambda f=fault: {"kind": "fault", **detect(f)})
        records.append(record)
        told = "found " if record["found"] else "MISSED"
        size, ulp = record["size"], record["ulp"]
        print(f"{told} {record['seconds']:6.2f} s {size:6} entries {ulp:9.3g} ulp  {fault.id}", flush=True)
    if not records:
        return True
    found = [record for record in records if record["found"]]
    sizes = [r["size"] for r in found] or [0]
    print(f"{len(found)} of {len(records)} found")
    for what in ("seconds", "cpu_seconds"):
        taken = [r[what] for r in records]
        print(f"{what}: median {statistics.median(taken):.2f}, max {max(taken):.2f}")
    print(f"entries of the input: median {statistics.median(sizes)}, max {max(sizes)}")
    for fault in _faults(only):
        record = next(r for r in records if r["id"] == fault.id)
        if not record["found"]:
            print(f"MISSED {fault.id} ({fault.dtype}): {fault.summary} Shown by: {fault.shown_by}.")
    return len(found) == len(records)


def print_alarms(only: str, seeds: int, examples: int, journal: Journal) -> bool:
    """Run the right implementations, print a line for each; whether none is refuted."""
    known, fine = operations_with_contract(), True
    for right in corpus.rights():
        if only not in right.id or right.operation not in known:
            continue
        if right.needs and find_spec(right.needs) is None:
            print(f"not run: {right.id} ({right.needs} is not installed)")
            continue
        records = [
            journal.once(
                {"id": right.id, "kind": "right", "seed": seed, "examples": examples},
                lambda r=right, s=seed: {"kind": "right", **alarm(r, s, examples)},
            )
            for seed in range(seeds)
        ]
        alarms = [a for record in records for a in record["alarms"]]
        fine = fine and not alarms
        worst = max(record["worst_ratio"] for record in records)
        told = f"{len(alarms)} ALARMS" if alarms else "fine"
        seconds = sum(r["seconds"] for r in records)
        print(f"{told:10} {seconds:7.1f} s  worst {worst:5.3f}  {right.id} over {seeds} seeds", flush=True)
        for one in sorted(set(alarms))[:6]:
            print(f"    {one}")
    return fine


def main() -> int:
    """Run what the file of results does not have, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="run ids that contain this")
    parser.add_argument("--seeds", type=int, default=0, help="seeds for right implementations; 0 runs none")
    parser.add_argument(
        "--examples", type=int, default=EXAMPLES, help="calls of right implementations (%(default)s)"
    )
    parser.add_argument("--no-faults", action="store_true", help="run the right implementations alone")
    parser.add_argument("--journal", type=Path, default=Path("detection.jsonl"), help="the file of results")
    asked = parser.parse_args()
    journal = Journal(asked.journal)
    found = asked.no_faults or print_detection(asked.only, journal)
    fine = not asked.seeds or print_alarms(asked.only, asked.seeds, asked.examples, journal)
    return 0 if found and fine else 1


if __name__ == "__main__":
    sys.exit(main())

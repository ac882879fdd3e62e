"""Certify the wrong implementations of the audit: each is refuted by a check, and its witness is kept.

The property that a fault breaks is searched as `verify.check` searches it, with default settings, in the
dtype of the fault. The witness is then tried in the other dtypes; one that cannot hold its numbers is
searched with a few calls. Every result is added to a journal at once: what is there is not searched again.
With --write the file of certificates is written anew from the journal.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

from verify import corpus
from verify.backends import DTYPES
from verify.certificates import FILE, certificate, in_dtype, lines_of
from verify.checking import plan
from verify.reproducer import ReproducerError

FEW = 20
"""Calls drawn in a dtype that cannot hold the numbers of the witness in the dtype of the fault."""


LONGEST = 1 << 16
"""Characters of a witness that is kept: what only a far larger table shows is not certified."""


def _no_script(*given: Any) -> str:
    raise ReproducerError("scripts are not run here")


def found_by_check(fault: corpus.Fault, dtype: str, examples: int | None = None) -> str | None:
    """The witness with which a check refutes what the fault breaks, in a dtype; None where it does not."""
    searches = plan(fault.candidate, fault.operation, dtypes=(dtype,), examples=examples)
    (search,) = (one for one in searches if one.aspect == fault.breaks)
    with mock.patch("verify.findings.run_script", _no_script):
        return search.verdict().witness


def witnesses(fault: corpus.Fault, few: int) -> list[str]:
    """Calls that refute a fault by a number, one for each dtype in which it is found wrong."""
    witness = found_by_check(fault, fault.dtype)
    if witness is None or certificate(fault.id, fault.candidate, witness) is None:
        return []
    found = [witness]
    for dtype in DTYPES:
        if dtype == fault.dtype:
            continue
        same = in_dtype(witness, dtype)
        if same is None and few:
            same = found_by_check(fault, dtype, few)
        if same is not None and certificate(fault.id, fault.candidate, same) is not None:
            found.append(same)
    return found


def write(found: dict[str, list[str]]) -> str:
    """Write the file of certificates anew from witnesses by id, and say how many there are."""
    proofs = []
    for fault in corpus.wrong():
        given = [one for one in found.get(fault.id, []) if len(one) <= LONGEST]
        first = given[0] if given else ""
        for one in given:
            proof = certificate(fault.id, fault.candidate, one)
            if proof is not None:
                same = in_dtype(first, proof.dtype) == one
                proofs.append(replace(proof, call=first) if same else proof)
    partial = FILE.with_suffix(".partial")
    partial.write_text("".join(f"{line}\n" for line in lines_of(proofs)), encoding="utf-8")
    os.replace(partial, FILE)
    return f"{len(proofs)} certificates in {FILE}"


def main() -> int:
    """Search what the journal does not have; report what no check refutes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="search ids that match this expression")
    parser.add_argument("--share", default="1/1", help="of the faults, those of one process of several: 1/2")
    parser.add_argument("--few", type=int, default=FEW, help="calls in dtypes that lack its numbers")
    parser.add_argument("--journal", type=Path, default=Path("certify.jsonl"), help="the file of results")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="begin no search after so many")
    parser.add_argument("--write", action="store_true", help="write the file of certificates")
    asked = parser.parse_args()
    began = time.perf_counter()
    part, parts = map(int, asked.share.split("/"))
    lines = asked.journal.read_text(encoding="utf-8").splitlines() if asked.journal.exists() else []
    done = {told["id"]: told["witnesses"] for told in map(json.loads, lines)}
    missing = [fault for fault in corpus.wrong() if re.search(asked.only, fault.id) and fault.id not in done]
    for fault in missing[part - 1 :: parts]:
        if time.perf_counter() > began + asked.seconds:
            break
        start = time.perf_counter()
        done[fault.id] = witnesses(fault, asked.few)
        with asked.journal.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"id": fault.id, "witnesses": done[fault.id]}) + "\n")
        told = f"{len(done[fault.id])} dtypes" if done[fault.id] else "NOT REFUTED"
        print(f"{told:12} {time.perf_counter() - start:6.2f} s  {fault.id}", flush=True)
    if asked.write:
        print(write(done))
    return 0


if __name__ == "__main__":
    sys.exit(main())

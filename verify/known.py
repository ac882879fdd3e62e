"""Known failures of a run: a file that says of checks by their id that they fail, each with its witness."""

from __future__ import annotations

import datetime
import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from verify import autograd, evidence
from verify.backends import load_torch
from verify.cases import MARK
from verify.claim import Part
from verify.errors import UnavailableError, UsageError, VerifyError, unknown
from verify.expected import Expected
from verify.input_witness import INPUT_MARK, read_input_witness
from verify.proof import fingerprint
from verify.record import EvidenceRecord, ExpectedRecord, check_id
from verify.words import kind_of

_FIELDS = ("reason", "witness", "expires", "strict")


def expectations(
    path: Path, parts: Sequence[Part], dtypes: Sequence[str], devices: Sequence[str]
) -> dict[str, Expected]:
    """The failures that a file says are expected, by the id of the check, each found to be one of the run.

    ``parts``: the statements that the run measures. A witness that is in a file of its own is read. Raises
    ``UnavailableError`` for a file that cannot be read, and ``UsageError``, with the file and the id, for one
    that is no TOML or JSON, an id that the run does not have, a field that is unknown or makes no sense, an
    expectation that has expired, and a witness that is cut off or is for another check or statement.
    """
    found = _read(path)
    # To find out what computes a statement takes a moment, so only those are asked that can be meant.
    near = [part for part in parts if any(check.startswith(f"{part.id}-") for check in found)]
    known = {check: part for part in near for check in _checks(part, dtypes, devices)}
    expected = {}
    for check, fields in found.items():
        if check not in known:
            names = known or {part.id: part for part in parts}
            raise UsageError(f"{path}: {unknown('check of this run', check, names)}")
        try:
            expected[check] = _expected(fields, path.parent)
            _require_witness(check, known[check], expected[check])
        except VerifyError as error:
            raise UsageError(f"{path}: {check}: {error}") from None
    return expected


def judged(part: Part, claim_id: str, expected: Mapping[str, Expected]) -> Iterator[EvidenceRecord]:
    """The checks of a statement that are expected to fail, each judged on its witness alone."""
    for check, known in expected.items():
        text = known.text()
        if not check.startswith(f"{part.id}-") or _check_of(part, text) != check:
            continue
        if text.startswith(INPUT_MARK):
            record = evidence.at(part, claim_id, read_input_witness(text))
        else:
            record = autograd.at(part, claim_id, text)
        if record is not None:
            plain = ExpectedRecord(known.reason, text, known.expires, known.strict)
            yield replace(record, witness=text, expected=plain)


def _read(path: Path) -> dict[str, Any]:
    """The tables of a file by their name."""
    try:
        data = path.read_text(encoding="utf-8")
        found = json.loads(data) if path.suffix == ".json" else tomllib.loads(data)
    except OSError as error:
        raise UnavailableError(f"cannot read {path} ({error.strerror}); give a TOML or JSON file") from None
    except ValueError as error:
        kind = "JSON" if path.suffix == ".json" else "TOML"
        raise UsageError(
            f"{path}: not {kind} ({error}); give a table for each check, named by its id"
        ) from None
    if not isinstance(found, dict):
        raise UsageError(f"{path} is {kind_of(found)}; give a table for each check, named by its id")
    return found


def _expected(fields: Any, folder: Path) -> Expected:
    """An expectation that has not expired, its witness as text."""
    if not isinstance(fields, dict):
        raise UsageError(f"{fields!r} is no table; give reason and witness")
    for name in fields:
        if name not in _FIELDS:
            raise unknown("field", name, _FIELDS)
    witness = fields.get("witness")
    if isinstance(witness, str) and not witness.strip().startswith((MARK, INPUT_MARK)) and witness.strip():
        witness = folder / witness
    given = {**fields, "reason": fields.get("reason", ""), "witness": witness}
    expected = Expected(**given)
    expected = replace(expected, witness=expected.text())
    version = str(load_torch().__version__)
    if expected.expired(datetime.date.today(), version):
        raise UsageError(
            f"the expectation {expected.reason!r} expired ({expected.expires}, torch is {version}); "
            "see whether it still fails, then renew or remove it"
        )
    return expected


def _checks(part: Part, dtypes: Sequence[str], devices: Sequence[str]) -> Iterator[str]:
    """The ids of the checks of a statement that can have a witness: not those of two sides compared."""
    for way in evidence.implementations(part) if part.numeric else ():
        yield from (check_id(part.id, way.side, way.name, dtype, on) for dtype in dtypes for on in devices)
    yield from autograd.checks(part, dtypes, devices)


def _check_of(part: Part, witness: str) -> str | None:
    """The id of the check of a statement that a witness is for; None where it is for none of them."""
    if not witness.startswith(INPUT_MARK):
        return autograd.check_of(part, witness)
    found = read_input_witness(witness)
    if found.part != part.id:
        return None
    return check_id(found.part, found.side, found.implementation, found.dtype, found.device)


def _require_witness(check: str, part: Part, expected: Expected) -> None:
    """Raise ``UsageError`` unless the witness is one for this check."""
    text = expected.text()
    other = _check_of(part, text)
    if other != check:
        raise UsageError(f"the witness is one for {other or 'another statement'}; give that of this check")
    if text.startswith(INPUT_MARK) and read_input_witness(text).fingerprint != fingerprint(part):
        raise UsageError("the witness is for another statement than that of now; make a new one")

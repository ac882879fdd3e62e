"""A run on disk: JSON written in one piece, read back with every field checked, and several merged."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec

from verify.errors import ReportFormatError, UnavailableError, UsageError
from verify.record import FORMAT_VERSION, CheckRecord, ClaimRecord, NotRun, PartRecord, RunRecord
from verify.report.checks import File, data_of_checks, run_of
from verify.report.files import write_together
from verify.report.jsonable import pack, unpack

STANDING = ("unknown", "refuted", "opinion", "cited", "proved")
"""What a claim can turn out to be, least favourable first."""

_GIVE = "give a report.json that `run` wrote, or what `pytest --verify-json` or `check --json` wrote"

_Item = TypeVar("_Item")


def encode(run: RunRecord) -> bytes:
    """The run as UTF-8 JSON: the same run gives the same bytes."""
    return msgspec.json.format(msgspec.json.encode(pack(msgspec.to_builtins(run))), indent=1) + b"\n"


def decode(data: bytes, name: str) -> RunRecord:
    """The run that ``data`` holds, or one of the checks in it; ``name`` says in an error where it came from.

    Raises ReportFormatError when the bytes are not JSON, are neither a report nor checks, are of a format
    version that this release does not read, or have a field of the wrong kind (its path is named).
    """
    try:
        raw = unpack(msgspec.json.decode(data))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ReportFormatError(f"{name}: not JSON ({error}); {_GIVE}") from None
    except RecursionError:
        raise ReportFormatError(f"{name}: nested too deeply; {_GIVE}") from None
    checks = data_of_checks(raw)
    # What `Results.to_json` gives does not say its version.
    version = raw.get("format_version", FORMAT_VERSION if checks else None) if isinstance(raw, dict) else None
    if version is None:
        raise ReportFormatError(f"{name}: JSON without format_version; {_GIVE}")
    if version != FORMAT_VERSION:
        raise ReportFormatError(
            f"{name}: format_version {version!r}, but this release reads {FORMAT_VERSION}; "
            "read it with the release that wrote it, or run again"
        )
    try:
        if checks is not None:
            return run_of(msgspec.convert(checks, File))
        run = msgspec.convert(raw, RunRecord)
    except ValueError as error:
        raise ReportFormatError(f"{name}: {error}; {_GIVE}") from None
    _check_claims(run.claims, name)
    return run


def _check_claims(claims: Sequence[ClaimRecord], name: str) -> None:
    """Raise ReportFormatError for a status that is none, and for an id that two claims have."""
    seen: set[str] = set()
    for number, claim in enumerate(claims):
        if claim.id in seen:
            raise ReportFormatError(
                f"{name}: claim {claim.id!r} is listed twice, again at `$.claims[{number}]`; {_GIVE}"
            )
        seen.add(claim.id)
        if claim.status not in STANDING:
            raise ReportFormatError(
                f"{name}: status {claim.status!r} at `$.claims[{number}].status` is none of "
                f"{', '.join(STANDING)}; {_GIVE}"
            )


def save(run: RunRecord, path: Path) -> None:
    """Write the run as JSON to ``path``, whole or not at all."""
    write_together(path.parent, {path.name: encode(run)})


def load(path: Path) -> RunRecord:
    """Read the run at ``path``. Raises UnavailableError when it cannot be read, else see ``decode``."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UnavailableError(f"cannot read {path} ({error.strerror}); {_GIVE}") from None
    return decode(data, str(path))


def merge(runs: Sequence[RunRecord]) -> RunRecord:
    """One record of several runs, as of several machines.

    A claim judged in several runs must have been the same statement in each, and keeps its least
    favourable record. Something that was not run stays listed unless one of the runs did run it.
    Raises UsageError for no runs and ReportFormatError for claims whose statements differ.
    """
    if not runs:
        raise UsageError("no report to merge; give at least one report.json")
    if len(runs) == 1:
        return runs[0]
    return RunRecord(
        format_version=FORMAT_VERSION,
        created=max(run.created for run in runs),
        command=" ; ".join(_distinct(run.command for run in runs)),
        seed=next((run.seed for run in runs if run.seed is not None), None),
        provenance=_merged_provenance(runs),
        claims=_merged_claims(runs),
        evidence=tuple(_distinct(record for run in runs for record in run.evidence)),
        not_run=_merged_not_run(runs),
        figures=tuple({figure.id: figure for run in reversed(runs) for figure in run.figures}.values()),
        sweeps=tuple(_distinct(record for run in runs for record in run.sweeps)),
        atlas=tuple(_distinct(record for run in runs for record in run.atlas)),
        checks=_merged_checks(runs),
    )


def _distinct(items: Iterable[_Item]) -> list[_Item]:
    return list(dict.fromkeys(items))


def _merged_claims(runs: Sequence[RunRecord]) -> tuple[ClaimRecord, ...]:
    kept: dict[str, ClaimRecord] = {}
    for claim in (claim for run in runs for claim in run.claims):
        other = kept.setdefault(claim.id, claim)
        if _fingerprints(other) != _fingerprints(claim):
            raise ReportFormatError(
                f"claim {claim.id!r} is not the same statement in every report; "
                "merge only runs of the same release"
            )
        if STANDING.index(claim.status) < STANDING.index(other.status):
            kept[claim.id] = claim
    return tuple(kept.values())


def _fingerprints(claim: ClaimRecord) -> tuple[tuple[str, str, str], ...]:
    parts: list[PartRecord] = [*claim.parts, *claim.holds_when]
    if claim.literal is not None:
        parts.append(claim.literal)
    return tuple((part.id, part.statement, part.fingerprint) for part in parts)


def _merged_not_run(runs: Sequence[RunRecord]) -> tuple[NotRun, ...]:
    devices = {record.device.split(":")[0].lower() for run in runs for record in run.evidence}
    entries = _distinct(entry for run in runs for entry in run.not_run)
    return tuple(entry for entry in entries if not devices & set(entry.what.lower().split()))


def _merged_checks(runs: Sequence[RunRecord]) -> tuple[CheckRecord, ...]:
    """The checks of all; one that was not run stays unless it was run elsewhere."""
    checks = _distinct(check for run in runs for check in run.checks)
    ran = {_subject(check) for check in checks if check.outcome != "not run"}
    return tuple(check for check in checks if check.outcome != "not run" or _subject(check) not in ran)


def _subject(check: CheckRecord) -> tuple[str, ...]:
    return check.id, check.candidate, check.operation, check.property, check.dtype, check.device


def _merged_provenance(runs: Sequence[RunRecord]) -> tuple[tuple[str, str], ...]:
    pairs: list[tuple[str, str]] = []
    for number, run in enumerate(runs, start=1):
        for key, value in _facts(run):
            shared = all((key, value) in _facts(other) for other in runs)
            pairs.append((key if shared else f"{key} (run {number})", value))
    return tuple(_distinct(pairs))


def _facts(run: RunRecord) -> tuple[tuple[str, str], ...]:
    return run.provenance if run.seed is None else (*run.provenance, ("seed", str(run.seed)))

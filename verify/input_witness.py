"""Input witnesses: one input of one numeric check, as a line of text that brings it back exactly."""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from dataclasses import dataclass
from fractions import Fraction
from typing import Any
from urllib.parse import quote, unquote

from verify.errors import UsageError

INPUT_MARK = "lossinput1"
"""The first field of a witness: what it is, and the version of the format."""

_FIELDS = 9


@dataclass(frozen=True, slots=True)
class InputWitness:
    """An input of a statement at which an implementation of one side was wrong, in a dtype on a device.

    ``fingerprint`` is that of the statement; ``values`` are those of its variables that are drawn, as
    Fractions, labels counted from 1, and nested tuples.
    """

    part: str
    side: str
    implementation: str
    dtype: str
    device: str
    fingerprint: str
    values: tuple[Any, ...]

    def text(self) -> str:
        """The witness as one line without blanks, with a checksum at its end."""
        fields = self.part, self.side, self.implementation, self.dtype, self.device, self.fingerprint
        data = json.dumps([_plain(value) for value in self.values], separators=(",", ":")).encode()
        packed = base64.urlsafe_b64encode(zlib.compress(data, 9)).decode()
        body = ":".join([INPUT_MARK, *(quote(field, safe="") for field in fields), packed])
        return f"{body}:{zlib.crc32(body.encode()):08x}"


def read_input_witness(text: str) -> InputWitness:
    """The witness that a line holds. Raises ``UsageError`` for a line that is none or is not whole."""
    told = text.strip()
    shown = repr(told if len(told) <= 40 else f"{told[:40]}...")
    body, _, checksum = told.rpartition(":")
    fields = told.split(":")
    if len(fields) != _FIELDS or checksum != f"{zlib.crc32(body.encode()):08x}":
        raise UsageError(f"the witness {shown} is cut off or changed; give it as report.json has it")
    try:
        values = json.loads(zlib.decompress(base64.urlsafe_b64decode(fields[7])))
        part, side, name, dtype, device, statement = map(unquote, fields[1:7])
        return InputWitness(part, side, name, dtype, device, statement, tuple(map(_exact, values)))
    except (binascii.Error, zlib.error, ValueError, TypeError) as error:
        raise UsageError(f"the witness {shown} cannot be unpacked: {error}") from error


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value if isinstance(value, int) else str(value)


def _exact(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(map(_exact, value))
    return value if isinstance(value, int) else Fraction(value)

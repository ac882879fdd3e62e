"""The table of public suites in docs/audit.md: its rows are what the script writes."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from verify.corpus import REFERENCES

pytestmark = pytest.mark.torch

ROOT = Path(__file__).parent.parent
CHEAP = ("check_grads-fwd", "gradcheck-log_softmax")


@pytest.fixture(scope="module")
def script() -> Any:
    """benchmarks/audits.py as a module."""
    sys.path.insert(0, str(ROOT / "benchmarks"))
    try:
        return importlib.import_module("audits")
    finally:
        sys.path.remove(str(ROOT / "benchmarks"))


@pytest.fixture(scope="module")
def page() -> list[str]:
    """The lines of the page."""
    return (ROOT / "docs" / "audit.md").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("name", CHEAP)
def test_a_row_of_the_table_is_what_the_script_writes(script: Any, page: list[str], name: str) -> None:
    """Audited anew, word for word."""
    (row,) = (row for row in script.ROWS if row.id == name)
    assert script.line_of(row, script.audited(row)["cells"]) in page


def test_every_row_stands_in_the_table(script: Any, page: list[str]) -> None:
    """In the order of the script, with what it decides by and on which inputs."""
    rows = [line for line in page if line.startswith("| ") and line.count(" | ") == 7][1:]
    heads = [f"| {row.suite} | {row.decides} | {row.inputs} |" for row in script.ROWS]
    assert [line[: len(head)] for line, head in zip(rows, heads, strict=True)] == heads


def test_every_row_names_a_file_that_the_page_cites(script: Any, page: list[str]) -> None:
    """With the commit at which it was read."""
    text = " ".join(page)
    for row in script.ROWS:
        repository, _, files = row.source.partition(" ")
        assert repository in text
        assert all(name.strip("` ") in text for name in files.split(","))


@pytest.mark.parametrize("name", ["check_grads-rev", "gradcheck-cross_entropy", "cut-cross-entropy"])
def test_a_row_passes_the_reference(script: Any, name: str) -> None:
    """A row that rejects what is right would prove nothing by rejecting what is wrong."""
    (row,) = (row for row in script.ROWS if row.id == name)
    torch.manual_seed(0)
    row.test(REFERENCES[row.operation])

"""The files of a report: all written together, or none; and asked about before anything is computed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from verify.errors import UnavailableError
from verify.report.files import require_writable, write_together

resource = pytest.importorskip("resource")

OLD = {"a": b"old a", "b": b"old b"}


@contextmanager
def _files_of_at_most(size: int) -> Iterator[None]:
    """What a full disk does: a write that would make a file longer fails."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def _contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_files_are_written_together(tmp_path: Path) -> None:
    """A folder that is not there is made, and nothing but the files is left in it."""
    write_together(tmp_path / "new", OLD)
    assert _contents(tmp_path / "new") == OLD


def test_a_full_disk_leaves_the_old_set_whole(tmp_path: Path) -> None:
    """The second file does not fit: the first one is not replaced, and no temporary file stays."""
    write_together(tmp_path, OLD)
    with _files_of_at_most(1000), pytest.raises(UnavailableError):
        write_together(tmp_path, {"a": b"new", "b": b"x" * 5000})
    assert _contents(tmp_path) == OLD


def test_the_message_says_what_was_kept(tmp_path: Path) -> None:
    """Whoever reads it knows that the reports there are those of before."""
    write_together(tmp_path, OLD)
    with (
        _files_of_at_most(1000),
        pytest.raises(UnavailableError, match=r"cannot write .*b \(.*\); kept as before: a, b; choose"),
    ):
        write_together(tmp_path, {"a": b"new", "b": b"x" * 5000})


def test_the_message_says_that_there_was_nothing_to_keep(tmp_path: Path) -> None:
    """In a new folder no old report is promised."""
    with _files_of_at_most(1000), pytest.raises(UnavailableError, match="no report was there before"):
        write_together(tmp_path, {"a": b"x" * 5000})


def test_a_failure_between_two_names_says_which_is_which(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A set that is half new is never passed off as whole."""
    write_together(tmp_path, OLD)
    rename = os.replace

    def failing(source: str, target: Path) -> None:
        if target.name == "b":
            raise OSError(5, "Input/output error")
        rename(source, target)

    monkeypatch.setattr(os, "replace", failing)
    with pytest.raises(UnavailableError, match="replaced: a; kept as before: b"):
        write_together(tmp_path, {"a": b"new", "b": b"new"})


def test_a_folder_in_the_way_of_one_file_stops_all(tmp_path: Path) -> None:
    """It is noticed before any other file is replaced."""
    write_together(tmp_path, {"a": b"old a"})
    (tmp_path / "b").mkdir()
    with pytest.raises(UnavailableError, match="a folder of this name is in the way"):
        write_together(tmp_path, {"a": b"new", "b": b"new"})
    assert (tmp_path / "a").read_bytes() == b"old a"


def test_asking_leaves_no_trace(tmp_path: Path) -> None:
    """A run that is interrupted later has made no folder."""
    require_writable(tmp_path / "new", ["a"])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("place", ["taken", "taken/below", "x" * 300, "folder"])
def test_a_folder_that_cannot_be_written_is_known_beforehand(place: str, tmp_path: Path) -> None:
    """A file in its place or above it, a name too long, a folder where a file is to be."""
    (tmp_path / "taken").write_bytes(b"")
    (tmp_path / "folder" / "a").mkdir(parents=True)
    with pytest.raises(UnavailableError, match="nothing was computed; choose a place"):
        require_writable(tmp_path / place, ["a"])

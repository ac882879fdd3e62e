"""Claims of the user's own: loaded from files and folders, proved like those of the catalogue, or refused."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from verify.claim_files import claims_at
from verify.cli import main
from verify.errors import UsageError

HEAD = """
from verify import Claim, Part, Step
from verify.domain import distribution, index, positive, real

def part(name, left, relation, right, given=(positive("a"),), **fields):
    return Part(name, "In words.", given, left, relation, right, **fields)
"""
TRUE = 'part("mine", lambda c, a: c.log(a), "<=", lambda c, a: a - 1)'
FROM_0 = 'part("mine", lambda c, a, b: b[0], "<=", lambda c, a, b: a, (real("a"), real("b", "n")))'
FALSE = 'part("wrong", lambda c, a: c.log(a), "=", lambda c, a: a - 1)'
HARD = 'part("hard", lambda c, a: c.log(2) + a / 2, "<=", lambda c, a: c.log(1 + c.exp(a)))'


def _claim(name: str, part: str) -> str:
    return f'Claim("{name}", "Mine", "In words.", parts=({part},))'


ONE = f"{HEAD}\nclaim = {_claim('mine', TRUE)}\n"

Writer = Callable[..., str]


@pytest.fixture
def write(tmp_path: Path) -> Writer:
    """Writes a file into the folder of the test and gives its path."""

    def write(text: str, name: str = "mine.py") -> str:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
        return str(tmp_path / name)

    return write


def _complaint(path: str) -> str:
    with pytest.raises(UsageError) as raised:
        claims_at([path])
    return str(raised.value)


def test_a_claim_of_a_file_is_proved(write: Writer, capsys: pytest.CaptureFixture[str]) -> None:
    """By its path; the steps that were found are shown, to be pasted."""
    assert main(["prove", write(ONE)]) == 0
    out = capsys.readouterr().out
    assert out.startswith("mine  proved\n")
    assert (
        'Step(lambda c, a: a - 1, (), "Found by the prover.", "<=", lambda c, a: c.gap("log_le", a)),' in out
    )
    assert out.endswith("1 of 1 claim established\n")


def test_a_false_claim_exits_with_1(write: Writer, capsys: pytest.CaptureFixture[str]) -> None:
    """It is headed as refuted, with the point at which it is false, and counted as such."""
    assert main(["prove", write(f"{HEAD}\nclaim = {_claim('wrong', FALSE)}")]) == 1
    head, point, end = capsys.readouterr().out.splitlines()
    assert " ".join(head.split()) == "wrong refuted"
    assert point.strip().startswith("wrong: refuted at a = ")
    assert end == "0 of 1 claim established, 1 refuted"


def test_the_time_limit_is_kept_and_told(write: Writer, capsys: pytest.CaptureFixture[str]) -> None:
    """What is not found in that time is not established, and the line says what was tried."""
    assert main(["prove", write(f"{HEAD}\nclaim = {_claim('hard', HARD)}"), "--time-limit", "0.2"]) == 1
    out = capsys.readouterr().out
    assert out.startswith("hard  not established\n")
    assert "hard: no derivation is given, and none was found: " in out


def test_no_time_is_no_search(write: Writer, capsys: pytest.CaptureFixture[str]) -> None:
    """Only what is given is judged."""
    assert main(["prove", write(ONE), "--time-limit", "0"]) == 1
    assert "no derivation is given, and none was looked for" in capsys.readouterr().out


@pytest.mark.parametrize("limit", ["-1", "nan", "soon", "inf"])
def test_a_time_limit_that_is_no_time_is_one_line(limit: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The value and what to give."""
    assert main(["prove", "kl-one-hot", "--time-limit", limit]) == 2
    assert f"{limit!r} is no time" in capsys.readouterr().err


def test_ids_and_paths_can_be_mixed(write: Writer, capsys: pytest.CaptureFixture[str]) -> None:
    """A claim of the catalogue beside one's own, as JSON too."""
    assert main(["prove", "log-probability-additive", write(ONE), "--json"]) == 0
    claims = json.loads(capsys.readouterr().out)["claims"]
    assert [claim["id"] for claim in claims] == ["log-probability-additive", "mine"]
    assert [bool(part["found"]) for claim in claims for part in claim["parts"]][-1]


TWO = f"{HEAD}\nCLAIMS = ({_claim('mine', TRUE)}, {_claim('wrong', FALSE)})"
AMENDED = f"""{HEAD}
from verify import Witness
wrong = Claim("wrong", "Mine", "In words.", literal={FALSE}, witness=Witness((), (("a", 2),)),
    corrected={_claim("mine", TRUE)})
"""


@pytest.mark.parametrize("command", ["prove", "explain"])
def test_a_claim_of_a_file_is_named_by_its_id(
    command: str, write: Writer, capsys: pytest.CaptureFixture[str]
) -> None:
    """The others of the file are left out."""
    assert main([command, write(TWO), "mine"]) == 0
    out = capsys.readouterr().out
    assert "mine" in out
    assert "wrong" not in out


@pytest.mark.parametrize("command", ["prove", "explain"])
def test_the_corrected_form_of_a_claim_of_a_file_has_an_id(
    command: str, write: Writer, capsys: pytest.CaptureFixture[str]
) -> None:
    """As in the catalogue: it is judged alone."""
    assert main([command, write(AMENDED), "mine"]) == 0
    assert "refuted" not in capsys.readouterr().out


def test_an_id_of_a_file_beside_one_of_the_catalogue(
    write: Writer, capsys: pytest.CaptureFixture[str]
) -> None:
    """Both are judged, and no other."""
    assert main(["prove", write(TWO), "mine", "log-probability-additive", "--json"]) == 0
    claims = json.loads(capsys.readouterr().out)["claims"]
    assert [claim["id"] for claim in claims] == ["mine", "log-probability-additive"]


def test_an_id_that_is_nowhere_gets_the_nearest_of_the_file(
    write: Writer, capsys: pytest.CaptureFixture[str]
) -> None:
    """A slip is told in one line."""
    assert main(["prove", write(TWO), "wrang"]) == 2
    assert capsys.readouterr().err.startswith("lossproof: unknown claim 'wrang'; did you mean wrong")


def test_the_one_claim_of_a_file_is_explained(write: Writer, capsys: pytest.CaptureFixture[str]) -> None:
    """Without its id, with the steps that were found."""
    assert main(["explain", write(ONE)]) == 0
    out = capsys.readouterr().out
    assert out.startswith("mine")
    assert "Found by the prover." in out


def test_of_several_claims_one_is_to_be_named(write: Writer, capsys: pytest.CaptureFixture[str]) -> None:
    """The ids to choose from are listed."""
    assert main(["explain", write(TWO)]) == 2
    told = "lossproof: one claim is explained at a time; name one of mine, wrong\n"
    assert capsys.readouterr().err == told


def test_a_file_without_claims_leaves_nothing_to_explain(write: Writer) -> None:
    """As when it is to be proved."""
    assert main(["explain", write("CLAIMS = ()")]) == 3


def test_a_folder_has_the_claims_of_its_files(write: Writer, tmp_path: Path) -> None:
    """In the order of their names; files that begin with _ and those in folders below are not looked at."""
    write(ONE.replace('"mine"', '"b"'), "b.py")
    write(ONE.replace('"mine"', '"a"'), "a.py")
    write("1 / 0", "_draft.py")
    write("1 / 0", "below/c.py")
    assert list(claims_at([str(tmp_path)])) == ["a", "b"]


def test_files_may_import_one_another(write: Writer, tmp_path: Path) -> None:
    """A claim that two files name is one claim."""
    write(ONE, "later.py")
    write(f"{HEAD}\nfrom later import claim\nown = {_claim('own', TRUE)}", "first.py")
    assert list(claims_at([str(tmp_path)])) == ["mine", "own"]


def test_nothing_is_left_behind(write: Writer, tmp_path: Path) -> None:
    """Neither the folder, nor a module, nor a file of bytecode; and what the file prints is no result."""
    write("value = 1", "beside.py")
    path = write(f"import beside\nprint('loaded')\n{ONE}")
    before = list(sys.path), set(sys.modules), sorted(tmp_path.rglob("*"))
    claims_at([path])
    assert (list(sys.path), set(sys.modules), sorted(tmp_path.rglob("*"))) == before


def test_a_package_beside_is_left_behind_neither(write: Writer, tmp_path: Path) -> None:
    """With all of its modules."""
    write("", "beside_package/__init__.py")
    write("value = 1", "beside_package/inner.py")
    before = set(sys.modules)
    claims_at([write(f"from beside_package.inner import value\n{ONE}")])
    assert set(sys.modules) == before


def test_what_is_installed_below_the_folder_stays(
    write: Writer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where a virtual environment lies in the folder: no library is loaded twice."""
    write("value = 1", "environment/installed_below.py")
    monkeypatch.syspath_prepend(str(tmp_path / "environment"))
    claims_at([write(f"import installed_below\n{ONE}")])
    assert sys.modules.pop("installed_below").value == 1


def test_what_a_file_prints_is_no_result(write: Writer, capsys: pytest.CaptureFixture[str]) -> None:
    """It goes to standard error, so that JSON stays JSON."""
    main(["prove", write(f"print('loaded')\n{ONE}"), "--json"])
    out, err = capsys.readouterr()
    assert (json.loads(out)["claims"][0]["id"], err) == ("mine", "loaded\n")


def test_a_file_named_like_a_module_does_not_replace_it(write: Writer) -> None:
    """A file random.py is loaded, and the module random stays what it is."""
    before = dict(sys.modules)
    assert list(claims_at([write(ONE, "json.py")])) == ["mine"]
    assert dict(sys.modules) == before


def test_the_file_is_read_anew(write: Writer) -> None:
    """An edited file has its new claims, in the same process."""
    assert list(claims_at([write(ONE)])) == ["mine"]
    assert list(claims_at([write(ONE.replace('"mine"', '"other"'))])) == ["other"]


def test_a_tuple_of_claims_is_all_that_a_file_has(write: Writer) -> None:
    """What is not in CLAIMS is an aid."""
    text = f"{HEAD}\naid = {_claim('aid', TRUE)}\nCLAIMS = ({_claim('mine', TRUE)},)"
    assert list(claims_at([write(text)])) == ["mine"]


@pytest.mark.slow
def test_many_claims_are_judged_in_processes_of_their_own(
    write: Writer, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which load the file themselves."""
    monkeypatch.setattr("verify.commands._MANY", 2)
    monkeypatch.setattr("verify.commands.default_processes", lambda: 2)
    text = f"{HEAD}\nCLAIMS = ({_claim('one', TRUE)}, {_claim('two', TRUE)})"
    assert main(["prove", write(text)]) == 0
    assert capsys.readouterr().out.endswith("2 of 2 claims established\n")


@pytest.mark.parametrize("text", ["", HEAD, "CLAIMS = ()"])
def test_a_file_without_claims_exits_with_3(
    text: str, write: Writer, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing was checked, and what to do about it."""
    path = write(text)
    assert main(["prove", path]) == 3
    assert capsys.readouterr().err == (
        f"lossproof: no claim in {path}, so nothing was checked; put claims into a tuple CLAIMS\n"
    )


@pytest.mark.parametrize("path", ["no/such/file.py", "no/such/folder/", "missing.py"])
def test_a_path_that_is_not_there_is_one_line(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The path and what to give."""
    assert main(["prove", path]) == 2
    assert f"{path!r} is not there; give the path of a Python file" in capsys.readouterr().err


# name -> (the file, what is complained of)
BAD: dict[str, tuple[str, str]] = {
    "raises": ("x = 1\n1 / 0\n", "line 2, raises ZeroDivisionError: division by zero; claims are loaded by"),
    "exits": ("import sys\nsys.exit(4)\n", "line 2, raises SystemExit: 4"),
    "is no Python": ("x = (\n", "raises SyntaxError: '(' was never closed"),
    "imports what is not there": (
        "import no_such_module_here\n",
        "raises ModuleNotFoundError: No module named",
    ),
    "has one claim twice": (
        f"{HEAD}\none = {_claim('mine', TRUE)}\ntwo = {_claim('mine', TRUE)}",
        "the id 'mine' is that of a claim in ",
    ),
    "has an id of the catalogue": (
        f"{HEAD}\none = {_claim('kl-one-hot', TRUE)}",
        "the id 'kl-one-hot' is that of a claim in the catalogue; an id is given once, so choose another",
    ),
    "has an id of a corrected claim": (
        f"{HEAD}\none = {_claim('bits-per-word-geometric', TRUE)}",
        "is that of a claim in the catalogue",
    ),
    "has no tuple": (
        f"{HEAD}\nCLAIMS = {_claim('mine', TRUE)}",
        "CLAIMS is a Claim; make it a tuple of claims",
    ),
    "has something else": (f"{HEAD}\nCLAIMS = ({TRUE},)", "it may hold values of verify.Claim alone"),
    "has a claim of nothing": (
        f'{HEAD}\none = Claim("a", "", "")',
        "claim a has nothing to prove; give it parts=",
    ),
    "has a part for parts": (
        f'{HEAD}\none = Claim("a", "", "", parts={TRUE})',
        "give a tuple, as in (Part(...),)",
    ),
    "has another relation": (
        f"{HEAD}\none = {_claim('a', TRUE.replace('<=', '>='))}",
        "claim a, part mine: the relation is '>='; it can be",
    ),
    "has a formula with too few arguments": (
        f"{HEAD}\none = {_claim('a', TRUE.replace('lambda c, a: a - 1', 'lambda c: 1'))}",
        "claim a, part mine: the right side raises TypeError: <lambda>() takes 1 positional argument but 2",
    ),
    "has a formula that raises": (
        f"{HEAD}\none = {_claim('a', TRUE.replace('c.log(a)', 'c.sqrt(a)'))}",
        "the left side raises AttributeError: 'TermContext' object has no attribute 'sqrt'; a formula",
    ),
    "has a decimal": (
        f"{HEAD}\none = {_claim('a', TRUE.replace('a - 1', '0.5 * a'))}",
        "claim a, part mine: the right side: 0.5 in a formula is not exact; use whole numbers",
    ),
    "has an index that counts from 0": (
        f"{HEAD}\none = {_claim('a', FROM_0)}",
        "claim a, part mine: the left side: 0 is not an index; indices start at 1",
    ),
    "has a variable twice": (
        f"{HEAD}\none = {_claim('a', TRUE.replace('a - 1)', 'a - 1, (real(chr(97)), real(chr(97))))'))}",
        "what is given: a variable is declared twice",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_file_that_is_wrong_is_one_line(
    name: str, write: Writer, capsys: pytest.CaptureFixture[str]
) -> None:
    """With its path, what is wrong and what to do, and exit code 2."""
    text, complaint = BAD[name]
    path = write(text)
    assert main(["prove", path]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith(f"lossproof: {path}")
    assert complaint in err


def test_an_id_in_two_files_names_both(write: Writer, tmp_path: Path) -> None:
    """Each file may be right by itself."""
    first, second = write(ONE, "a.py"), write(ONE, "b.py")
    complaint = _complaint(str(tmp_path))
    assert complaint.startswith(f"{second}: the id 'mine' is that of a claim in {first}")


def test_a_formula_that_only_the_refuter_cannot_run_names_its_claim(
    write: Writer, capsys: pytest.CaptureFixture[str]
) -> None:
    """A gap is no number of a statement: the kernel knows it, balls do not."""
    text = TRUE.replace("a - 1", 'c.gap("log_le", a)')
    assert main(["prove", write(f"{HEAD}\none = {_claim('a', text)}")]) == 2
    assert "claim a raises AttributeError: " in capsys.readouterr().err


def test_a_folder_without_files_is_refused(tmp_path: Path) -> None:
    """It says which files are looked at."""
    assert "has no Python file; files *.py are looked at" in _complaint(str(tmp_path))


def test_another_file_is_refused(write: Writer) -> None:
    """A text is not run as Python."""
    assert "is not a Python file" in _complaint(write("claims", "claims.txt"))


def test_a_name_that_is_an_id_is_not_a_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A folder of that name beside is not taken for it."""
    (tmp_path / "log-probability-additive").mkdir()
    monkeypatch.chdir(tmp_path)
    assert main(["prove", "log-probability-additive"]) == 0
    assert capsys.readouterr().out.startswith("log-probability-additive  proved")


def test_files_of_two_folders(write: Writer, tmp_path: Path) -> None:
    """Two files of one name are two files."""
    paths = [write(ONE.replace('"mine"', f'"{k}"'), f"{k}{os.sep}mine.py") for k in "ab"]
    assert list(claims_at(paths)) == ["a", "b"]

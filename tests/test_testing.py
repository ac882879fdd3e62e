"""The pytest items: ids, collection errors, expected failures, absent devices, and the files of a session."""

from __future__ import annotations

import ast
import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import torch

import _verify_pytest
import verify
import verify.ledger
import verify.testing
from verify.errors import UsageError
from verify.expected import Expected, release

pytest_plugins = ["pytester"]
pytestmark = pytest.mark.torch

SOURCE = """
import torch
from pathlib import Path
from verify.testing import Expected, parametrize_with_checks

def unshifted(x, dim):
    return x - torch.log(torch.exp(x).sum(dim, keepdim=True))

@parametrize_with_checks({arguments})
def test_losses(check):
    check()
"""
RIGHT = '[(torch.softmax, "softmax")], examples=2'
WRONG = '[(unshifted, "log_softmax")], examples=20, grad=False'
ID = "unshifted-log_softmax-value-float32-cpu"


def unshifted(x: Any, dim: int) -> Any:
    """Overflows."""
    return x - torch.log(torch.exp(x).sum(dim, keepdim=True))


@pytest.fixture(scope="module", autouse=True)
def witness() -> str:
    """A call that refutes the wrong function of the tests.

    Found first of all, because pytest run in this process forgets each module that it loads.
    """
    found = verify.check(unshifted, "log_softmax", examples=20, grad=False)[0].witness
    assert found is not None
    return found


@pytest.fixture
def pytester(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A folder in which pytest is run on files that a test writes."""
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    return pytester


def _run(pytester: pytest.Pytester, arguments: str, *flags: str) -> pytest.RunResult:
    pytester.makepyfile(test_it=SOURCE.format(arguments=arguments))
    return pytester.runpytest_inprocess("-p", "no:cacheprovider", *flags)


def _text(result: pytest.RunResult) -> str:
    return "\n".join(result.outlines + result.errlines)


def test_there_is_an_item_for_each_property_dtype_and_device(pytester: pytest.Pytester) -> None:
    """With plain ids, in the order of the arguments."""
    result = _run(
        pytester, '[(torch.softmax, "softmax")], dtypes=("float32", "bfloat16")', "--collect-only", "-q"
    )
    everywhere = [
        f"{aspect}-of-every-input-{form}" for form in ("first", "second") for aspect in ("value", "gradient")
    ]
    assert [line.partition("[")[2] for line in result.outlines if "[" in line] == [
        f"softmax-softmax-{aspect}-{dtype}-cpu]"
        for dtype, further in (("float32", []), ("bfloat16", everywhere))
        for aspect in ("value", "gradient", "side-effects", *further)
    ]


def test_a_word_selects_items(pytester: pytest.Pytester) -> None:
    """As -k does for any other id."""
    _run(pytester, RIGHT, "-k", "softmax-gradient").assert_outcomes(passed=1, deselected=2)


def test_what_is_right_passes(pytester: pytest.Pytester) -> None:
    """Every item, and the summary counts them."""
    result = _run(pytester, RIGHT)
    result.assert_outcomes(passed=3)
    assert "checks: 3 held" in result.outlines


def test_what_is_wrong_fails_with_the_finding(pytester: pytest.Pytester) -> None:
    """The failure begins with its seven lines, without frames of this package."""
    result = _run(pytester, WRONG)
    result.assert_outcomes(passed=1, failed=1)
    at = next(k for k, line in enumerate(result.outlines) if line.startswith("____"))
    heads = [line.partition(":")[0] for line in result.outlines[at + 1 : at + 8]]
    assert heads == ["refuted", "got", "exact", "error", "input", "options", "reason"]


def test_a_candidate_that_is_never_judged_fails(pytester: pytest.Pytester) -> None:
    """Nothing checked is not a pass."""
    result = _run(pytester, '[(lambda: 0, "softmax")], examples=2, grad=False')
    result.assert_outcomes(failed=2)
    assert "unknown" in _text(result)


def test_a_test_that_does_not_make_its_check_fails(pytester: pytest.Pytester) -> None:
    """The parentheses are forgotten."""
    pytester.makepyfile(test_it=SOURCE.format(arguments=RIGHT).replace("check()", "check"))
    result = pytester.runpytest_inprocess("-p", "no:cacheprovider", "-k", "value")
    result.assert_outcomes(failed=1, deselected=2)
    assert "the test passes without making its check; call it, as in check()" in result.outlines


def test_a_check_that_a_fixture_makes_counts(pytester: pytest.Pytester) -> None:
    """The body of the test is free then."""
    pytester.makeconftest("import pytest\n@pytest.fixture\ndef made(check): check()")
    source = SOURCE.format(arguments=RIGHT).replace("(check):\n    check()", "(check, made): pass")
    pytester.makepyfile(test_it=source)
    pytester.runpytest_inprocess("-p", "no:cacheprovider", "-k", "value").assert_outcomes(
        passed=1, deselected=2
    )


MISTAKES = {
    "nothing selected": ("[]", "nothing is selected; give at least one candidate"),
    "no dtype": ('[(torch.softmax, "softmax")], dtypes=()', "dtypes is (); name at least one"),
    "operation": ('[(torch.softmax, "sofmax")]', "unknown operation 'sofmax'; did you mean softmax"),
    "dtype": ('[(torch.softmax, "softmax")], dtypes=("float33",)', "unknown dtype 'float33'"),
    "device": ('[(torch.softmax, "softmax")], devices=("gpu",)', "unknown device 'gpu'"),
    "option": ('[(torch.softmax, "softmax")], options={"dims": 1}', "unknown option of softmax 'dims'"),
    "level": ('[(torch.softmax, "softmax")], level="exact"', "unknown level 'exact'"),
    "examples": ('[(torch.softmax, "softmax")], examples=0', "examples is 0; give a whole number from 1"),
    "candidate": ('[(3, "softmax")]', "the candidate is an int"),
    "no pair": ("[torch.softmax]", "is no pair; give"),
    "no list": ("unshifted", "subjects is a function; give a list of pairs"),
    "list of expected": (f"{WRONG}, expected=['{ID}']", "expected is a list; give a mapping from id"),
    "two of one name": (
        '[(torch.softmax, "softmax"), (torch.softmax, "softmax")]',
        "two checks have the id softmax-softmax-value-float32-cpu",
    ),
    "key of expected": (
        f'{RIGHT}, expected={{"softmax-softmax-values-float32-cpu": Expected("r", witness="w")}}',
        "unknown id in expected 'softmax-softmax-values-float32-cpu'; did you mean softmax-softmax-value",
    ),
    "value of expected": (f'{WRONG}, expected={{"{ID}": "known"}}', "is 'known'; give an Expected"),
    "no witness": (
        f'{WRONG}, expected={{"{ID}": Expected("known")}}',
        "has no witness; run the check without",
    ),
    "no witness text": (f'{WRONG}, expected={{"{ID}": Expected("known", "x")}}', "'x' is no witness"),
    "no witness file": (
        f'{WRONG}, expected={{"{ID}": Expected("known", Path("gone.txt"))}}',
        "the witness cannot be read from gone.txt",
    ),
    "expiry": (
        f'{WRONG}, expected={{"{ID}": Expected("known", "x", expires="soon")}}',
        "expires is 'soon'; give",
    ),
}


@pytest.mark.parametrize("kind", MISTAKES)
def test_a_mistake_is_an_error_of_the_collection(kind: str, pytester: pytest.Pytester) -> None:
    """In one sentence, and at the line of the user's file."""
    arguments, told = MISTAKES[kind]
    result = _run(pytester, arguments)
    assert result.parseoutcomes() == {"errors": 1} or result.parseoutcomes() == {"error": 1}
    assert told in _text(result)


def test_a_collection_error_shows_no_frame_of_this_package(pytester: pytest.Pytester) -> None:
    """The reader has to look at their own line alone."""
    frames = [line for line in _run(pytester, "[]").outlines if ".py:" in line]
    assert all(line.startswith(("test_it.py:", "ERROR test_it.py")) for line in frames)


def _expected(witness: str, more: str = "", candidate: str = "unshifted") -> str:
    known = (
        f'expected={{"{candidate}-log_softmax-value-float32-cpu": Expected("overflows", "{witness}"{more})}}'
    )
    return f'[({candidate}, "log_softmax")], examples=2, grad=False, {known}'


def test_a_known_failure_is_expected(pytester: pytest.Pytester, witness: str) -> None:
    """Its witness is judged again, and the reason is shown."""
    result = _run(pytester, _expected(witness), "-rx")
    result.assert_outcomes(passed=1, xfailed=1)
    result.stdout.fnmatch_lines(["checks: 1 held, 1 refuted as expected", f"XFAIL *{ID}* - overflows"])


def test_of_a_known_failure_only_the_witness_is_judged(pytester: pytest.Pytester, witness: str) -> None:
    """So that a random finding of another kind does not stand for it."""
    pytester.makepyfile(test_it=SOURCE.format(arguments=_expected(witness)))
    pytester.makeconftest(
        "import verify.search\n"
        "def never(self):\n    assert self.aspect != 'value'\n    return None\n"
        "verify.search.Search._explore, before = never, verify.search.Search._explore\n"
        "def pytest_unconfigure():\n    verify.search.Search._explore = before\n"
    )
    pytester.runpytest_inprocess("-k", "value").assert_outcomes(xfailed=1, deselected=1)


def _repaired(witness: str, more: str = "") -> str:
    named = '(torch.log_softmax, "log_softmax", "unshifted")'
    return _expected(witness, more).replace('(unshifted, "log_softmax")', named)


def test_an_unexpected_pass_fails(pytester: pytest.Pytester, witness: str) -> None:
    """Who repairs a function removes the expectation."""
    result = _run(pytester, _repaired(witness))
    result.assert_outcomes(passed=1, failed=1)
    assert "remove the Expected('overflows', ...)" in _text(result)


def test_an_unexpected_pass_may_warn_instead(pytester: pytest.Pytester, witness: str) -> None:
    """With strict=False."""
    result = _run(pytester, _repaired(witness, ", strict=False"), "-Wdefault")
    result.assert_outcomes(passed=2, warnings=1)
    assert "UnexpectedPassWarning: unexpected pass" in _text(result)


@pytest.mark.parametrize("limit", ["2020-01-01", "torch>=1.0"])
def test_an_expectation_that_is_over_fails(limit: str, pytester: pytest.Pytester, witness: str) -> None:
    """Even while the function is still wrong."""
    result = _run(pytester, _expected(witness, f', expires="{limit}"'))
    result.assert_outcomes(passed=1, failed=1)
    assert f"the expectation 'overflows' expired ({limit}, torch is" in _text(result)


def test_run_xfail_shows_an_expected_failure(pytester: pytest.Pytester, witness: str) -> None:
    """As pytest's own option says."""
    _run(pytester, _expected(witness), "--runxfail").assert_outcomes(passed=1, failed=1)


def test_the_witness_of_another_check_is_a_collection_error(pytester: pytest.Pytester, witness: str) -> None:
    """It would excuse what it does not show."""
    wrong = _expected(witness).replace("value-float32", "side-effects-float32")
    result = _run(pytester, wrong)
    assert "is one for log_softmax value float32 cpu" in _text(result)


def test_a_witness_may_stand_in_a_file(pytester: pytest.Pytester, witness: str) -> None:
    """Which is better for a long one."""
    pytester.path.joinpath("known.txt").write_text(witness + "\n")
    arguments = _expected(witness).replace(f'"{witness}"', 'Path("known.txt")')
    _run(pytester, arguments).assert_outcomes(passed=1, xfailed=1)


ABSENT = f'{RIGHT}, devices=("cpu", "cuda")'
NO_CUDA = pytest.mark.skipif(torch.cuda.is_available(), reason="not run: a CUDA device is present")


@NO_CUDA
def test_an_absent_device_is_not_run_and_counted(pytester: pytest.Pytester) -> None:
    """With a reason that says what to do."""
    result = _run(pytester, ABSENT, "-rs")
    result.assert_outcomes(passed=3, skipped=3)
    result.stdout.fnmatch_lines(["checks: 3 held, 3 not run", "not run: 3: device 'cuda' is not present; *"])


@NO_CUDA
def test_a_required_device_that_is_absent_fails(pytester: pytest.Pytester) -> None:
    """Instead of being skipped in green."""
    _run(pytester, ABSENT, "--verify-require-device=cuda").assert_outcomes(passed=3, failed=3)


def test_a_required_device_on_which_nothing_ran_fails(pytester: pytest.Pytester) -> None:
    """Whether it is absent or the tests do not ask for it."""
    result = _run(pytester, RIGHT, "--verify-require-device=cuda")
    result.assert_outcomes(passed=3)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert "no check ran on cuda, which is required" in result.outlines


BAD_OPTIONS = {
    "--verify-require-device=gpu": "unknown device 'gpu'",
    "--verify-examples=0": "--verify-examples is 0; give 1 or more",
    "--verify-seed=-1": "--verify-seed is -1; give 0 or more",
    "--verify-json=test_it.py/x.json": "--verify-json: cannot write",
    "--verify-json=no/x.json": "cannot write no/x.json: the folder no does not exist; make it first",
    "--verify-write-tests=no/x.py": "cannot write no/x.py: the folder no does not exist; make it first",
}


@pytest.mark.parametrize("flag", BAD_OPTIONS)
def test_an_option_that_makes_no_sense_is_refused(flag: str, pytester: pytest.Pytester) -> None:
    """Before anything is run."""
    result = _run(pytester, RIGHT, flag)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert BAD_OPTIONS[flag] in _text(result)


def test_a_time_that_is_none_is_refused_before_anything_is_run(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file would say when it was written."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "yesterday")
    result = _run(pytester, RIGHT, "--verify-json=told.json")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "SOURCE_DATE_EPOCH='yesterday' is not a time" in _text(result)


def test_options_replace_examples_and_seed(pytester: pytest.Pytester) -> None:
    """For a longer run at night."""
    _run(pytester, RIGHT, "--verify-examples=7", "--verify-json=told.json")
    told = json.loads(pytester.path.joinpath("told.json").read_text())
    assert max(check["verdict"]["inputs"] for check in told["checks"]) > 2


def test_json_says_what_every_check_came_to(pytester: pytest.Pytester, witness: str) -> None:
    """By the id of its item, with its verdict."""
    _run(pytester, _expected(witness), "--verify-json=told.json")
    told = json.loads(pytester.path.joinpath("told.json").read_text())
    assert (told["status"], told["format_version"]) == ("refuted", 1)
    assert [(check["id"], check["outcome"]) for check in told["checks"]] == [
        ("test_it.py::test_losses[unshifted-log_softmax-side-effects-float32-cpu]", "held"),
        (f"test_it.py::test_losses[{ID}]", "expected"),
    ]


def _written(pytester: pytest.Pytester) -> Path:
    result = _run(pytester, WRONG, "--verify-write-tests=found.py")
    assert "written: found.py, 1 test" in result.outlines
    return pytester.path / "found.py"


def test_findings_become_tests_that_fail(pytester: pytest.Pytester) -> None:
    """The test stands by itself and shows the number."""
    path = _written(pytester)
    pytester.runpytest_inprocess(path).assert_outcomes(failed=1)


def test_a_written_test_passes_once_the_function_is_repaired(pytester: pytest.Pytester) -> None:
    """It holds the function to the bound and to nothing narrower."""
    path = _written(pytester)
    source = path.read_text().replace(
        "x - torch.log(torch.exp(x).sum(dim, keepdim=True))", "x.log_softmax(dim)"
    )
    path.write_text(source)
    pytester.runpytest_inprocess(path).assert_outcomes(passed=1)


FAILING = {
    "raises": ("raise ValueError('three rows at least')", "return torch.sigmoid(z)"),
    "shape": ("return torch.sigmoid(z).sum()", "return torch.sigmoid(z)"),
    "dtype": ("return torch.sigmoid(z).double()", "return torch.sigmoid(z)"),
    "no tensor": ("return 1.0", "return torch.sigmoid(z)"),
}


@pytest.mark.parametrize("kind", FAILING)
def test_a_finding_without_a_number_becomes_a_test_too(kind: str, pytester: pytest.Pytester) -> None:
    """It fails as the function does, and passes once that is repaired."""
    wrong, right = FAILING[kind]
    pytester.makepyfile(
        test_it="import torch\nfrom verify.testing import parametrize_with_checks\n"
        f"def loss(z):\n    {wrong}\n"
        "@parametrize_with_checks([(loss, 'sigmoid')], examples=2, grad=False)\n"
        "def test_it(check):\n    check()\n"
    )
    pytester.runpytest_inprocess("--verify-write-tests=found.py", "-k", "value")
    path = pytester.path / "found.py"
    pytester.runpytest_inprocess(path).assert_outcomes(failed=1)
    path.write_text(path.read_text().replace(wrong, right))
    pytester.runpytest_inprocess(path).assert_outcomes(passed=1)


def test_a_written_test_needs_torch_and_pytest_alone(pytester: pytest.Pytester) -> None:
    """And the standard library."""
    tree = ast.parse(_written(pytester).read_text())
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    assert names | {str(node.module) for node in nodes if isinstance(node, ast.ImportFrom)} == {
        "math",
        "fractions",
        "pytest",
        "torch",
    }


def test_the_fixture_checks_all_properties(pytester: pytest.Pytester) -> None:
    """In one item."""
    pytester.makepyfile(
        "import torch\n"
        "def test_right(verify_check):\n"
        "    assert len(verify_check(torch.sigmoid, 'sigmoid', examples=2)) == 3\n"
        "def test_wrong(verify_check):\n    verify_check(torch.tanh, 'sigmoid', examples=2)\n"
    )
    pytester.runpytest_inprocess().assert_outcomes(passed=1, failed=1)


@NO_CUDA
def test_workers_tell_their_controller(pytester: pytest.Pytester) -> None:
    """With xdist the controller counts, and writes the files."""
    pytester.makepyfile(test_it=SOURCE.format(arguments=f'{WRONG}, devices=("cpu", "cuda")'))
    result = pytester.runpytest_subprocess("-n1", "--verify-write-tests=found.py")
    result.assert_outcomes(passed=1, failed=1, skipped=2)
    assert "checks: 1 held, 1 refuted, 2 not run" in result.outlines
    assert pytester.path.joinpath("found.py").read_text().count("def test_") == 1


def test_checks_need_no_plugin(pytester: pytest.Pytester) -> None:
    """Where it is switched off, they are plain parametrised tests."""
    pytester.makepyfile(test_it=SOURCE.format(arguments=WRONG))
    result = pytester.runpytest_subprocess("-p", "no:lossproof")
    result.assert_outcomes(passed=1, failed=1)
    assert not any(line.startswith("checks:") for line in result.outlines)


def test_a_session_without_checks_loads_nothing(pytester: pytest.Pytester) -> None:
    """The plugin costs nothing to those who do not use it."""
    pytester.makepyfile(
        "import sys\n"
        "def test_it():\n"
        "    assert '_verify_pytest' in sys.modules\n"
        "    assert not {'verify', 'torch', 'sympy', 'numpy'} & set(sys.modules)\n"
    )
    result = pytester.runpytest_subprocess()
    result.assert_outcomes(passed=1)
    assert not any("lossproof" in line for line in result.outlines if not line.startswith("plugins:"))


def test_the_plugin_imports_pytest_alone() -> None:
    """At its top; all else inside its functions."""
    tree = ast.parse(Path(_verify_pytest.__file__).read_text(encoding="utf-8"))
    named = [node.module for node in tree.body if isinstance(node, ast.ImportFrom)]
    plain = [alias.name for node in tree.body if isinstance(node, ast.Import) for alias in node.names]
    assert (named, plain) == (["__future__", "collections.abc", "typing"], ["pytest"])


def test_the_examples_of_the_manual_run(pytester: pytest.Pytester) -> None:
    """The two listings of docs/testing.md, as they stand there."""
    manual = Path(__file__).parent.parent.joinpath("docs", "testing.md").read_text(encoding="utf-8")
    listings = [part.partition("```")[0] for part in manual.split("```python\n")[1:3]]
    pytester.makepyfile(test_it="\n\n".join(listings))
    result = pytester.runpytest_inprocess("-k", "not cuda and not bfloat16")
    result.assert_outcomes(passed=7, deselected=34)


def test_an_expectation_needs_a_reason() -> None:
    """Nobody knows later why it was there."""
    with pytest.raises(UsageError, match="say why it is expected"):
        Expected("  ", witness="w")


def test_an_expectation_ends_on_its_day() -> None:
    """Not a day before."""
    known = Expected("r", witness="w", expires="2031-05-01")
    assert [known.expired(date(2031, 4, 30), "2.13.0"), known.expired(date(2031, 5, 1), "2.13.0")] == [
        False,
        True,
    ]


def test_an_expectation_ends_with_its_release() -> None:
    """Later releases and local builds count."""
    known = Expected("r", witness="w", expires="torch>=2.14")
    days = [known.expired(date(2026, 1, 1), v) for v in ("2.13.1+cpu", "2.14.0", "2.14.0a0+git1", "3.0")]
    assert days == [False, True, True, True]


def test_a_release_is_its_numbers() -> None:
    """Trailing zeros say nothing."""
    assert [release("2.13.0+cpu"), release("2.0"), release("main")] == [(2, 13), (2,), ()]

"""Functions of users in the views: findings, the table of checks, and failures that are expected."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from math import inf

import pytest
from test_report_page import HOSTILE, Page

from verify.record import FORMAT_VERSION, CheckRecord, ExpectedRecord, RunRecord
from verify.report.checked import replay_of
from verify.report.heat import heat_map
from verify.report.html import page
from verify.report.junit import junit
from verify.report.markdown import markdown
from verify.report.shape import found_in
from verify.report.summary import summarise
from verify.report.text import expected_failures, findings, summary
from verify.verdict import Counterexample, Status

WITNESS = "lossproof1:softmax:value:float32:cpu:losses:mine:eNp:0"
HELD = CheckRecord(
    "losses.mine",
    "softmax",
    "value",
    "float32",
    "cpu",
    "held",
    Status.PASSED,
    "it[mine]",
    "",
    "searched",
    40,
    0.5,
    0.25,
)
CASE = Counterexample((("input", "[0x1p+7]"), ("options", "contiguous")), "128.0", "64.0", 8000.0, 4.0)
REFUTED = replace(
    HELD,
    outcome="refuted",
    status=Status.REFUTED,
    reason="element 0 is off",
    worst_ulp=8000.0,
    worst_ratio=2000.0,
    counterexample=CASE,
    reproducer="import torch\n",
    witness=WITNESS,
)
KNOWN = replace(REFUTED, outcome="expected", expected=ExpectedRecord("overflows", WITNESS, "2027-06-30"))
REPAIRED = replace(HELD, outcome="unexpected pass", expected=KNOWN.expected)
EXPIRED = replace(KNOWN, outcome="expired", status=Status.UNKNOWN, counterexample=None)
ABSENT = replace(
    HELD,
    device="cuda",
    outcome="not run",
    status=Status.UNKNOWN,
    inputs=0,
    worst_ulp=None,
    worst_ratio=None,
    reason="device 'cuda' is not present; present: cpu; run this on a machine that has it",
)


def _run(*checks: CheckRecord) -> RunRecord:
    facts = (("torch", "2.13.0"),)
    return RunRecord(FORMAT_VERSION, "2026-01-02T03:04:05Z", "pytest", None, facts, (), checks=checks)


@pytest.mark.parametrize(
    ("checks", "words"),
    [
        ((HELD,), "1 function checked, none refuted"),
        ((HELD, REFUTED, replace(REFUTED, dtype="float16")), "1 function checked, 1 refuted"),
        ((HELD, replace(KNOWN, candidate="other")), "2 functions checked, none refuted, 1 known to fail"),
        ((REPAIRED, EXPIRED), "1 function checked, none refuted, 2 expected failures to remove or renew"),
        ((replace(HELD, outcome="unknown"),), "1 function checked, none refuted, 1 check undecided"),
        ((ABSENT,), "1 function, no check was run"),
    ],
)
def test_the_headline_speaks_of_functions(checks: tuple[CheckRecord, ...], words: str) -> None:
    """How many, how many are refuted, and which failures are known."""
    assert f"<h1>{words}</h1>" in page(_run(*checks))


def test_the_headline_of_a_merged_run_has_both(sample_run: RunRecord) -> None:
    """The claims in front, then the functions; one does not count as the other."""
    told = page(replace(sample_run, checks=(REFUTED,)))
    assert (
        "<h1>2 claims established, 1\N{NO-BREAK SPACE}implementation beyond the bound; "
        "1 function checked, 1 refuted</h1>"
    ) in told


def test_the_sentence_counts_checks_by_what_they_came_to() -> None:
    """And what was not run is named once, with its reason."""
    assert summarise(_run(HELD, REFUTED, KNOWN, ABSENT)).sentence == (
        "1 function checked, 4 checks: 1 held, 1 refuted, 1 refuted as expected, "
        "1 not run (device 'cuda' is not present; present: cpu)."
    )


def test_checks_alone_make_a_page_without_claims() -> None:
    """No section, entry or explanation that is about claims."""
    told = Page(page(_run(HELD, KNOWN)))
    sections = ["findings", "functions", "expected", "accuracy", "not-run", "provenance", "reading"]
    assert [name for name in told.ids if not name.startswith("expected-")] == ["main", "top", *sections]
    assert "kernel" not in page(_run(HELD, KNOWN)).split("</style>")[1]


@pytest.mark.parametrize("checks", [(HELD,), (REFUTED,), (KNOWN, REPAIRED, EXPIRED), (ABSENT,)])
def test_every_link_of_a_page_of_checks_has_its_target(checks: tuple[CheckRecord, ...]) -> None:
    """Whatever the checks came to, and the page nests well."""
    told = Page(page(_run(*checks)))
    assert {link for link in told.links if link.removeprefix("#") not in told.ids} == set()
    assert told.unbalanced == []


def test_findings_of_functions_stand_among_the_others_worst_first(sample_run: RunRecord) -> None:
    """In order of error / bound, whatever they are in."""
    worse = replace(REFUTED, candidate="losses.worse", worst_ratio=9000.0)
    found = found_in(replace(sample_run, checks=(REFUTED, worse)))
    assert [finding.name for finding in found] == ["losses.worse", "F.cross_entropy", "losses.mine"]


def test_a_wrong_value_comes_before_the_gradient_that_is_wrong_with_it() -> None:
    """Where the errors are alike."""
    (found,) = found_in(_run(replace(REFUTED, property="gradient", dtype="bfloat16"), REFUTED))
    assert found.worst == REFUTED


def test_an_expected_failure_is_no_finding() -> None:
    """It has a section of its own."""
    assert found_in(_run(KNOWN)) == ()


def test_a_finding_in_a_function_shows_input_script_and_witness() -> None:
    """All that it takes to see it again."""
    told = page(_run(REFUTED))
    for text in ("[0x1p+7]", "128.0", "import torch", f"lossproof replay {WITNESS}"):
        assert text in told


def test_a_finding_without_a_number_is_told_by_its_reason() -> None:
    """Such as a changed input, or an exception."""
    case = replace(CASE, exact="", got="ValueError")
    found = replace(REFUTED, worst_ulp=None, worst_ratio=None, counterexample=case, reason="it raises")
    told = page(_run(found))
    assert "<strong>It raises.</strong>" in told
    assert "Exact value" not in told
    assert "<p>it raises</p>" not in told


def test_an_infinite_error_elsewhere_is_told_from_the_one_shown() -> None:
    """The counterexample is the simplest one, and need not be the worst."""
    told = page(_run(replace(REFUTED, worst_ulp=inf, worst_ratio=inf)))
    assert (
        "The result is not a number at some input, and 8,000 ulp off at the simplest that was found." in told
    )


def test_what_was_not_run_has_no_row() -> None:
    """It is counted below the table, and listed with its reason among what was not run."""
    told = page(_run(HELD, *(replace(ABSENT, dtype=dtype) for dtype in ("float16", "float32"))))
    assert told.count("<td>cuda</td>") == 0
    assert '<p>2 checks <a href="#not-run">not run</a>.</p>' in told
    assert "2 checks of functions on cuda" in told


def test_an_expected_failure_is_shown_with_its_witness_and_expiry() -> None:
    """Reason, whether it still fails, until when, and the command that judges it again."""
    told = page(_run(KNOWN))
    assert "<strong>overflows.</strong> Still fails: yes. Expires: 2027-06-30." in told
    assert f'<pre class="code"><code>{WITNESS}</code></pre>' in told
    assert f'<pre class="code"><code>lossproof replay {WITNESS}</code></pre>' in told


@pytest.mark.parametrize(
    ("check", "words"),
    [
        (REPAIRED, "no, it passes: remove the expectation"),
        (EXPIRED, "not judged: the expectation has expired"),
        (replace(ABSENT, expected=KNOWN.expected), "not run"),
        (replace(KNOWN, outcome="unknown", status=Status.UNKNOWN), "not known: its witness was not judged"),
    ],
)
def test_the_page_says_whether_a_failure_still_occurs(check: CheckRecord, words: str) -> None:
    """Or why that is not known."""
    assert f"Still fails: {words}." in page(_run(check))


def test_a_long_witness_is_not_on_the_page() -> None:
    """Its length is, and where it can be had."""
    known = replace(KNOWN, expected=ExpectedRecord("wide", f"{WITNESS}{'A' * 100_000}"), witness=None)
    told = page(_run(known))
    assert "A" * 5000 not in told
    assert "100,054 characters and is in <code>report.json</code>" in told


@pytest.mark.parametrize(
    ("witness", "command"),
    [
        (WITNESS, f"lossproof replay {WITNESS}"),
        (
            WITNESS.replace("losses:mine", ":"),
            f"lossproof replay {WITNESS.replace('losses:mine', ':')} --function MODULE:NAME",
        ),
        ("a; rm -r *", "lossproof replay 'a; rm -r *' --function MODULE:NAME"),
    ],
)
def test_the_command_can_be_pasted(witness: str, command: str) -> None:
    """Where the witness does not say which function it refutes, the command asks for it."""
    assert replay_of(witness) == command


def test_what_checks_that_held_say_is_told_once() -> None:
    """Not in each of their rows."""
    checks = [replace(HELD, dtype=dtype, reason="3 options") for dtype in ("float16", "float32")]
    told = page(_run(*checks))
    assert told.count("3 options") == 1
    assert '3 options <span class="muted">(2 checks)</span>' in told


def test_every_input_is_told_from_a_number_of_inputs() -> None:
    """Which of the two a check looked at."""
    told = page(_run(replace(HELD, coverage="exhaustive", inputs=65536)))
    assert "65,536<small>every input</small>" in told


def test_many_checks_are_capped_worst_first() -> None:
    """The page has the worst hundred, and says how many there are beside."""
    checks = [replace(HELD, candidate=f"f{place}") for place in range(300)]
    told = page(_run(*checks, replace(REFUTED, candidate="last")))
    assert told.count("<td>float32</td>") == 101
    assert "<code>last</code>" in told
    assert "The worst 100; the other 201 are in" in told


def test_hostile_functions_add_no_element() -> None:
    """Names, reasons, inputs, scripts and witnesses come from a candidate."""
    case = Counterexample(((HOSTILE, HOSTILE),), HOSTILE, HOSTILE, inf, 1.0)
    harmless = _run(*_alike("x", replace(CASE, error_ulp=inf, allowed_ulp=1.0)))
    hostile = Page(page(_run(*_alike(HOSTILE, case))))
    assert hostile.tags == Page(page(harmless)).tags | {"i", "sub", "sup", "u", "var"} & hostile.tags
    assert hostile.unbalanced == []
    assert not any(name.startswith("on") for name in hostile.attributes)


def _alike(text: str, case: Counterexample) -> list[CheckRecord]:
    """A check of each outcome, with one text in every field."""
    expected = ExpectedRecord(text, text, text)
    one = CheckRecord(
        text,
        text,
        text,
        text,
        text,
        "held",
        Status.PASSED,
        text,
        text,
        None,
        1,
        1.0,
        1.0,
        text,
        case,
        text,
        text,
    )
    known = replace(one, outcome="expected", status=Status.REFUTED, expected=expected)
    return [one, replace(one, outcome="refuted", status=Status.REFUTED), known]


def test_functions_whose_names_look_alike_have_anchors_of_their_own() -> None:
    """Letters that a fragment has no place for do not make two functions one."""
    found = found_in(_run(*(replace(REFUTED, candidate=name) for name in ("损失", "函数", "f-g", "f.g"))))
    assert len({finding.anchor for finding in found}) == 4


def test_the_markdown_has_functions_and_expected_failures() -> None:
    """A line for each function, the one with the worst check in front, and one for each expectation."""
    told = markdown(_run(HELD, KNOWN, replace(REFUTED, candidate="losses.worse"), ABSENT))
    assert "| `losses.worse` | softmax | 1 refuted | 2,000 |" in told
    assert "| `losses.mine` | softmax | 1 held, 1 refuted as expected, 1 not run | 2,000 |" in told
    assert "- `losses.mine` as softmax: value in float32 on cpu: overflows; still fails: yes; " in told
    assert "Claims" not in told


def test_the_markdown_of_many_functions_is_short() -> None:
    """It fits a comment, and says how much is left out."""
    told = markdown(_run(*(replace(KNOWN, candidate=f"f{place}") for place in range(500))))
    assert len(told) < 8000
    assert "and 492 more functions on the page." in told
    assert "- and 492 more on the page, all with their witness" in told


@pytest.mark.parametrize(
    ("check", "outcome"),
    [
        (HELD, "passed"),
        (REFUTED, "failure refuted"),
        (KNOWN, "skipped refuted as expected"),
        (REPAIRED, "failure passed unexpectedly"),
        (
            replace(REPAIRED, expected=ExpectedRecord("x", WITNESS, strict=False)),
            "skipped passed unexpectedly",
        ),
        (EXPIRED, "failure expired"),
        (replace(HELD, outcome="unknown"), "failure undecided"),
        (replace(HELD, outcome="not applicable"), "skipped not applicable"),
        (ABSENT, "skipped not run"),
    ],
)
def test_junit_says_what_pytest_said(check: CheckRecord, outcome: str) -> None:
    """A case for each check: what failed there fails here."""
    (case,) = ElementTree.fromstring(junit(_run(check))).iter("testcase")
    told = [f"{child.tag} {child.get('type')}" for child in case if child.tag != "properties"]
    assert (told or ["passed"]) == [outcome]
    assert case.get("classname") == "losses.mine as softmax"


def test_junit_survives_hostile_functions() -> None:
    """What XML cannot hold is replaced."""
    case = Counterexample(((HOSTILE, HOSTILE),), HOSTILE, HOSTILE, inf, 1.0)
    assert len(list(ElementTree.fromstring(junit(_run(*_alike(HOSTILE, case)))).iter("testcase"))) == 3


def test_the_terminal_tells_findings_counts_and_expected_failures() -> None:
    """In lines of the width that is asked for."""
    run = _run(HELD, REFUTED, KNOWN)
    assert [line.text for line in findings(run, 200)] == [
        "refuted: losses.mine in float32 on cpu, as softmax: up to 8,000 ulp off, up to 2,000 times its bound"
    ]
    assert [line.text for line in expected_failures(run, 200)] == [
        "expected: losses.mine as softmax: value in float32 on cpu, overflows; still fails: yes; "
        "expires: 2027-06-30"
    ]
    assert [" ".join(line.text.split()) for line in summary(run, 80)] == [
        "functions 1 held",
        "1 refuted",
        "1 refuted as expected",
    ]


def test_the_heat_map_has_a_row_for_each_function() -> None:
    """By its name and its operation, the worst of its properties in each dtype on each device."""
    heat = heat_map(_run(HELD, replace(REFUTED, property="gradient"), replace(HELD, dtype="float16"), ABSENT))
    ((name, cells),) = heat.rows
    assert name == "losses.mine as softmax"
    assert heat.columns == (("float32", "cpu"), ("float16", "cpu"))
    assert [cell and cell.ratio for cell in cells] == [2000.0, 0.25]


def test_the_terminal_caps_findings() -> None:
    """The page has more."""
    lines = list(findings(_run(*(replace(REFUTED, candidate=f"f{k}") for k in range(70))), 200))
    assert (len(lines), lines[-1].text) == (41, "refuted: and 30 more on the page")


def test_the_terminal_caps_expected_failures() -> None:
    """The page has more."""
    lines = list(expected_failures(_run(*(replace(KNOWN, dtype=f"d{k}") for k in range(40))), 200))
    assert (len(lines), lines[-1].text) == (13, "expected: and 28 more on the page")


def test_the_line_of_help_of_a_finding_is_shown() -> None:
    """On the page and in JUnit XML, as on the command line."""
    run = _run(replace(REFUTED, hint="wrong with 3 axes alone; leave them out"))
    assert "<strong>Help:</strong> wrong with 3 axes alone; leave them out" in page(run)
    assert "\nhelp: wrong with 3 axes alone; leave them out\n" in junit(run).decode()

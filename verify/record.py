"""Records: what a run found, as plain data that JSON can hold.

Everything that is shown to a person, in a terminal or on a page, is made from these.
"""

from __future__ import annotations

import builtins
import re
from dataclasses import dataclass

from verify.verdict import Counterexample, Status

FORMAT_VERSION = 1

OUTCOMES = (
    "held",
    "refuted",
    "unknown",
    "expected",
    "unexpected pass",
    "expired",
    "not applicable",
    "not run",
)
"""What a check of a function comes to, in the order in which they are counted."""


def check_id(*parts: str) -> str:
    """The parts of an id joined by "-", plain, so that it can be typed and selected by.

    >>> check_id("kl-one-hot", "left", "F.kl_div(log q, p)", "float32", "cpu")
    'kl-one-hot-left-F.kl_div-log-q-p-float32-cpu'
    """
    return "-".join(re.sub(r"[^\w.]+", "-", part).strip("-") for part in parts)


@dataclass(frozen=True, slots=True)
class RuleUse:
    """A rule that a step used, its meaning in words, and how each side condition was met."""

    name: str
    words: str
    conditions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StepRecord:
    """One checked line of a derivation: ``relation`` to the line before, LaTeX and plain text.

    ``gap`` and ``gap_text``: what right minus left of an inequality is, as LaTeX and as plain text.
    """

    relation: str
    formula: str
    text: str
    rules: tuple[RuleUse, ...] = ()
    why: str = ""
    gap: str | None = None
    gap_text: str | None = None


@dataclass(frozen=True, slots=True)
class PartRecord:
    """One judged statement.

    ``status``: proved, refuted, cited, unknown. ``points``: exact rational points at which the
    refuter tried the statement, ``sizes`` the values of the sizes it used. ``sympy``: SymPy's own
    opinion (true, false, undecided).
    ``definitions``: LaTeX of what the named operations stand for. ``fingerprint`` identifies statement
    and domain. ``found``: where no derivation was given and the prover found one, its steps as the Python
    text of the part. ``unmeasured``: why torch computes neither side of it.
    """

    id: str
    words: str
    status: str
    statement: str
    text: str
    assumptions: tuple[str, ...] = ()
    steps: tuple[StepRecord, ...] = ()
    definitions: tuple[str, ...] = ()
    refuter: str = "unknown"
    points: int = 0
    sizes: tuple[int, ...] = ()
    sympy: str = "undecided"
    witness: str | None = None
    citation: str | None = None
    reason: str = ""
    fingerprint: str = ""
    found: str = ""
    unmeasured: str = ""


@dataclass(frozen=True, slots=True)
class ClaimRecord:
    """One judged claim. ``status``: proved, refuted, opinion, cited, unknown."""

    id: str
    section: str
    words: str
    status: str
    statement: str
    assumptions: tuple[str, ...] = ()
    parts: tuple[PartRecord, ...] = ()
    literal: PartRecord | None = None
    witness: str | None = None
    corrected: ClaimRecord | None = None
    holds_when: tuple[PartRecord, ...] = ()
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ExpectedRecord:
    """A failure that is expected: why, the witness of the one call that is judged, and until when.

    ``expires``: a day or a release of torch, as `verify.expected.Expected` takes it, None for never.
    ``strict``: whether it counts as a failure that the function passes its witness.
    """

    reason: str
    witness: str
    expires: str | None = None
    strict: bool = True


@dataclass(frozen=True, slots=True)
class EvidenceRecord:
    """One numeric check: one side of a part, computed by one implementation, dtype and device.

    ``side`` is left, right or between (the two sides against each other); of a gradient by autograd it is
    "gradient", in the first tensor, or "gradient of" another. ``worst_ulp`` is in ulp
    of ``dtype``; ``worst_ratio`` is error / bound; ``inputs`` counts the judged inputs. Of a refuted
    check they are the largest over the refuting inputs, the two perhaps at different ones.
    ``counterexample`` is a simple refuting input and ``worst_case`` the one with the error
    ``worst_ulp``, None where it is the same. ``reproducer`` is a plain torch script that was run for
    the former; ``reproduced`` what running it printed. ``by_order`` and ``by_value``: the largest
    error / bound in stretches of the inputs, as ``x:ratio`` pairs, x being the input of largest magnitude:
    its share, in float order, of the way from 0 to the largest float, and its value within 24 of 0.
    ``expression`` is what `definition` stands
    for, where ``implementation`` is, or has in it, that name. ``witness``: of a refuted check the
    call, or the input, as one line of text that brings it back. ``expected``: the failure that is, if one is;
    then the witness alone was judged.
    """

    claim: str
    part: str
    side: str
    implementation: str
    dtype: str
    device: str
    status: Status
    inputs: int
    worst_ulp: float | None = None
    worst_ratio: float | None = None
    counterexample: Counterexample | None = None
    reproducer: str | None = None
    reproduced: str | None = None
    reason: str = ""
    fingerprint: str = ""
    worst_case: Counterexample | None = None
    expression: str = ""
    by_order: str = ""
    by_value: str = ""
    witness: str | None = None
    expected: ExpectedRecord | None = None

    @builtins.property
    def id(self) -> str:
        """What names the check: part, side, implementation, dtype and device, joined by "-"."""
        return check_id(self.part, self.side, self.implementation, self.dtype, self.device)

    @builtins.property
    def outcome(self) -> str:
        """What the check came to: its status, or one of OUTCOMES where a failure is expected."""
        if self.expected is None:
            return self.status.value
        told = {Status.REFUTED: "expected", Status.PASSED: "unexpected pass"}
        return told.get(self.status, "unknown")

    @builtins.property
    def candidate(self) -> str:
        """The implementation, by the word for it in checks of functions."""
        return self.implementation

    @builtins.property
    def property(self) -> str:
        """The side of the statement, by the word for it in checks of functions."""
        return self.side


@dataclass(frozen=True, slots=True)
class CheckRecord:
    """One property of one function of a user, checked as an operation in one dtype on one device.

    ``outcome`` is one of OUTCOMES, ``expected`` the failure that is, if one is. ``id``: of the item of
    pytest, empty where there was none. The other fields are those of `verify.verdict.Verdict`.
    """

    candidate: str
    operation: str
    property: str
    dtype: str
    device: str
    outcome: str
    status: Status
    id: str = ""
    reason: str = ""
    coverage: str | None = None
    inputs: int = 0
    worst_ulp: float | None = None
    worst_ratio: float | None = None
    grade: str | None = None
    counterexample: Counterexample | None = None
    reproducer: str | None = None
    witness: str | None = None
    expected: ExpectedRecord | None = None
    hint: str = ""

    @builtins.property
    def implementation(self) -> str:
        """The function, by the word for it in numeric checks of claims."""
        return self.candidate

    @builtins.property
    def claim(self) -> str:
        """What the function is held to."""
        return f"as {self.operation}" if self.operation else ""

    @builtins.property
    def expression(self) -> str:
        """Empty: the function has a name."""
        return ""

    @builtins.property
    def worst_case(self) -> Counterexample | None:
        """None: the counterexample is the only case that is kept."""
        return None


@dataclass(frozen=True, slots=True)
class NotRun:
    """Something that was not run, why, and how to have it run."""

    what: str
    why: str
    how: str


@dataclass(frozen=True, slots=True)
class Figure:
    """The data of a plot: series of (x, y) points with a caption; the report draws it.

    ``bound``: a value of y at which a line is drawn. ``x_ticks``: places on the x axis and what they say,
    where these are not the numbers themselves. ``marks``: points instead of a line.
    """

    id: str
    claim: str
    title: str
    caption: str
    x_label: str
    y_label: str
    series: tuple[tuple[str, tuple[tuple[float, float], ...]], ...] = ()
    log_y: bool = False
    bound: float | None = None
    x_ticks: tuple[tuple[float, str], ...] = ()
    marks: bool = False


@dataclass(frozen=True, slots=True)
class SweepRecord:
    """What a torch function does on every input of a form in a 16-bit dtype.

    ``correctly_rounded``: errors of at most 1/2 ulp; ``faithful``: below 1 ulp; each includes those before.
    ``worst_input``, ``got`` and ``exact_value`` belong to the largest error, confirmed by mpmath.
    """

    operation: str
    form: str
    property: str
    dtype: str
    device: str
    status: Status
    inputs: int
    exact: int = 0
    correctly_rounded: int = 0
    faithful: int = 0
    refuted: int = 0
    undecided: int = 0
    worst_ulp: float | None = None
    worst_ratio: float | None = None
    worst_input: str = ""
    got: str = ""
    exact_value: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class AtlasRecord:
    """Whether a loss of torch.nn is the negative log-likelihood of its target, and how that was shown.

    ``likelihood``: True or False, None where neither was shown; ``verdict`` the same in words, with what
    is left out. ``normaliser``: LaTeX of the integral or the sum of exp(-loss) over all targets.
    ``totals``: of a loss that is none, inputs with LaTeX of that sum, which differs. ``rests_on``: the
    statements of the catalogue that say it.
    """

    loss: str
    options: str
    likelihood: bool | None
    verdict: str
    distribution: str
    method: str
    normaliser: str = ""
    totals: tuple[tuple[str, str], ...] = ()
    rests_on: tuple[str, ...] = ()
    figure: Figure | None = None


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A whole run: provenance (command, seed, versions, machine) and everything that was found.

    ``created`` is empty and ``seed`` None where checks of functions, which have each their own, do not say.
    """

    format_version: int
    created: str
    command: str
    seed: int | None
    provenance: tuple[tuple[str, str], ...]
    claims: tuple[ClaimRecord, ...]
    evidence: tuple[EvidenceRecord, ...] = ()
    not_run: tuple[NotRun, ...] = ()
    figures: tuple[Figure, ...] = ()
    sweeps: tuple[SweepRecord, ...] = ()
    atlas: tuple[AtlasRecord, ...] = ()
    checks: tuple[CheckRecord, ...] = ()

"""Fixtures that several test files share: a small hand-made run to render."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from verify.record import (
    FORMAT_VERSION,
    AtlasRecord,
    ClaimRecord,
    EvidenceRecord,
    Figure,
    NotRun,
    PartRecord,
    RuleUse,
    RunRecord,
    StepRecord,
)
from verify.verdict import Counterexample, Status

HAS_TORCH = find_spec("torch") is not None
NEEDS_TORCH = "pytestmark = pytest.mark.torch"
"""What a test file says that needs torch from its first line on."""

collect_ignore = [
    path.name
    for path in sorted(Path(__file__).parent.glob("test_*.py"))
    if not HAS_TORCH and NEEDS_TORCH in path.read_text(encoding="utf-8").splitlines()
]


def pytest_report_header() -> list[str]:
    """Say at the top what will not be run here."""
    return [] if HAS_TORCH else [f"not run: {', '.join(collect_ignore)} (torch is not installed)"]


@pytest.fixture
def cuda() -> str:
    """The name of a CUDA device; without one the test is listed as not run."""
    from verify.backends import devices_present

    if "cuda" not in devices_present():
        pytest.skip("not run: no CUDA device")
    return "cuda"


def _proved_claim() -> ClaimRecord:
    steps = (
        StepRecord(
            "=",
            r"\sum_{i=1}^{n} \delta_{i y} \left(\log \delta_{i y} - \log q_{i}\right)",
            "sum_{i=1..n} [i = y] (log([i = y]) - log(q[i]))",
            (),
            "the definition of the divergence at a one-hot distribution",
        ),
        StepRecord(
            "=",
            r"-\log q_{y}",
            "-log(q[y])",
            (RuleUse("delta", "a sum against [i = y] is its term at i = y", ("1 <= y <= n: declared",)),),
            "only the term at the label is left",
        ),
    )
    statement = r"\operatorname{KL}(e_{y}, q) = -\log q_{y}"
    part = PartRecord(
        "main",
        "KL of a one-hot distribution is the log loss",
        "proved",
        statement,
        "kl(one_hot(y), q) = -log(q[y])",
        ("`q` is a probability vector with positive entries", "y in 1..n"),
        steps,
        definitions=(r"\operatorname{nll}(q, y) = -\log q_{y}",),
        refuter="supported",
        points=400,
        sizes=(1, 2, 3, 7, 11),
        sympy="undecided",
        fingerprint="f1",
    )
    return ClaimRecord(
        "kl-one-hot",
        "So why is everyone talking about cross entropies",
        "KL against a one-hot distribution is the negative log probability of the label",
        "proved",
        statement,
        ("0 log 0 is read as 0",),
        (part,),
    )


def _corrected_claim() -> ClaimRecord:
    literal = PartRecord(
        "literal",
        "the average probability is 2 to the minus bits",
        "refuted",
        r"\frac{1}{n} \sum_{i=1}^{n} p_{i} = 2^{-b}",
        "mean(p) = 2^-b",
        (),
        refuter="refuted",
        points=1,
        sizes=(2,),
        sympy="false",
        witness="p = (1/2, 1/8): 2 bits, mean 5/16",
        fingerprint="f2",
    )
    held = PartRecord(
        "geometric",
        "the geometric mean is 2 to the minus bits",
        "proved",
        r"\prod_{i=1}^{n} p_{i} = 2^{-n b}",
        "prod p = 2^(-n b)",
        fingerprint="f3",
    )
    corrected = ClaimRecord(
        "bits-per-word-geometric", "Compression and bits", held.words, "proved", held.statement, (), (held,)
    )
    return ClaimRecord(
        "bits-per-word",
        "Compression and bits",
        "2 bits a word means probability 0.25 on average",
        "refuted",
        literal.statement,
        literal=literal,
        witness=literal.witness,
        corrected=corrected,
    )


def _evidence() -> tuple[EvidenceRecord, ...]:
    found = Counterexample(
        (("g", "(19.4375, 0)"),), "3.61766435394131020489178271461e-9", "0.0", 1.01e5, 12.5
    )
    return (
        EvidenceRecord(
            "kl-one-hot", "main", "right", "F.nll_loss", "float32", "cpu", Status.PASSED, 500, 0.5, 0.25
        ),
        EvidenceRecord(
            "kl-one-hot",
            "main",
            "left",
            "F.cross_entropy",
            "float32",
            "cpu",
            Status.REFUTED,
            500,
            1.01e5,
            8080.0,
            found,
            "import torch\nprint(torch.zeros(1))\n",
            "tensor([0.])\n",
        ),
    )


def _atlas() -> tuple[AtlasRecord, ...]:
    figure = Figure("atlas-L1Loss", "", "density", "", "target", "density", (("", ((0.0, 1.0), (1.0, 0.4))),))
    return (
        AtlasRecord(
            "L1Loss", "", True, "yes, but for a constant", "Laplace", "integrated", "2", figure=figure
        ),
        AtlasRecord(
            "MarginLoss", "p=1", False, "no", "hinges", "two inputs", totals=(("0", "2"), ("1", "3"))
        ),
        AtlasRecord(
            "NLLLoss", "", None, "not shown", "categorical", "a claim", "1", rests_on=("kl-one-hot",)
        ),
    )


@pytest.fixture
def sample_run() -> RunRecord:
    """A run with one proved claim, one corrected claim, a finding, a figure and a device not run."""
    curve = tuple((float(n), 0.1**n if n < 46 else 0.0) for n in range(1, 60))
    return RunRecord(
        FORMAT_VERSION,
        "2026-01-02T03:04:05Z",
        "lossproof run",
        7,
        (("lossproof", "0.1.0"), ("torch", "2.13.0"), ("python", "CPython 3.11.7")),
        (_proved_claim(), _corrected_claim()),
        _evidence(),
        (
            NotRun(
                "numeric checks on cuda",
                "no CUDA device",
                "run on a machine with one, then merge the reports",
            ),
        ),
        (
            Figure(
                "underflow", "kl-one-hot", "Underflow", "A product", "factors", "value", (("p", curve),), True
            ),
        ),
        atlas=_atlas(),
    )

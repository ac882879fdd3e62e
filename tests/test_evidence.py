"""Evidence: wrong implementations are refuted, right ones pass, and what is not known is said so."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from verify import backends, confirmation
from verify.claim import Hypothesis, Part
from verify.confirmation import Confirmed, Error, check_reproduction, refutation
from verify.domain import distribution, index, probability, real
from verify.errors import UsageError, VerifyError
from verify.evidence import EXACT, gather
from verify.floats import Enclosure, format_named
from verify.judgement import judge, text_of
from verify.operation import Operation, Peer
from verify.operations.binary_cross_entropy import binary_cross_entropy, binary_cross_entropy_with_logits
from verify.operations.cross_entropy import cross_entropy
from verify.operations.cross_entropy_with_logits import cross_entropy_with_logits
from verify.operations.entropy import entropy
from verify.operations.kl_div import kl_div
from verify.operations.logsumexp import logsumexp
from verify.operations.nll import nll
from verify.operations.one_hot import one_hot
from verify.operations.softmax import softmax
from verify.profile import points_of
from verify.record import EvidenceRecord
from verify.verdict import Counterexample, Status

pytestmark = pytest.mark.torch


def _same(operation: Operation, *given: Any) -> Part:
    """An operation against its own definition, over the variables it takes."""

    def applied(c: Any, *arguments: Any) -> Any:
        return c.call(operation, *arguments)

    def defined(c: Any, *arguments: Any) -> Any:
        return operation.definition(c, *arguments)

    return Part(operation.id, "", given, applied, "=", defined)


def _softmax_entry(operation: Operation) -> Part:
    given = (real("g", "n"), index("y", "n"))
    return Part("softmax", "", given, lambda c, g, y: c.call(operation, g)[y], "=", _naive_entry)


def _naive_entry(c: Any, g: Any, y: Any) -> Any:
    return softmax.definition(c, g)[y]


CASE = Counterexample((("g", "1"),), "1", "2", 2.0, 1.0)
LOGITS = (real("g", "n"), index("y", "n"))
PAIR = (distribution("p", "n"), distribution("q", "n", positive=True))


def kl_without_last_term(torch: Any, p: Any, q: Any) -> Any:
    """Leaves out the last entry."""
    return (torch.xlogy(p, p) - torch.xlogy(p, q))[:-1].sum()


def kl_with_the_sign_flipped(torch: Any, p: Any, q: Any) -> Any:
    """Has the wrong sign."""
    return -torch.nn.functional.kl_div(torch.log(q), p, reduction="sum")


def kl_by_mean(torch: Any, p: Any, q: Any) -> Any:
    """Takes the mean for the sum."""
    return (torch.xlogy(p, p) - torch.xlogy(p, q)).mean()


def kl_swapped(torch: Any, p: Any, q: Any) -> Any:
    """Takes q for p."""
    return torch.xlogy(q, q).sum() - torch.xlogy(q, p).sum()


def nll_of_the_next_label(torch: Any, q: Any, y: Any) -> Any:
    """Reads the next label."""
    return -torch.log(q[(y + 1) % len(q)])


def nll_clamped(torch: Any, q: Any, y: Any) -> Any:
    """Guards against log 0 with an epsilon."""
    return -torch.log(q[y] + 1e-6)


def zero_of_logits(torch: Any, g: Any, y: Any) -> Any:
    """Returns 0."""
    return g[0] * 0


def softmax_without_normalising(torch: Any, g: Any) -> Any:
    """Does not divide."""
    return torch.exp(g - g.max())


def logsumexp_in_bfloat16(torch: Any, g: Any) -> Any:
    """Works in bfloat16 inside."""
    return torch.logsumexp(g.bfloat16(), dim=0).to(g.dtype)


def logsumexp_unshifted(torch: Any, g: Any) -> Any:
    """Overflows."""
    return torch.log(torch.exp(g).sum())


WRONG: dict[str, tuple[Any, Operation, Any]] = {
    "missing term": (kl_without_last_term, kl_div, lambda o: _same(o, *PAIR)),
    "sign": (kl_with_the_sign_flipped, kl_div, lambda o: _same(o, *PAIR)),
    "mean for sum": (kl_by_mean, kl_div, lambda o: _same(o, *PAIR)),
    "arguments swapped": (kl_swapped, kl_div, lambda o: _same(o, *PAIR)),
    "wrong label": (nll_of_the_next_label, nll, lambda o: _same(o, PAIR[1], LOGITS[1])),
    "clamp": (nll_clamped, nll, lambda o: _same(o, PAIR[1], LOGITS[1])),
    "zero": (zero_of_logits, cross_entropy_with_logits, lambda o: _same(o, *LOGITS)),
    "not normalised": (softmax_without_normalising, softmax, _softmax_entry),
    "bfloat16 inside": (logsumexp_in_bfloat16, logsumexp, lambda o: _same(o, LOGITS[0])),
    "no shift": (logsumexp_unshifted, logsumexp, lambda o: _same(o, LOGITS[0])),
}


def _records(part: Part, dtype: str = "float32", **options: Any) -> dict[tuple[str, str], EvidenceRecord]:
    records, _ = gather(part, "claim", dtypes=(dtype,), devices=("cpu",), **options)
    return {(record.side, record.implementation): record for record in records}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_implementation_is_refuted(name: str) -> None:
    """It is refuted by a small input, with the exact value and a torch script that was run."""
    function, operation, part = WRONG[name]
    injected = replace(operation, peers=(Peer(name, function),))
    record = _records(part(injected))["left", name]
    assert (record.status, record.reason) == (Status.REFUTED, "")
    assert record.counterexample is not None
    values = [value for _, value in record.counterexample.inputs]
    assert all(value.count(",") < 4 for value in values)
    assert record.reproducer is not None
    assert "verify" not in record.reproducer
    assert f"got   {record.counterexample.got}" in (record.reproduced or "")


def kl_in_float64(torch: Any, p: Any, q: Any) -> Any:
    """Works in float64."""
    p, q = p.double(), q.double()
    return (torch.xlogy(p, p) - torch.xlogy(p, q)).sum().float()


def nll_in_float64(torch: Any, q: Any, y: Any) -> Any:
    """Works in float64."""
    return -torch.log(q.double())[y].float()


def logsumexp_in_float64(torch: Any, g: Any) -> Any:
    """Works in float64."""
    return torch.logsumexp(g.double(), dim=0).float()


def cross_entropy_in_float64(torch: Any, g: Any, y: Any) -> Any:
    """Works in float64."""
    return torch.nn.functional.cross_entropy(g.double(), y).float()


def softmax_in_float64(torch: Any, g: Any) -> Any:
    """Works in float64."""
    return torch.softmax(g.double(), dim=0).float()


RIGHT: dict[str, tuple[Any, Operation, Any]] = {
    "kl": (kl_in_float64, kl_div, lambda o: _same(o, *PAIR)),
    "nll": (nll_in_float64, nll, lambda o: _same(o, PAIR[1], LOGITS[1])),
    "logsumexp": (logsumexp_in_float64, logsumexp, lambda o: _same(o, LOGITS[0])),
    "cross-entropy": (cross_entropy_in_float64, cross_entropy_with_logits, lambda o: _same(o, *LOGITS)),
    "softmax": (softmax_in_float64, softmax, _softmax_entry),
}


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_implementation_passes(name: str) -> None:
    """What is computed in float64 and rounded once is never refuted, and its inputs are counted."""
    function, operation, part = RIGHT[name]
    record = _records(part(replace(operation, peers=(Peer(name, function),))))["left", name]
    assert record.status is Status.PASSED
    assert record.inputs >= 50
    assert record.worst_ratio is not None
    assert record.worst_ratio < 1


KL_ONE_HOT = Part(
    "kl-one-hot",
    "",
    (PAIR[1], index("y", "n")),
    lambda c, q, y: c.call(kl_div, c.call(one_hot, y, q), q),
    "=",
    lambda c, q, y: c.call(nll, q, y),
)
DECOMPOSITION = Part(
    "cross-entropy-decomposition",
    "",
    PAIR,
    lambda c, p, q: c.call(cross_entropy, p, q),
    "=",
    lambda c, p, q: c.call(entropy, p) + c.call(kl_div, p, q),
)
BINARY = Part(
    "binary-special-case",
    "",
    (real("g", 2), index("y", 2)),
    lambda c, g, y: c.call(cross_entropy_with_logits, g, y),
    "=",
    lambda c, g, y: c.call(binary_cross_entropy_with_logits, g[2] - g[1], c.equal(y, 2)),
)


def test_one_hot_divergence_is_measured_by_every_peer() -> None:
    """Four ways to the divergence, three to the loss, and the sides against each other."""
    records = _records(KL_ONE_HOT)
    assert {name for side, name in records if side == "right"} == {peer.name for peer in nll.peers}
    assert records["left", "F.kl_div(log q, p)"].status is Status.PASSED
    assert records["right", "F.cross_entropy(log q, y)"].status is Status.PASSED
    assert records["left", "kl_divergence(Categorical)"].status is Status.REFUTED
    assert records["between", EXACT].status is Status.PASSED
    assert [record.side for record in records.values()].count("between") == 2


@pytest.mark.parametrize("dtype", ["float16", "float64"])
def test_the_clamp_of_categorical_is_found(dtype: str) -> None:
    """Categorical's entropy of a one-hot vector is not 0, and no bound is widened for it."""
    records = _records(DECOMPOSITION, dtype)
    right = "torch.special.entr(p).sum + F.kl_div(log q, p)"
    assert records["right", right].status is Status.PASSED
    clamped = records["right", "Categorical(probs).entropy + F.kl_div(log q, p)"]
    assert clamped.status is Status.REFUTED
    assert clamped.counterexample is not None
    assert clamped.counterexample.exact == "0"


def test_the_cancellation_in_binary_cross_entropy_is_found() -> None:
    """With label 0 and a negative logit torch returns 0 or loses most digits; soft_margin_loss overflows."""
    records = _records(BINARY)
    assert records["left", "F.cross_entropy(g, y)"].status is Status.PASSED
    assert records["right", "F.binary_cross_entropy_with_logits"].status is Status.REFUTED
    soft = records["right", "F.soft_margin_loss(z, 2t - 1)"].counterexample
    assert soft is not None
    assert soft.got == "inf"


def test_the_clamp_in_binary_cross_entropy_is_found() -> None:
    """In torch no loss is above 100, and Bernoulli clamps the probability itself."""
    part = _same(binary_cross_entropy, probability("f"), index("y", 2))
    part = replace(
        part,
        left=lambda c, f, y: c.call(binary_cross_entropy, f, c.equal(y, 2)),
        right=lambda c, f, y: binary_cross_entropy.definition(c, f, c.equal(y, 2)),
    )
    records = _records(part, "float64")
    direct = records["left", "F.binary_cross_entropy"].counterexample
    assert direct is not None
    assert direct.got == "100"
    assert records["left", "-Bernoulli(probs).log_prob"].status is Status.REFUTED


def test_evidence_names_the_statement_it_is_for() -> None:
    """Records of one statement share a fingerprint, and another statement has another."""
    first, second = (
        {record.fingerprint for record in _records(part, examples=5).values()}
        for part in (BINARY, KL_ONE_HOT)
    )
    assert len(first) == len(second) == 1
    assert first != second


def test_the_same_seed_gives_the_same_evidence() -> None:
    """Two runs from one seed agree in every field, counterexamples included."""
    assert _records(BINARY, seed=3, examples=20) == _records(BINARY, seed=3, examples=20)


def test_a_false_identity_is_told_apart_from_a_wrong_implementation() -> None:
    """Where the sides differ in exact arithmetic the statement itself is refuted, with the input."""
    off_by_one = replace(KL_ONE_HOT, right=lambda c, q, y: c.call(nll, q, y) + 1)
    record = _records(off_by_one, examples=10)["between", EXACT]
    assert record.status is Status.REFUTED
    assert "q = [1]" in record.reason


def test_an_inequality_is_not_taken_for_an_identity() -> None:
    """Gibbs' inequality holds between the sides although they differ."""
    gibbs = Part("gibbs", "", PAIR, lambda c, p, q: c.number(0), "<=", lambda c, p, q: c.call(kl_div, p, q))
    assert _records(gibbs, examples=20)["between", EXACT].status is Status.PASSED


def test_a_starved_oracle_leaves_it_unknown() -> None:
    """With 8 bits nothing can be decided, and nothing passes."""
    records = _records(_same(logsumexp, LOGITS[0]), examples=10, max_bits=8)
    assert {record.status for record in records.values()} == {Status.UNKNOWN}
    assert "undecided" in records["left", "torch.logsumexp"].reason


def test_nothing_in_the_domain_is_unknown() -> None:
    """A statement whose hypotheses nothing satisfies is not passed by its implementations."""
    never = Hypothesis("never", lambda c, q, y: c.number(1), "<", lambda c, q, y: q[y])
    records = _records(replace(KL_ONE_HOT, hypotheses=(never,)), examples=10)
    assert {(record.status, record.inputs) for record in records.values()} == {(Status.UNKNOWN, 0)}


def always_declines(torch: Any, g: Any) -> Any:
    """Raises."""
    raise NotImplementedError("no kernel for this dtype")


def test_an_implementation_that_never_applies_is_reported_as_not_run() -> None:
    """It has no record, and its reason is kept."""
    part = _same(replace(logsumexp, peers=(Peer("absent", always_declines),)), LOGITS[0])
    records, missing = gather(part, "claim", dtypes=("float32",), devices=("cpu",), examples=10)
    assert "absent" not in {record.implementation for record in records}
    assert [("absent" in item.what, "no kernel for this dtype" in item.why) for item in missing] == [
        (True, True)
    ]


def test_an_implementation_that_sometimes_applies_is_counted() -> None:
    """The inputs that it declined are told beside those that were judged."""
    record = _records(DECOMPOSITION)[
        "right", "torch.special.entr(p).sum + F.kl_div(log q, log p, log_target)"
    ]
    assert 0 < record.inputs < 60
    assert f"not applicable to {60 - record.inputs} of 60 inputs" in record.reason


def test_a_finding_without_source_is_not_reported_as_refuted() -> None:
    """A peer that cannot be written down as a script leaves its finding unknown, with the reason."""
    part = _same(replace(logsumexp, peers=(Peer("lambda", lambda torch, g: g.sum()),)), LOGITS[0])
    record = _records(part, examples=10)["left", "lambda"]
    assert record.status is Status.UNKNOWN
    assert "lambda is not a function made by def" in record.reason


@pytest.mark.skipif("cuda" in backends.devices_present(), reason="a CUDA device is present")
def test_an_absent_device_is_reported_as_not_run() -> None:
    """No record is made up for a device that is not there."""
    records, missing = gather(KL_ONE_HOT, "claim", dtypes=("float32",), devices=("cuda",))
    assert records == ()
    assert "not present" in missing[0].why


def test_an_unknown_dtype_is_an_error() -> None:
    """The message names the dtypes that are near."""
    with pytest.raises(UsageError, match="did you mean float64"):
        gather(KL_ONE_HOT, "claim", dtypes=("float46",), devices=("cpu",))


@pytest.mark.parametrize(
    ("printed", "got", "same"),
    [
        ("got   1.5\nexact 1", (Fraction(3, 2),), True),
        ("got   nan\n", (float("nan"),), True),
        ("got   -inf\n", (float("-inf"),), True),
        ("got   1.5\n", (Fraction(1),), False),
        ("ValueError: no", (Fraction(1),), False),
        ("got   1.0\n", (Fraction(1), Fraction(1)), False),
    ],
)
def test_a_script_reproduces_only_the_same_result(printed: str, got: tuple[Any, ...], same: bool) -> None:
    """Equality is exact, nan equals nan, and silence is no agreement."""
    assert check_reproduction(printed, got) is same


@pytest.mark.parametrize(
    ("got", "exact", "bound", "status"),
    [
        (Fraction(1), Fraction(1), Fraction(0), Status.PASSED),
        (Fraction(1), Fraction(2), Fraction(1), Status.PASSED),
        (Fraction(1), Fraction(2), Fraction(99, 100), Status.REFUTED),
        (float("nan"), Fraction(2), Fraction(10**9), Status.REFUTED),
        (float("inf"), Fraction(2), Fraction(10**9), Status.REFUTED),
        (float("inf"), Fraction(2), None, Status.REFUTED),
        (Fraction(2), Fraction(2), None, Status.UNKNOWN),
        (float("inf"), Fraction(2) ** 200, Fraction(2) ** 180, Status.PASSED),
        (float("inf"), float("inf"), Fraction(0), Status.PASSED),
        (float("-inf"), float("inf"), Fraction(0), Status.REFUTED),
        (Fraction(10) ** 38, float("inf"), Fraction(0), Status.REFUTED),
    ],
)
def test_results_are_judged(got: Any, exact: Any, bound: Fraction | None, status: Status) -> None:
    """Refuted only beyond the bound; nan, and an infinity for a plain number, under every bound."""
    assert judge(got, Enclosure(exact, exact), bound, format_named("float32")).status is status


@pytest.mark.parametrize("dtype", ["float16", "float32"])
@pytest.mark.parametrize("bound", [None, Fraction(1)])
def test_an_infinity_for_a_number_is_infinitely_wrong(dtype: str, bound: Fraction | None) -> None:
    """Where the exact value is a number of the format, no count of ulps measures an infinite result."""
    outcome = judge(math.inf, Enclosure(Fraction(2), Fraction(2)), bound, format_named(dtype))
    assert (outcome.ulp, outcome.ratio) == (math.inf, math.inf)


def test_an_overflow_within_the_bound_keeps_its_finite_error() -> None:
    """Where the bound reaches beyond the range, an infinity counts as the first power beyond it."""
    largest = format_named("float16").largest
    outcome = judge(math.inf, Enclosure(largest, largest), Fraction(64), format_named("float16"))
    assert (outcome.status, outcome.ulp, outcome.ratio) == (Status.PASSED, 1.0, 0.5)


def test_a_wide_enclosure_decides_nothing() -> None:
    """A result that may or may not be within the bound is unknown."""
    truth = Enclosure(Fraction(1), Fraction(2))
    assert judge(Fraction(1), truth, Fraction(1, 2), format_named("float32")).status is Status.UNKNOWN


def square_of_the_first(torch: Any, g: Any) -> Any:
    """Is wrong by more, the larger the input."""
    return torch.logsumexp(g, dim=0) + g[0] * g[0]


def _wrong_everywhere() -> EvidenceRecord:
    operation = replace(logsumexp, peers=(Peer("square", square_of_the_first),))
    return _records(_same(operation, LOGITS[0]))["left", "square"]


def test_the_headline_is_the_error_of_the_worst_input() -> None:
    """The worst input is kept beside the simple one, and the number above them is its error."""
    record = _wrong_everywhere()
    assert record.worst_case is not None
    assert record.counterexample is not None
    assert record.worst_ulp == record.worst_case.error_ulp > record.counterexample.error_ulp
    assert record.worst_case.inputs != record.counterexample.inputs


def test_the_largest_share_of_the_bound_counts_wherever_it_is() -> None:
    """Of all refuting inputs the headline has the largest error / bound, not that of the worst input."""
    example, worst = (
        Error((), (Fraction(1),), (), ulp, 1.0, ratio) for ulp, ratio in ((2.0, 2.0), (5.0, 3.0))
    )
    found = replace(_wrong_everywhere(), worst_ratio=9.0)
    record = refutation(found, KL_ONE_HOT, example, worst, lambda _, error: Confirmed(CASE, "", ""))
    assert (record.worst_ulp, record.worst_ratio) == (5.0, 9.0)


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_the_headline_is_at_least_the_error_of_the_example(dtype: str) -> None:
    """Shrinking may come upon an input that is worse than all that were searched."""
    shown = [record for record in _records(BINARY, dtype).values() if record.counterexample is not None]
    assert len(shown) > 3
    assert all((r.worst_ulp or 0) >= r.counterexample.error_ulp for r in shown if r.counterexample)


def test_a_worst_input_that_is_not_confirmed_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The headline is then the error of the simple input, and the record says what was left out."""
    known = _wrong_everywhere().counterexample
    assert known is not None
    confirm = confirmation.confirm

    def only_the_simple(formula: Any, values: Any, truth: Any) -> str:
        if text_of(values[0]) != known.inputs[0][1]:
            raise VerifyError("mpmath does not agree")
        return confirm(formula, values, truth)

    monkeypatch.setattr(confirmation, "confirm", only_the_simple)
    record = _wrong_everywhere()
    assert (record.status, record.worst_case) == (Status.REFUTED, None)
    assert record.worst_ulp == known.error_ulp
    assert "is left out: mpmath does not agree" in record.reason


def test_what_has_no_torch_function_is_named_by_its_expression() -> None:
    """A side computed term by term says what it computes; one with a torch function has its name."""
    records = _records(_same(logsumexp, LOGITS[0]), examples=3)
    assert records["right", "definition"].expression == "log(sum_{i=1..n} exp(g[i]))"
    assert records["left", "torch.logsumexp"].expression == ""


def test_two_sides_compared_are_the_same_two_in_headline_and_example() -> None:
    """A pair of implementations is named once; its simple and its worst input are both of that pair."""
    (record,) = (r for (side, name), r in _records(BINARY).items() if side == "between" and name != EXACT)
    assert record.status is Status.REFUTED
    assert f"{record.claim}: {record.implementation} in" in (record.reproducer or "")


def test_a_check_keeps_where_it_erred() -> None:
    """The worst of its profile is its worst error / bound, to two digits."""
    records, _ = gather(
        _same(logsumexp, real("g", "n")), "claim", dtypes=["float32"], devices=["cpu"], examples=10
    )
    kept = [record for record in records if record.worst_ratio is not None and record.by_order]
    assert kept
    for record in kept:
        worst = max(ratio for _, ratio in points_of(record.by_order))
        assert worst == float(f"{record.worst_ratio:.2g}")

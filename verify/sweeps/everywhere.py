"""Every input of a 16-bit format, as part of a check: one verdict for each form and property."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from verify.backends import require_device
from verify.candidate import CandidateError
from verify.contexts.torch import NotApplicableError
from verify.contract import Contract
from verify.errors import UnavailableError
from verify.floats import FORMATS
from verify.form import Form
from verify.forms import contract_of_form, forms_for
from verify.guard import HungError, guarded, limited
from verify.operation import Operation
from verify.state import preserved
from verify.sweeps.chunks import examine
from verify.sweeps.conclusion import concluded, subject_of
from verify.sweeps.subject import Subject
from verify.sweeps.summary import summarised
from verify.verdict import Status, Verdict

MARK = " of every input"
"""What stands between the property and the name of the form in the aspect of such a verdict."""


@dataclass(frozen=True, slots=True)
class Everywhere:
    """One property of a candidate on every input of one form in a 16-bit dtype; good for one verdict."""

    candidate: Callable[..., Any]
    form: Form
    judged: str
    dtype: str
    device: str
    time_limit: float | None = None
    swept: Subject = field(init=False)

    def __post_init__(self) -> None:
        swept = Subject(self.candidate, self.form, self.judged, self.dtype, self.device)
        object.__setattr__(self, "swept", swept)

    @property
    def contract(self) -> Contract:
        """The contract of the operation, fitted to the candidate."""
        return self.swept.contract

    @property
    def aspect(self) -> str:
        """The property, and of which inputs."""
        return f"{self.judged}{MARK}, {self.form.name}"

    @property
    def subject(self) -> str:
        """What the verdict is about, in words."""
        return subject_of(self.swept)

    def verdict(self) -> Verdict:
        """Judge every input. A candidate that does not take such a call makes it not applicable."""
        try:
            require_device(self.device)
        except UnavailableError as error:
            return Verdict(self.subject, Status.UNKNOWN, f"not run: {error}", level="stable")
        order = self.swept.order
        bounds = {0: (0, order.count)}
        try:
            with limited(self.time_limit), guarded(), preserved(self.device):
                if told := self._declined():
                    return Verdict(self.subject, Status.UNKNOWN, told, applicable=False, level="stable")
                found = examine(self.swept, *bounds[0])
        except HungError as error:
            return Verdict(self.subject, Status.REFUTED, f"it takes too long: {error}", level="stable")
        complete = {
            "all": True,
            "covered": "every input",
            "missing": 0,
            "chunks": 1,
            "shard": "",
            "torn": 0,
            "contradicted": [],
        }
        return concluded(self.swept, summarised({0: found}, bounds), complete)

    def _declined(self) -> str:
        """Why the candidate does not take such calls at all, if it does not."""
        order = self.swept.order
        one = order.of(0.5 if self.swept.curve.high > 0 else -0.5)
        try:
            self.swept.compute(order.tensor(one, one + 1, self.device))
        except (NotApplicableError, CandidateError) as error:
            return str(error)
        return ""


def everywhere(
    candidate: Callable[..., Any],
    operation: str | Operation,
    asked: Mapping[str, Any],
    *,
    dtype: str,
    device: str,
    grad: bool,
    time_limit: float | None,
) -> Iterator[Everywhere]:
    """The exhaustive part of a check: none where the dtype is wider, or the options asked for are others."""
    if FORMATS[dtype].width != 16:
        return
    for form in forms_for(operation):
        if form.arity != 1:
            continue
        settings = form.settings(contract_of_form(form))
        if all(settings[name] in _values(value) for name, value in asked.items()):
            for aspect in ("value", "gradient")[: 1 + (grad and form.gradient is not None)]:
                yield Everywhere(candidate, form, aspect, dtype, device, time_limit)


def _values(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list | tuple) else (value,)

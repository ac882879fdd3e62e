"""Forms of a call that a candidate has or lacks: further axes, other targets, an empty batch."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from verify.calls import Call
from verify.drawn_options import Drawn
from verify.found import Found
from verify.judgement import Outcome
from verify.verdict import Status

Form = tuple[str, Any]
"""An option that is no keyword, or another trait of a call, and its value."""

TRACKED: Form = ("requires_grad", True)
"""The form of a call in which autograd follows all tensors that a gradient may be asked for."""


@dataclass(slots=True)
class Forms:
    """Examines calls, and learns which forms the candidate has: one in which it fails at once it lacks.

    ``examine`` judges a call, ``failed`` says of what was found whether the candidate failed there, and
    ``first_calls(choices)`` draws the call by which a form is tried.
    """

    drawn: Drawn
    examine: Callable[[Call], Found]
    failed: Callable[[Found], bool]
    first_calls: Callable[[dict[str, tuple[Any, ...]]], Iterable[Call]]
    having: set[Form] = field(default_factory=set)
    lacking: set[Form] = field(default_factory=set)
    probed: set[Form] = field(default_factory=set)

    def examined(self, call: Call) -> Found:
        """What a call shows, without autograd where the candidate does not take tensors that it follows."""
        if call.trained and TRACKED in self.lacking:
            plain = replace(call, tracked=False)
            found = self.examined(plain)
            return replace(found, call=found.call or plain)
        forms = {
            (form.name, call.options[form.name])
            for form in call.contract.forms(call.options)
            if len(self.drawn.choices.get(form.name, ())) > 1
        }
        for form in forms - self.having - self.lacking - self.probed:
            self._probe(form)
        if not call.rows:
            forms.add(("rows", 0))
        if call.trained:
            forms.add(TRACKED)
        if lacking := forms & self.lacking:
            return _without(lacking)
        found = self.examine(call)
        if self.failed(found):
            new = forms - self.having
            if TRACKED in new:
                return self._untracked(call, found.outcome)
            if len(new) == 1:
                self.lacking |= new
            if new:
                return _without(new, found.outcome.reason)
        elif found.outcome.judged:
            self.having |= forms
        elif TRACKED in forms - self.having and not found.outcome.applicable:
            return self._untracked(call, found.outcome)
        return found

    def _probe(self, form: Form) -> None:
        """Find out by the first call of a form whether the candidate has it.

        In one row, or with one class, a function may fit a form that it does not have. One that fails in
        another layout alone has it.
        """
        self.probed.add(form)
        choices = self.drawn.only(form)
        if "none" in self.drawn.taken().get("reduction", ()):
            choices["reduction"] = ("none",)
        for call in self.first_calls(choices):
            self.examined(replace(call, tracked=False, layout="contiguous"))

    def _untracked(self, call: Call, outcome: Outcome) -> Found:
        """What a call that failed or was declined shows where autograd follows no more than it has to.

        Where it fails all the same, that is what it shows; else the candidate does not take the other form,
        and has the options of this call.
        """
        self.lacking.add(TRACKED)
        plain = replace(call, tracked=False)
        found = self.examined(plain)
        if found.outcome.judged and found.outcome.status is not Status.REFUTED:
            self.drawn.learn(plain, found.outcome)
            return _without({TRACKED}, outcome.reason)
        self.lacking.discard(TRACKED)
        return replace(found, call=found.call or plain)


def _without(forms: set[Form], reason: str = "") -> Found:
    """That a candidate does not have a form of the call."""
    told = ", ".join(f"{name} = {value!r}" for name, value in sorted(forms, key=str))
    return Found(
        Outcome(
            Status.UNKNOWN,
            applicable=False,
            reason=f"it does not take calls with {told}" + f": {reason}" * bool(reason),
        )
    )

"""Subjects: a candidate, a form and a property in one dtype on one device, at many inputs or at one."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from verify.backends import exact_value, load_torch, torch_dtype
from verify.calls import Call
from verify.candidate import CandidateError, fitted, message_of, required
from verify.contexts.models import model_for
from verify.contexts.rounding import error_bounds
from verify.contexts.series import LOCK
from verify.contexts.torch import NotApplicableError
from verify.contract import Contract
from verify.elements import actions_of, element, flat, formula_of, values_of
from verify.errors import DomainError
from verify.floats import Bound, Enclosure, format_named, ulp_error
from verify.form import Argument, Curve, Filled, Form
from verify.forms import contract_of_form
from verify.judgement import NO_BOUND, NO_VALUE, Outcome, judge
from verify.oracle import Undecided, enclose
from verify.signatures import call_with, signature_of
from verify.sweeps.order import Order
from verify.verdict import Status
from verify.wide import Wide

MAX_BITS = 4096


@dataclass(frozen=True)
class Subject:
    """What a sweep is about. ``aspect`` is "value" or "gradient", in the first argument of the form."""

    candidate: Callable[..., Any]
    form: Form
    aspect: str
    dtype: str
    device: str = "cpu"

    @functools.cached_property
    def contract(self) -> Contract:
        """The contract of the operation, fitted to the candidate."""
        return fitted(contract_of_form(self.form), self.candidate)

    @functools.cached_property
    def options(self) -> dict[str, Any]:
        """The value of every option."""
        return self.form.settings(self.contract)

    @functools.cached_property
    def order(self) -> Order:
        """The numbering of the patterns of the dtype."""
        return Order(format_named(self.dtype))

    @functools.cached_property
    def curve(self) -> Curve:
        """What is known of the exact function."""
        return self.form.curve(self.aspect)

    @functools.cached_property
    def judged(self) -> str:
        """The property in the words of a check."""
        if self.aspect == "value":
            return "value"
        of = self.contract.gradients[0].of
        return "gradient" if self.of == of else f"gradient of {self.of}"

    @functools.cached_property
    def of(self) -> str:
        """The name of the variable that the first argument stands in."""
        return self.contract.variables(self.options)[self.form.of].name

    @functools.cached_property
    def infinities(self) -> tuple[float, ...]:
        """The infinities that the argument may be."""
        return tuple(
            x
            for x in self.contract.infinite.get(self.of, ())
            if self.curve.low <= x <= self.curve.high and self.form.arity == 1
        )

    @functools.cached_property
    def _signature(self) -> inspect.Signature | None:
        """That of the candidate, as far as Python knows it."""
        return signature_of(self.candidate)

    def compute(self, *columns: Any) -> Any:
        """The numbers that the candidate gives for n arguments: a tensor of the dtype, of shape (n,).

        Raises ``CandidateError`` where it raises or returns anything else than a tensor of the right
        shape, dtype and device, and ``NotApplicableError`` where it does not take such calls.
        """
        torch, n = load_torch(), columns[0].numel()
        values = [self._tensor(filled, columns, n) for filled in self.form.variables]
        grad = self.aspect != "value"
        if grad:
            values[self.form.of] = values[self.form.of].detach().requires_grad_()
        positional, keywords = self.contract.arguments(self.options, tuple(values))
        with torch.inference_mode(False), torch.set_grad_enabled(grad):
            result = self._called([tensor for _, tensor in positional], dict(keywords))
            lengths = {"N": n, "C": n if self.options["axes"] == 1 else len(self.form.variables[0].entries)}
            shape = self.contract.lengths(self.options, lengths)
            result = required(result, shape, self.dtype, self.device, "result")
            if grad:
                result = self._backward(result, values[self.form.of])
        return result if result.dim() == 1 else result[:, self.form.place if grad else self.form.column or 0]

    def _tensor(self, filled: Filled, columns: Sequence[Any], n: int) -> Any:
        torch = load_torch()

        def column(entry: Any, n: int) -> Any:
            if isinstance(entry, Argument):
                return columns[entry.number]
            if isinstance(entry, int):
                return torch.full((n,), entry - 1, dtype=torch.int64, device=self.device)
            return torch.full((n,), float(entry), dtype=torch_dtype(self.dtype), device=self.device)

        if filled.along == "entries":
            return column(filled.entries[0], n)
        if filled.along == "classes":
            return torch.cat([column(entry, 1) for entry in filled.entries])
        rows = torch.empty(n, len(filled.entries), dtype=torch_dtype(self.dtype), device=self.device)
        for place, entry in enumerate(filled.entries):
            rows[:, place] = column(entry, n)
        return rows

    def _called(self, positional: list[Any], keywords: dict[str, Any]) -> Any:
        passed = keywords | {
            option.name: self.options[option.name]
            for option in self.contract.options
            if option.keyword and option.name not in keywords and self.options[option.name] != option.default
        }
        try:
            if self._signature is not None:
                self._signature.bind(*positional, **passed)
        except TypeError as error:
            raise NotApplicableError(f"it does not take such a call: {error}") from error
        return self._run("it", lambda: call_with(self.candidate, positional, passed))

    def _backward(self, result: Any, leaf: Any) -> Any:
        torch = load_torch()
        if not result.requires_grad:
            raise self._cut_off()
        upstream = torch.ones_like(result)
        if result.dim() > 1:
            upstream = torch.zeros_like(result)
            upstream[:, self.form.column or 0] = 1
        (gradient,) = self._run(
            "its backward pass", lambda: torch.autograd.grad(result, leaf, upstream, allow_unused=True)
        )
        if gradient is None:
            raise self._cut_off()
        return required(gradient, tuple(leaf.shape), self.dtype, self.device, "gradient")

    def _cut_off(self) -> Exception:
        told = f"the result is cut off from {self.of}: autograd knows no gradient"
        optional = self.contract.gradient(self.of).optional
        return NotApplicableError(told) if optional else CandidateError(told)

    @staticmethod
    def _run(subject: str, action: Callable[[], Any]) -> Any:
        try:
            return action()
        except NotImplementedError as error:
            raise NotApplicableError(f"it declines such a call: {message_of(error)}") from error
        except Exception as error:
            raise CandidateError(f"{subject} raised {message_of(error)}") from error

    def call(self, *arguments: Bound) -> Call:
        """The call with one number for each argument, as a check makes it."""
        values = tuple(self._value(filled, arguments) for filled in self.form.variables)
        return Call(self.contract, self.options, self._lengths, values, self._upstream)

    @functools.cached_property
    def _lengths(self) -> dict[str, int]:
        """The lengths of a call with one number for each argument."""
        return {"N": 1, "C": 1 if self.options["axes"] == 1 else len(self.form.variables[0].entries)}

    @functools.cached_property
    def _upstream(self) -> Any:
        """What flows back in a call with one number for each argument: 1 to the number looked at."""
        shape = self.contract.lengths(self.options, self._lengths)
        if len(shape) > 1:
            return (tuple(Fraction(int(j == (self.form.column or 0))) for j in range(shape[1])),)
        return tuple(Fraction(1) for _ in range(shape[0]))

    def given(self, x: Any) -> tuple[Any, ...]:
        """The values that the formulas of a form of one argument take at ``x``, of any kind."""
        values = tuple(self._value(filled, (x,)) for filled in self.form.variables)
        return values if self.aspect == "value" else (self._upstream, *values)

    @staticmethod
    def _value(filled: Filled, arguments: Sequence[Any]) -> Any:
        entries = tuple(arguments[e.number] if isinstance(e, Argument) else e for e in filled.entries)
        return (entries,) if filled.along == "rows" else entries

    def tables(self, *columns: Any) -> tuple[Any, ...]:
        """The values that the formulas of whole tables take, upstream gradient first where there is one.

        ``columns``: the arguments as float64 tensors.
        """
        n, torch = columns[0].numel(), load_torch()

        def column(entry: Any, n: int) -> Any:
            if isinstance(entry, Argument):
                return columns[entry.number]
            kind = torch.int64 if isinstance(entry, int) else torch.float64
            return torch.full(
                (n,), float(entry) if kind is torch.float64 else entry, dtype=kind, device=columns[0].device
            )

        def table(filled: Filled) -> Wide:
            if filled.along == "entries":
                return Wide(column(filled.entries[0], n))
            if filled.along == "classes":
                return Wide(torch.cat([column(entry, 1) for entry in filled.entries]))
            return Wide(torch.stack([column(entry, n) for entry in filled.entries], dim=1))

        values = tuple(table(filled) for filled in self.form.variables)
        if self.aspect == "value":
            return values
        rows = torch.tensor(
            [[float(x) for x in row] if isinstance(row, tuple) else float(row) for row in self._upstream],
            dtype=torch.float64,
            device=columns[0].device,
        )
        return Wide(rows.expand(n, *rows.shape[1:]).contiguous()), *values

    @property
    def position(self) -> int:
        """The place of the number that is looked at, in the result of one call."""
        return self.form.place if self.aspect != "value" else self.form.column or 0

    def formulas(self) -> tuple[Callable[..., Any], ...]:
        """The definition, the standard algorithm, and others equally stable, of options and values."""
        return actions_of(self.contract, self.judged)

    def enclosure(self, *arguments: Bound) -> Enclosure | Undecided:
        """What encloses the exact number; ``Undecided`` also where there is none."""
        formula, values = formula_of(self.call(*arguments), self.judged)
        try:
            with LOCK:
                return enclose(
                    lambda c, *x: element(formula(c, *x), self.position),
                    values,
                    format=self.order.format,
                    max_bits=MAX_BITS,
                )
        except DomainError as error:
            return Undecided(MAX_BITS, f"{NO_VALUE}: {error}")

    def outcome(self, got: Bound, *arguments: Bound) -> tuple[Outcome, Enclosure | None]:
        """The exact judgement of one result, and what encloses the number that it should be.

        A correctly rounded result passes where no algorithm has a bound, too (`Counts`).
        """
        truth = self.enclosure(*arguments)
        if isinstance(truth, Undecided):
            return Outcome(Status.UNKNOWN, got=got, reason=truth.reason), None
        found = judge(got, truth, self.bound(*arguments), self.order.format)
        if found.status is Status.REFUTED:
            found = judge(got, truth, self.bound(*arguments, fast=True), self.order.format)
        if found.reason == NO_BOUND and ulp_error(got, truth, self.order.format)[1] <= Fraction(1, 2):
            found = replace(found, status=Status.PASSED, reason="")
        return found, truth

    def bound(self, *arguments: Bound, fast: bool = False) -> Fraction | None:
        """The largest bound of those of the stable algorithms that have one there; None where none has.

        With ``fast`` in the arithmetic of GPU kernels.
        """
        call, model = self.call(*arguments), replace(model_for(self.dtype, self.device), fast=fast)
        values, found = values_of(call, self.judged), []
        for action in self.formulas()[1:]:
            try:
                bounds = error_bounds(lambda c, *x, act=action: flat(act(c, self.options, *x)), values, model)
            except DomainError:
                continue
            found += [] if bounds is None else [bounds[self.position]]
        return max(found, default=None)

    def result_at(self, *numbers: int) -> Bound:
        """What the candidate gives for one input by itself, given by its numbers in float order."""
        columns = [self.order.tensor(n, n + 1, self.device) for n in numbers]
        return exact_value(self.compute(*columns))

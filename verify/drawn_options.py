"""The values of options that a search draws: those that the candidate has not always declined."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from verify.calls import Call
from verify.contract import Contract
from verify.judgement import Outcome

DECLINED = 8
"""Calls with a value of a keyword, all of them declined, after which it is drawn no more."""


ALONE = 2
"""Calls with one value of an option, all others at their defaults, from which on it counts as drawn."""


@dataclass(slots=True)
class Drawn:
    """The values to draw for each option, ``choices``, and how many calls with each were answered."""

    contract: Contract
    choices: Mapping[str, tuple[Any, ...]]
    asked: Counter[tuple[str, Any]] = field(default_factory=Counter)
    answered: Counter[tuple[str, Any]] = field(default_factory=Counter)
    together: Counter[tuple[tuple[str, Any], tuple[str, Any]]] = field(default_factory=Counter)

    exactly: Counter[frozenset[tuple[str, Any]]] = field(default_factory=Counter)

    def learn(self, call: Call, outcome: Outcome) -> None:
        """Count the calls with each value of the options, and those that were answered."""
        self.asked.update(call.options.items())
        self.together.update(itertools.permutations(call.options.items(), 2))
        defaults = {option.name: option.default for option in self.contract.options}
        self.exactly[frozenset(one for one in call.options.items() if one[1] != defaults[one[0]])] += 1
        if outcome.applicable:
            self.answered.update(call.options.items())

    def taken(self, *, plain: bool = False) -> dict[str, tuple[Any, ...]]:
        """The values to draw for each option, without those with which every call so far was declined.

        A keyword is given up after several such calls, as another option may have been the reason; a form
        after one such call with no other form that the candidate lacks. With ``plain`` forms are plain.
        """
        forms = {option.name: option.default for option in self.contract.options if not option.keyword}

        def fits(name: str, value: Any) -> bool:
            if plain and name in forms:
                return bool(value == forms[name])
            if self.answered[name, value]:
                return True
            return not self._lacks(name, value) if name in forms else self.asked[name, value] < DECLINED

        return {
            name: tuple(value for value in values if fits(name, value)) or values
            for name, values in self.choices.items()
        }

    def _lacks(self, name: str, value: Any) -> bool:
        """Whether a form was declined, and every other form that it had then is answered elsewhere."""
        others = [option for option in self.contract.options if not option.keyword and option.name != name]
        return self.asked[name, value] > 0 and all(
            any(
                self.together[(name, value), (other.name, one)] and self.answered[other.name, one]
                for one in self.choices[other.name]
            )
            for other in others
        )

    def only(self, *fixed: tuple[str, Any]) -> dict[str, tuple[Any, ...]]:
        """The choices with these values of some options and the defaults of the others."""
        defaults = {o.name: (o.default,) for o in self.contract.options if o.default in self.choices[o.name]}
        return {**self.taken(), **defaults, **{name: (value,) for name, value in fixed}}

    def other_forms(self) -> list[tuple[str, Any]]:
        """The forms of a call that are not the plain one."""
        taken, forms = self.taken(), [option for option in self.contract.options if not option.keyword]
        return [(form.name, value) for form in forms for value in taken[form.name] if value != form.default]

    def jointly(self, number: int, *fixed: tuple[str, Any]) -> Iterator[dict[str, tuple[Any, ...]]]:
        """The choices with every keyword at another value than its default, by ``number``, but those fixed.

        Then those with one of the keywords at its default, as some do not go together.
        """
        taken, held = self.taken(), {name for name, _ in fixed}
        others = [
            (option.name, values[number % len(values)])
            for option in self.contract.options
            if option.keyword and option.name not in held
            if (values := [value for value in taken[option.name] if value != option.default])
        ]
        yield self.only(*others, *fixed)
        for left_out in others:
            yield self.only(*(one for one in others if one != left_out), *fixed)

    def rare(self, often: int) -> list[tuple[tuple[str, Any], ...]]:
        """Options hardly drawn: none or one at another value than its default, each `ALONE` times.

        Then a form and a keyword together, where fewer than ``often`` calls had both, and two forms where
        no call had them and no other option.
        """
        taken, keywords = self.taken(), {option.name for option in self.contract.options if option.keyword}
        values = [
            (option.name, value)
            for option in self.contract.options
            for value in taken[option.name]
            if value != option.default
        ]
        alone = [
            fixed for fixed in [(), *((one,) for one in values)] if self.exactly[frozenset(fixed)] < ALONE
        ]
        forms = [one for one in values if one[0] not in keywords]
        pairs = [
            (one, other)
            for one, other in itertools.combinations(forms, 2)
            if one[0] != other[0] and not self.exactly[frozenset((one, other))]
        ]
        mixed = [
            (form, one)
            for form in forms
            for one in values
            if one[0] in keywords and self.together[form, one] < often
        ]
        return alone * ALONE + mixed + pairs

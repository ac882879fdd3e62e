"""Words: numbers and things as sentences name them."""

from __future__ import annotations

from typing import Any


def counted(count: int, noun: str) -> str:
    """A number with its noun, in the plural where it is not 1.

    >>> counted(1, "check"), counted(1200, "check")
    ('1 check', '1,200 checks')
    """
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def kind_of(thing: Any) -> str:
    """The type of a thing with its article.

    >>> kind_of(3), kind_of("3")
    ('an int', 'a str')
    """
    name = type(thing).__name__
    return f"an {name}" if name[0].lower() in "aeio" else f"a {name}"

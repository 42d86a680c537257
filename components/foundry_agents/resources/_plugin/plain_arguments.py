"""Arguments that a program must give as plain values: all that are something else are refused at once, in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import pulumi

from foundry_agents.lifecycle.failure.errors import InputError, Problem
from foundry_agents.lifecycle.schema.lists import is_list, not_a_list

A_PROJECT = "a project"
AN_EXAMPLE = "for example FoundryProject(…), or FoundryProject.existing(endpoint=…)"
KNOWN_IN_PREVIEWS = "the preview must know it, so give a plain value and no Output"


def reject_problems(subject: str, *found: Iterable[Problem]) -> None:
    """End the program with one text when there are problems.

    Args:
        subject: What has them: `FoundryProject "shop"`.
        found: The problems, as the functions of this module return them.

    Raises:
        pulumi.RunError: There are some; the text names all of them, sorted by path.
    """
    problems = [problem for each in found for problem in each]
    if problems:
        raise pulumi.RunError(str(InputError(subject, problems)))


def subject_of(kind: str, name: object) -> str:
    """Return how an error calls a component; a name that is no text is left out."""
    return f'{kind} "{name}"' if isinstance(name, str) else kind


def texts(**given: object) -> Iterator[Problem]:
    """Return a problem for each argument that is not a text with at least one character."""
    for path, value in given.items():
        if not isinstance(value, str):
            yield Problem(path, f"expected text, got {_kind_of(value)}")
        elif not value:
            yield Problem(path, "must not be empty")


def optional_texts(**given: object) -> Iterator[Problem]:
    """Return a problem for each argument that is neither None nor a text."""
    for path, value in given.items():
        if value is not None and not isinstance(value, str):
            yield Problem(path, f"expected text or None, got {_kind_of(value)}")


def flags(**given: object) -> Iterator[Problem]:
    """Return a problem for each argument that is neither True nor False."""
    for path, value in given.items():
        if not isinstance(value, bool):
            yield Problem(path, f"expected True or False, got {_kind_of(value)}")


def mappings(*, required: bool = False, **given: object) -> Iterator[Problem]:
    """Return a problem for each argument that is neither a mapping nor, unless it is required, None."""
    for path, value in given.items():
        if (value is not None or required) and not isinstance(value, Mapping):
            yield Problem(path, f"expected a mapping, got {_kind_of(value)}")


def lists(**given: object) -> Iterator[Problem]:
    """Return a problem for each argument that is not a list; ``()`` is one, None is none."""
    for path, value in given.items():
        if not is_list(value):
            yield Problem(path, f"{not_a_list('values', value)}{_advice(value)}")


def one_of(path: str, value: object, kind: type, example: str, *, optional: bool = True) -> Iterator[Problem]:
    """Return a problem unless a value is an instance of ``kind`` or, with ``optional``, None."""
    if not isinstance(value, kind) and not (optional and value is None):
        yield Problem(path, f"expected {kind.__name__}, got {_kind_of(value)}; for example {example}")


def projects(path: str, value: object, *, has: str = "before_agents") -> Iterator[Problem]:
    """Return a problem unless a value is a project: of this stack, an existing one, or one of a contract.

    Args:
        path: The property path.
        value: What the program gives.
        has: What is needed of it; by default what every project has and nothing else.
    """
    # By what every project has: the classes are in layers above this one, and users' tests have fakes.
    if isinstance(value, type | pulumi.Output) or not hasattr(value, has):
        yield Problem(path, f"expected {A_PROJECT}, got {_kind_of(value)}; {AN_EXAMPLE}")


def _kind_of(value: object) -> str:
    name = "the class " + value.__name__ if isinstance(value, type) else type(value).__name__
    return ("None" if value is None else name) + _advice(value)


def _advice(value: object) -> str:
    return f": {KNOWN_IN_PREVIEWS}" if isinstance(value, pulumi.Output) else ""

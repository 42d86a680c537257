"""Credentials in a toolbox: everyone with a role on the project can read its tools, so no text of one may be one.

Every text is judged, at any depth, in fields of any type. In an OpenAPI document (``spec``) most texts are names,
examples and prose about credentials; there only values count that the service would send or resolve: URLs, defaults,
constants and extensions, under the name of their parameter or property.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from urllib.parse import quote

from foundry_agents.lifecycle.credentials import (
    BY_NAME,
    is_credential_name,
    is_filled_in_later,
    why_credential,
    why_form,
)
from foundry_agents.lifecycle.schema.report import Report

DO = "use a ProjectConnection (connection=…)"

_VALUES = frozenset({"default", "const", "value"})
"""Keys in an OpenAPI document whose values are those of the parameter or property around them."""

_STRUCTURE = frozenset({"schema", "items", "additionalProperties", "allOf", "anyOf", "oneOf"})
"""Keys in an OpenAPI document that do not name what is in them."""

_EXAMPLES = frozenset({"example", "examples", "pattern", "format", "scopes", "mapping", "x-example", "x-examples"})
"""Keys in an OpenAPI document whose values are no credentials: what they show is made up or a name."""


def refuse_credentials(path: str, tool: Mapping[str, object], report: Report) -> None:
    """Add a problem for each text of a tool that looks like a credential and is not declared as readable.

    Args:
        path: The tool's path: ``tools.docs``.
        tool: Its API payload.
        report: Where problems go; ``readable`` holds the paths that may be read.
    """
    refused = {problem.path for problem in report.problems}
    for where, why in _inside(path, tool, "", report.is_unknown):
        if where not in refused and not report.may_be_read(where):
            refused.add(where)
            report.add(where, refusal(why, where))


def credentials_in(values: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Return path and reason of each text in these values that looks like a credential."""
    for name, value in values.items():
        yield from _inside(name, value, name, lambda _value: False)


def refusal(why: str, path: str) -> str:
    """Return the sentence for a text that looks like a credential."""
    return (
        f"looks like a credential, {why}, and everyone who may read the toolbox can read it: {DO}; "
        f'if it is not a credential: Toolbox(…, readable=["{path}"])'
    )


Found = Iterator[tuple[str, str]]
_IsUnknown = Callable[[object], bool]


def _inside(path: str, value: object, name: str, is_unknown: _IsUnknown) -> Found:
    """Yield path and reason for each credential in a part of a tool."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            where = f"{path}.{key}"
            if why := why_form(key):
                yield path, f"a name in it has {why.removeprefix('by ')}"
            elif key == "spec" and isinstance(inner, Mapping):
                yield from _in_spec(where, inner, "", is_unknown)
            elif name == "headers" and (why := _why_header(key, inner)):
                yield where, why
            else:
                yield from _inside(where, inner, _named_by(value, key), is_unknown)
    elif isinstance(value, (list, tuple)):
        for position, inner in enumerate(value):
            yield from _inside(f"{path}[{position}]", inner, name, is_unknown)
    elif isinstance(value, str) and not is_unknown(value) and (why := why_credential(name, value)):
        yield path, why


def _why_header(name: str, value: object) -> str | None:
    """Judge a header by its name, also where its value is a plain word or not known yet: it has no other use."""
    if value is not None and is_credential_name(name) and not (isinstance(value, str) and is_filled_in_later(value)):
        return BY_NAME
    return None


def _named_by(siblings: Mapping[str, object], key: str) -> str:
    """Return the name of a value: its key, or what is beside it in ``{"name": "api-key", "value": "…"}``."""
    if key == "value":
        beside = next((siblings[one] for one in ("name", "key", "header") if isinstance(siblings.get(one), str)), key)
        return str(beside)
    return "name" if key == "key" and "value" in siblings else key


def _in_spec(path: str, value: object, subject: str, is_unknown: _IsUnknown, key: str = "") -> Found:
    """Yield path and reason for each credential in an OpenAPI document.

    Args:
        path: Where the value is.
        value: A part of the document.
        subject: The parameter, header or property that it belongs to.
        is_unknown: Tells values that only the deployment will know.
        key: Its own key.
    """
    if isinstance(value, Mapping):
        subject = _subject(value, key, subject)
        for inner_key, inner in value.items():
            where = f"{path}.{inner_key}"
            if why := why_form(inner_key):
                yield path, f"a name in it has {why.removeprefix('by ')}"
            elif key == "properties" or inner_key not in _EXAMPLES:
                one_choice = inner_key == "enum" and isinstance(inner, list) and len(inner) == 1
                yield from _in_spec(where, inner, subject, is_unknown, "const" if one_choice else inner_key)
    elif isinstance(value, (list, tuple)):
        for position, inner in enumerate(value):
            yield from _in_spec(f"{path}[{position}]", inner, subject, is_unknown, key)
    elif isinstance(value, str) and not is_unknown(value) and (why := _why_in_spec(key, value, subject)):
        yield path, why


def _subject(value: Mapping[str, object], key: str, around: str) -> str:
    """Return what the values in a part of a document are called: `?name` for a query parameter."""
    if isinstance(name := value.get("name"), str):
        return f"?{name}" if value.get("in") == "query" else name
    return around if key in _STRUCTURE else key


def _why_in_spec(key: str, value: str, subject: str) -> str | None:
    if key in _VALUES:
        in_query = why_form(f"{subject}={quote(value)}") if subject.startswith("?") else None
        return in_query or why_credential(subject, value)
    if key == "enum":  # a choice between words, also for a parameter called `token`; a single one is a constant
        return why_credential("", value)
    if key.startswith("x-") or key == "url":
        return why_credential(key, value)
    return why_form(value)

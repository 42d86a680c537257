"""The resource types, inputs and outputs of the installed ``pulumi_azure_native`` SDK.

The SDK's type tables are read with ``pulumi._types``, as the SDK itself does. That module is private; a
change of it shows in every test of this package.
"""

from __future__ import annotations

import collections.abc
import importlib
import inspect
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from pulumi import _types

PACKAGE = "azure-native"
_MODULE = "pulumi_azure_native"


@dataclass(frozen=True, slots=True)
class Shape:
    """An object type: an ``Args`` class with its properties, or a response type.

    Attributes:
        name: The class's name.
        properties: Pulumi's property name to its type, as Python writes it.
        required: The properties that have no default.
    """

    name: str
    properties: Mapping[str, object]
    required: frozenset[str]


@dataclass(frozen=True, slots=True)
class SdkResource:
    """A resource type of the SDK."""

    token: str
    inputs: Shape
    outputs: Shape


@cache
def find(token: str) -> SdkResource | None:
    """Return the resource type of a token such as ``azure-native:resources:ResourceGroup``; None when the SDK has none.

    Imports only the module in question: the whole SDK takes minutes.
    """
    package, _, rest = token.partition(":")
    module_name, _, class_name = rest.partition(":")
    if package != PACKAGE or not module_name.isidentifier() or not class_name.isidentifier():
        return None
    try:
        module = importlib.import_module(f"{_MODULE}.{module_name}")
    except ModuleNotFoundError:
        return None
    resource = getattr(module, class_name, None)
    # If another type of the same name is a value, that ``Args`` class is the value's.
    arguments = getattr(module, f"{class_name}InitArgs", None) or getattr(module, f"{class_name}Args", None)
    if (
        getattr(resource, "pulumi_type", None) != token
        or not isinstance(resource, type)
        or not isinstance(arguments, type)
    ):
        return None
    return SdkResource(
        token=token,
        inputs=input_shape(arguments),
        outputs=Shape(name=class_name, properties=_types.resource_types(resource), required=frozenset()),
    )


@cache
def input_shape(arguments: type) -> Shape:
    """Return the properties of an ``Args`` class."""
    names = _types.input_type_py_to_pulumi_names(arguments)
    parameters = inspect.signature(arguments.__init__).parameters  # type: ignore[misc]  # a class, not an instance
    required = (name for name, p in parameters.items() if p.default is p.empty)
    return Shape(
        name=arguments.__name__,
        properties=_types.input_type_types(arguments),
        required=frozenset(names[name] for name in required if name in names),
    )


@cache
def output_shape(response: type) -> Shape:
    """Return the properties of a response class."""
    return Shape(name=response.__name__, properties=_types.output_type_types(response), required=frozenset())


def alternatives(annotation: object) -> list[object]:
    """Return the possible types of a property, without Pulumi's wrappers, ``None``, and duplicates."""
    found: list[object] = []
    for member in _flat(annotation):
        if member not in found:
            found.append(member)
    return found


def objects(annotation: object) -> list[Shape]:
    """Return the object types among a property's types."""
    shapes = []
    for member in alternatives(annotation):
        if not isinstance(member, type):
            continue
        if _types.is_input_type(member):
            shapes.append(input_shape(member))
        elif _types.is_output_type(member):
            shapes.append(output_shape(member))
    return shapes


def item_type(annotation: object, container: type) -> object | None:
    """Return the item type of a list (``Sequence``) or map (``Mapping``); None for any other property."""
    for member in alternatives(annotation):
        if typing.get_origin(member) is container:
            return typing.get_args(member)[-1]  # type: ignore[no-any-return]  # typing says Any
    return None


def _flat(annotation: object) -> Iterator[object]:
    origin = typing.get_origin(annotation)
    if origin is typing.Union:
        for member in typing.get_args(annotation):
            yield from _flat(member)
    elif origin is collections.abc.Awaitable or annotation is type(None) or _is_output(annotation):
        return  # the same types again, wrapped
    else:
        yield annotation


def _is_output(annotation: object) -> bool:
    return getattr(typing.get_origin(annotation), "__name__", "") == "Output"

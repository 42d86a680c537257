"""Request bodies against the models of Azure's own management SDKs: unknown fields, wrong kinds, unknown enum values.

Networks and telemetry have no SDK here; what is sent for them is checked against the types of azure-native alone.
"""

from __future__ import annotations

import enum
import re
import types
import typing
from collections.abc import Iterator, Mapping
from typing import Any

from azure.mgmt.authorization.v2022_04_01 import models as authorization
from azure.mgmt.cognitiveservices import models as cognitiveservices
from azure.mgmt.containerregistry import models as containerregistry

MODELS: Mapping[str, type] = {
    "Microsoft.CognitiveServices/accounts": cognitiveservices.Account,
    "Microsoft.CognitiveServices/accounts/deployments": cognitiveservices.Deployment,
    "Microsoft.CognitiveServices/accounts/projects": cognitiveservices.Project,
    "Microsoft.CognitiveServices/accounts/projects/connections": cognitiveservices.ConnectionPropertiesV2BasicResource,
    "Microsoft.CognitiveServices/accounts/capabilityHosts": cognitiveservices.CapabilityHost,
    "Microsoft.CognitiveServices/accounts/projects/capabilityHosts": cognitiveservices.CapabilityHost,
    "Microsoft.ContainerRegistry/registries": containerregistry.Registry,
    "Microsoft.Authorization/roleAssignments": authorization.RoleAssignmentCreateParameters,
}

NEWER_VALUES = {"category": {"AppInsights", "RemoteTool"}}
"""Values that the service takes [observed: public templates] and that the SDK's open enums do not list."""

_PLAIN = {"str": str, "int": int, "bool": bool, "float": (int, float), "object": object, "iso-8601": str}


def problems_of(kind: str, body: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with a request for a resource of this type; types without a model have no problems."""
    model = MODELS.get(kind)
    return [] if model is None else [f"{kind}: {problem}" for problem in _object(body, model, "")]


def _object(body: Mapping[str, Any], model: type, path: str) -> Iterator[str]:
    model = _subtype(body, model)
    fields = dict(_fields(model))
    for name, value in _flat(body, fields).items():
        where = f"{path}.{name}".lstrip(".")
        if name not in fields:
            yield f"{where} is not a field of {model.__name__}"
        elif value is not None:
            yield from _value(value, fields[name], where)


def _flat(body: Mapping[str, Any], fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body as the model's fields: some have a path such as ``properties.scope``."""
    nested = {name.partition(".")[0] for name in fields if "." in name}
    flat: dict[str, Any] = {}
    for name, value in body.items():
        if name in nested and isinstance(value, Mapping):
            flat |= {f"{name}.{inner}": below for inner, below in value.items()}
        else:
            flat[name] = value
    return flat


def _subtype(body: Mapping[str, Any], model: type) -> type:
    """Return the model for what the body says it is, such as a connection's way to sign in."""
    for attribute, kinds in getattr(model, "_subtype_map", {}).items():
        key = getattr(model, "_attribute_map")[attribute]["key"]  # noqa: B009 - private to the SDK
        if body.get(key) in kinds:
            found: type = getattr(cognitiveservices, kinds[body[key]])
            return found
    return model


def _fields(model: type) -> Iterator[tuple[str, Any]]:
    """Yield the JSON name and the type of each field: a class, or the SDK's notation with the enum of its docstring."""
    if hasattr(model, "_attribute_map"):
        for attribute, row in model._attribute_map.items():
            yield row["key"], _documented_enum(model, attribute) or row["type"]
        return
    model({})  # the SDK fills its table of fields when the first object is made
    hints = typing.get_type_hints(model, {**vars(typing), "_models": containerregistry})
    for attribute, field in getattr(model, "_attr_to_rest_field").items():  # noqa: B009 - private to the SDK
        yield field._rest_name, hints[attribute]


def _documented_enum(model: type, attribute: str) -> type | None:
    found = re.search(rf":vartype {attribute}: str or\s+~azure\.mgmt\.([\w.]+)\.(\w+)", model.__doc__ or "")
    home = authorization if found and "authorization" in found[1] else cognitiveservices
    return getattr(home, found[2]) if found else None


def _value(value: Any, kind: Any, path: str) -> Iterator[str]:
    if isinstance(kind, str):
        yield from _in_notation(value, kind, path)
    elif typing.get_origin(kind) in {typing.Union, types.UnionType}:
        options = [option for option in typing.get_args(kind) if option is not type(None)]
        found = [option for option in options if option is not str] or options
        yield from _value(value, found[0], path)
    elif typing.get_origin(kind) in {list, dict}:
        inner = typing.get_args(kind)[-1]
        for key, item in value.items() if isinstance(value, Mapping) else enumerate(value):
            yield from _value(item, inner, f"{path}[{key}]")
    elif isinstance(kind, type) and issubclass(kind, enum.Enum):
        known = {member.value for member in kind} | NEWER_VALUES.get(path.rpartition(".")[2], set())
        if value not in known:
            yield f"{path} is {value!r}, and {kind.__name__} has {', '.join(sorted(known))}"
    elif isinstance(value, Mapping):
        yield from _object(value, kind, path)
    elif not isinstance(value, kind):
        yield f"{path} is {value!r}, not a {kind.__name__}"


def _in_notation(value: Any, kind: str, path: str) -> Iterator[str]:
    """Check a value of a type in the older SDKs' notation: ``str``, ``[Model]``, ``{str}``, ``Model``."""
    if kind[0] in "[{":
        for key, item in value.items() if isinstance(value, Mapping) else enumerate(value):
            yield from _in_notation(item, kind[1:-1], f"{path}[{key}]")
    elif kind in _PLAIN:
        if not isinstance(value, _PLAIN[kind]):  # type: ignore[arg-type]
            yield f"{path} is {value!r}, not {kind}"
    else:
        yield from _object(value, getattr(cognitiveservices, kind), path)

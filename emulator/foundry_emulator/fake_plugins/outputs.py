"""A resource's outputs: from Resource Manager's response, and in a preview, before there is one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from foundry_emulator.fake_plugins import sdk
from foundry_emulator.fake_plugins.catalog import Modelled
from foundry_emulator.fake_plugins.sdk import SdkResource
from foundry_emulator.fake_plugins.values import UNKNOWN, Plain


def outputs(modelled: Modelled, resource: SdkResource, answer: Mapping[str, Plain]) -> dict[str, Plain]:
    """Return those properties of a Resource Manager resource that the SDK has as outputs."""
    lifted = modelled.in_the_sdk(answer)
    properties = lifted.get("properties")
    if "properties" not in resource.outputs.properties and isinstance(properties, Mapping):
        del lifted["properties"]
        lifted = {**modelled.in_the_sdk(properties), **lifted}
    lifted["azureApiVersion"] = modelled.api_version
    return _known(lifted, resource.outputs)


def preview_outputs(modelled: Modelled, resource: SdkResource, inputs: Mapping[str, Plain]) -> dict[str, Plain]:
    """Return the outputs before Azure answered: the inputs; everything else is unknown."""
    predicted = _expected(inputs, resource.outputs)
    predicted["azureApiVersion"] = modelled.api_version
    predicted["name"] = inputs.get(modelled.name_input, UNKNOWN)
    return predicted


def _known(values: Mapping[str, Plain], shape: sdk.Shape) -> dict[str, Plain]:
    return {
        key: _known_value(value, shape.properties[key])
        for key, value in values.items()
        if key in shape.properties and value is not None
    }


def _known_value(value: Plain, annotation: object) -> Plain:
    shapes = sdk.objects(annotation)
    if isinstance(value, Mapping):
        return _known(value, shapes[0]) if len(shapes) == 1 else dict(value)
    if isinstance(value, list):
        item = sdk.item_type(annotation, Sequence)
        return [_known_value(v, item) for v in value] if item is not None else value
    return value


def _expected(values: Mapping[str, Plain], shape: sdk.Shape) -> dict[str, Plain]:
    return {key: _expected_value(values.get(key), annotation) for key, annotation in shape.properties.items()}


def _expected_value(value: Plain, annotation: object) -> Plain:
    if value is None:
        return UNKNOWN
    shapes = sdk.objects(annotation)
    return _expected(value, shapes[0]) if isinstance(value, Mapping) and len(shapes) == 1 else value

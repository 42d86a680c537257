"""What a program declares as a secret, and the service would store where everyone with a role on the project reads it.

Pulumi passes a provider its inputs without saying which are secret, so this is found in the program: an output knows
whether it is secret, also where its value is not known yet.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pulumi
from pulumi import Output

from foundry_agents.lifecycle.failure.errors import InputError, Problem


def without_secrets(text: str, subject: str, do: str, readable: Mapping[str, object]) -> Output[str]:
    """Return a text for a property, so that the resource is not registered if a secret would become readable.

    Args:
        text: The value of the property.
        subject: What the inputs describe: "the tools of a toolbox".
        do: What to do with a value that is a credential.
        readable: Inputs by path, each with outputs at any depth.

    Raises:
        pulumi.RunError: In the output, when the resource is declared: paths of the secrets, and none of their values.
    """

    async def checked() -> str:
        found = [path for path, output in outputs_in(readable) if await output.is_secret()]
        if found:
            reason = f"is a secret, and the service stores it readable: {do}; if it is not a credential: {_UNSECRET}"
            raise pulumi.RunError(str(InputError(subject, [Problem(path, reason) for path in found])))
        return text

    # It does not depend on the outputs' resources: the properties that hold them do.
    return Output.from_input(checked())


_UNSECRET = "pulumi.Output.unsecret(value)"


def outputs_in(values: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, Output[object]]]:
    """Return each output in values at any depth, with its path."""
    for name, value in values.items():
        yield from _in(f"{prefix}{name}", value)


def _in(path: str, value: object) -> Iterator[tuple[str, Output[object]]]:
    if isinstance(value, Output):
        yield path, value
    elif isinstance(value, Mapping):
        yield from outputs_in(value, f"{path}.")
    elif isinstance(value, (list, tuple)):
        for position, item in enumerate(value):
            yield from _in(f"{path}[{position}]", item)

"""A rule: the resources it checks, the violations it finds, their severity and their remedy."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pulumi_policy import (
    PolicyConfigSchema,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    Severity,
)
from pulumi_policy.proxy import UnknownValueError

VERSION = "pulumi-python:dynamic/foundry:HostedAgentVersion"
TOOLBOX = "pulumi-python:dynamic/foundry:ToolboxVersion"
ROLLOUT = "pulumi-python:dynamic/foundry:AgentRollout"
REGISTRY = "azure-native:containerregistry:Registry"
ROLE_ASSIGNMENT = "azure-native:authorization:RoleAssignment"
RESOURCE_GROUP = "azure-native:resources:ResourceGroup"
ACCOUNT = "azure-native:cognitiveservices:Account"
PROJECT = "azure-native:cognitiveservices:Project"

PRODUCTION_STACKS = ("prod",)
"""The default names of production stacks."""

_API_VERSION = re.compile(r"^(azure-native:\w+)/v\w+:")


class Seen:
    """One resource as the engine passes it: its inputs, before the operation.

    Attributes:
        type: Its type, without azure-native's API version.
        stack: Name of its stack.
        is_protected: The program protects it from deletion.
        config: The rule's configuration.
    """

    def __init__(self, args: ResourceValidationArgs) -> None:
        self.type = _API_VERSION.sub(r"\1:", args.resource_type)
        self.stack = args.urn.split("::")[0].rpartition(":")[2]
        self.is_protected = bool(args.opts.protect)
        self.config: Mapping[str, Any] = args.get_config()
        self._props = args.props

    def value(self, *path: str) -> Any:
        """Return the input at a path; None if it is not set, or unknown in a preview."""
        here: Any = self._props
        try:
            for name in path:
                here = here[name]
        except (KeyError, TypeError, UnknownValueError):
            return None
        return here

    def is_known(self, *path: str) -> bool:
        """Return False if the input at a path is set but unknown in a preview."""
        here: Any = self._props
        try:
            for name in path:
                here = here[name]
        except (KeyError, TypeError):
            return True
        except UnknownValueError:
            return False
        return True

    def known(self) -> dict[str, Any]:
        """Return all inputs, at any depth without those that are unknown in a preview."""
        return {name: _known(self.value(name)) for name in self._props}

    @property
    def is_production(self) -> bool:
        """Whether its stack is a production stack."""
        return self.stack in self.config.get("stacks", PRODUCTION_STACKS)


def _known(value: Any) -> Any:
    """Return plain values for what pulumi-policy passes; its lists and maps raise where a part is unknown."""
    if isinstance(value, Mapping):
        return {str(name): _known(_part(value, name)) for name in value}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_known(_part(value, place)) for place in range(len(value))]
    return value


def _part(whole: Any, key: Any) -> Any:
    try:
        return whole[key]
    except UnknownValueError:
        return None


@dataclass(frozen=True)
class Rule:
    """One rule of the pack.

    Attributes:
        name: Its name in configuration and output.
        says: The rule in one sentence.
        severity: The severity of a violation.
        do: The remedy of a violation.
        types: The types of resource that it checks.
        find: Yields a message for each violation, which never contains a value that could be secret.
        config: Its settings, as JSON schema.
    """

    name: str
    says: str
    severity: Severity
    do: str
    types: tuple[str, ...]
    find: Callable[[Seen], Iterator[str]]
    config: Mapping[str, dict[str, Any]] = field(default_factory=dict)

    def check(self, args: ResourceValidationArgs, report: ReportViolation) -> None:
        """Check one resource and report its violations."""
        seen = Seen(args)
        if seen.type in self.types:
            for found in self.find(seen):
                report(f"{found}\n  Do: {self.do}", None)

    def policy(self) -> ResourceValidationPolicy:
        """Return the policy for the engine."""
        return ResourceValidationPolicy(
            self.name,
            self.says,
            self.check,
            config_schema=PolicyConfigSchema(dict(self.config)) if self.config else None,
            severity=self.severity,
            remediation_steps=self.do,
        )


def texts(description: str) -> dict[str, Any]:
    """Return the schema of a setting that is a list of texts."""
    return {"type": "array", "items": {"type": "string"}, "description": description}


STACKS = {"stacks": texts('Names of production stacks; by default ["prod"].')}

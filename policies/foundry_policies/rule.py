"""A rule: which resources it looks at, what it finds in them, how bad that is, and what to do about it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
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
ROLLOUT = "pulumi-python:dynamic/foundry:AgentRollout"
REGISTRY = "azure-native:containerregistry:Registry"
ROLE_ASSIGNMENT = "azure-native:authorization:RoleAssignment"
RESOURCE_GROUP = "azure-native:resources:ResourceGroup"
ACCOUNT = "azure-native:cognitiveservices:Account"
PROJECT = "azure-native:cognitiveservices:Project"

PRODUCTION_STACKS = ("prod",)
"""Names of production stacks unless a rule's configuration says otherwise."""

_API_VERSION = re.compile(r"^(azure-native:\w+)/v\w+:")


class Seen:
    """One resource as the engine shows it: its inputs, before anything is done.

    Attributes:
        type: Its type, without azure-native's API version.
        stack: Name of its stack.
        is_protected: It can't be deleted as long as the program says so.
        config: The rule's configuration.
    """

    def __init__(self, args: ResourceValidationArgs) -> None:
        self.type = _API_VERSION.sub(r"\1:", args.resource_type)
        self.stack = args.urn.split("::")[0].rpartition(":")[2]
        self.is_protected = bool(args.opts.protect)
        self.config: Mapping[str, Any] = args.get_config()
        self._props = args.props

    def value(self, *path: str) -> Any:
        """The input at a path; None when it is not given, and when a preview can't know it yet: an update can."""
        here: Any = self._props
        try:
            for name in path:
                here = here[name]
        except (KeyError, TypeError, UnknownValueError):
            return None
        return here

    def is_known(self, *path: str) -> bool:
        """False only when it is given and can't be known yet."""
        here: Any = self._props
        try:
            for name in path:
                here = here[name]
        except (KeyError, TypeError):
            return True
        except UnknownValueError:
            return False
        return True

    @property
    def is_production(self) -> bool:
        """Its stack is one of the configured production stacks."""
        return self.stack in self.config.get("stacks", PRODUCTION_STACKS)


@dataclass(frozen=True)
class Rule:
    """One rule of the pack; see ``find`` of each for what it looks at.

    Attributes:
        name: How configuration and output name it.
        says: What has to be so, in a sentence.
        severity: How bad it is when it is not.
        do: What to do then.
        types: Resources that it looks at.
        find: Yields a sentence for everything that is wrong. It never holds a value that could be secret.
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
        """Looks at one resource."""
        seen = Seen(args)
        if seen.type in self.types:
            for found in self.find(seen):
                report(f"{found}\n  Do: {self.do}", None)

    def policy(self) -> ResourceValidationPolicy:
        """The same as the engine takes it."""
        return ResourceValidationPolicy(
            self.name,
            self.says,
            self.check,
            config_schema=PolicyConfigSchema(dict(self.config)) if self.config else None,
            severity=self.severity,
            remediation_steps=self.do,
        )


def texts(description: str) -> dict[str, Any]:
    """The schema of a setting that is a list of texts."""
    return {"type": "array", "items": {"type": "string"}, "description": description}


STACKS = {"stacks": texts('Names of production stacks; default ["prod"].')}

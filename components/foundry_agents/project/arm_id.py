"""ProjectPath: the names in the ARM id of a project."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pulumi


@dataclass(frozen=True)
class ProjectPath:
    """The names in the ARM id of a project."""

    resource_group_name: str
    account_name: str
    project_name: str

    @classmethod
    def of(cls, resource_id: str | None, *, needed_for: str) -> ProjectPath:
        """Parse an ARM id.

        Raises:
            pulumi.RunError: When there is no id, or it is not a project's.
        """
        found = re.fullmatch(
            r"/subscriptions/[^/]+/resourceGroups/([^/]+)/providers/Microsoft\.CognitiveServices/accounts/([^/]+)"
            r"/projects/([^/]+)",
            resource_id or "",
            re.IGNORECASE,
        )
        if found is None:
            raise pulumi.RunError(
                f"{needed_for} needs the project's ARM id; pass resource_id to FoundryProject.existing(…)"
                + (f", not {resource_id!r}" if resource_id else "")
            )
        return cls(*found.groups())

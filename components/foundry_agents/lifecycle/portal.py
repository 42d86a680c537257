"""Links into the Foundry portal."""

from __future__ import annotations

import base64
import re
import uuid
from urllib.parse import quote

_PROJECT = re.compile(
    r"/subscriptions/(?P<subscription>[^/]+)/resourceGroups/(?P<group>[^/]+)"
    r"/providers/Microsoft\.CognitiveServices/accounts/(?P<account>[^/]+)/projects/(?P<project>[^/]+)/?",
    re.IGNORECASE,
)


def playground_url(project_resource_id: str, agent: str, version: str) -> str | None:
    """Return the URL at which a person tries a version of an agent in the portal [observed, July 2026].

    The portal names a subscription by the bytes of its id, in URL-safe base64 without padding.

    Returns:
        None when the id is not that of a project.
    """
    match = _PROJECT.fullmatch(project_resource_id)
    if match is None:
        return None
    try:
        subscription = uuid.UUID(match["subscription"]).bytes
    except ValueError:
        return None
    encoded = base64.urlsafe_b64encode(subscription).decode().rstrip("=")
    group, account, project = (quote(match[part], safe="") for part in ("group", "account", "project"))
    place = f"{encoded},{group},,{account},{project}"
    return f"https://ai.azure.com/nextgen/r/{place}/build/agents/{quote(agent, safe='')}/build?version={quote(version)}"

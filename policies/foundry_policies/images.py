"""Images of agents."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pulumi_policy import Severity

from foundry_policies.rule import VERSION, Rule, Seen

_PINNED = re.compile(r"[^@\s]+@sha256:[0-9a-f]{64}")


def _not_pinned(seen: Seen) -> Iterator[str]:
    image = seen.value("image")
    if image is not None and not _PINNED.fullmatch(str(image)):
        yield f'image "{image}" is not pinned: its tag can move to another image'


PINNED = Rule(
    "agent-image-pinned-by-digest",
    "An agent's image is named by its digest.",
    Severity.HIGH,
    "name it as registry/repository@sha256:…, or let AgentImage find the digest",
    (VERSION,),
    _not_pinned,
)

"""Image references: ``host/repository:tag@digest``."""

from __future__ import annotations

import re
from dataclasses import dataclass

_NAME = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*"  # OCI distribution 1.1
REPOSITORY = re.compile(_NAME)
TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_REFERENCE = re.compile(
    rf"(?P<host>[A-Za-z0-9.\[\]:-]+)/(?P<repository>{_NAME})"
    rf"(?::(?P<tag>{TAG.pattern}))?(?:@(?P<digest>{DIGEST.pattern}))?"
)


@dataclass(frozen=True, slots=True)
class ImageReference:
    """An image reference, taken apart.

    Attributes:
        host: registry host, with its port.
        repository: all path segments.
        tag: empty when there is none.
        digest: empty when there is none; it decides over the tag.
    """

    host: str
    repository: str
    tag: str
    digest: str

    @classmethod
    def parse(cls, text: str) -> ImageReference | None:
        """The parts of a reference that names its host; None when it is not of that form."""
        found = _REFERENCE.fullmatch(text)
        if found is None:
            return None
        return cls(
            host=found["host"],
            repository=found["repository"],
            tag=found["tag"] or "",
            digest=found["digest"] or "",
        )

    @property
    def reference(self) -> str:
        """What the manifest is asked for by: the digest, else the tag, else ``latest``."""
        return self.digest or self.tag or "latest"

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
    """The parts of an image reference.

    Attributes:
        host: Registry host, with its port.
        repository: All path segments.
        tag: Empty when there is none.
        digest: Empty when there is none; it overrides the tag.
    """

    host: str
    repository: str
    tag: str
    digest: str

    @classmethod
    def parse(cls, text: str) -> ImageReference | None:
        """Parse a reference that names its host; return None when it is not of that form."""
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
        """The reference of the manifest: the digest, else the tag, else ``latest``."""
        return self.digest or self.tag or "latest"

"""Maximum sizes of agents in each environment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pulumi_policy import Severity

from foundry_policies.rule import VERSION, Rule, Seen

LIMITS: Mapping[str, str] = {"*": "2/4Gi", "dev": "1/2Gi", "local": "1/2Gi"}
"""cpu/memory by stack; ``*`` is every other stack."""


def _too_large(seen: Seen) -> Iterator[str]:
    limits = {**LIMITS, **seen.config.get("limits", {})}
    limit = limits.get(seen.stack, limits["*"])
    most_cpu, _, most_memory = limit.partition("/")
    cpu, memory = _number(seen.value("cpu")), _number(seen.value("memory"))
    if (cpu or 0) > (_number(most_cpu) or 0) or (memory or 0) > (_number(most_memory) or 0):
        yield f"{seen.value('cpu')}/{seen.value('memory')} is more than {limit}, the limit of stack {seen.stack}"


def _number(size: object) -> float | None:
    """Return cores or gibibytes, or None for another value, which the resource itself refuses."""
    try:
        return float(str(size).removesuffix("Gi"))
    except ValueError:
        return None


WITHIN_LIMIT = Rule(
    "agent-size-within-limit",
    "An agent is no larger than its environment allows.",
    Severity.MEDIUM,
    "use a smaller cpu and memory, or raise the rule's setting `limits` for this stack",
    (VERSION,),
    _too_large,
    {
        "limits": {
            "type": "object",
            "additionalProperties": {"type": "string", "pattern": r"^[0-9.]+/[0-9.]+Gi$"},
            "description": 'cpu/memory by stack, {"dev": "1/2Gi"}; "*" is every other stack.',
        }
    },
)

"""An agent's endpoint: its routing rules and their PATCH (service-contract 4)."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from foundry_emulator.dataplane.problem import invalid

LATEST = "@latest"
_FULL = 100


@dataclass(frozen=True, slots=True)
class Rule:
    """A share of the new sessions for one version.

    Attributes:
        version: A version number, or ``@latest``.
        percentage: 0 to 100; a weight, since the service accepts sums other than 100 [recorded].
    """

    version: str
    percentage: int


class Endpoint:
    """The ``agent_endpoint`` of an agent; immutable, `merged` returns the next one.

    Args:
        patched: The result of all PATCHes, or None: the default, one rule ``@latest`` with 100 % [recorded].
    """

    def __init__(self, patched: Mapping[str, object] | None = None) -> None:
        self._patched = dict(patched or {})
        self.rules = _rules(self._patched.get("version_selector"))

    @property
    def patched(self) -> dict[str, object]:
        """The patched endpoint, for the store."""
        return dict(self._patched)

    def document(self) -> dict[str, object]:
        """Return the endpoint as responses show it, with the service's additions [recorded]."""
        configuration = self._patched.get("protocol_configuration")
        # Older clients send the protocols only [sdk]; the configuration overrides them.
        names = (
            list(configuration) if isinstance(configuration, Mapping) else self._patched.get("protocols", ["responses"])
        )
        document: dict[str, object] = {
            "version_selector": {
                "version_selection_rules": [
                    {
                        "type": "FixedRatio",
                        "agent_version": rule.version,
                        "traffic_percentage": rule.percentage,
                    }
                    for rule in self.rules
                ]
            },
            "protocols": names,
        }
        if configuration is not None:
            document["protocol_configuration"] = configuration
        schemes = self._patched.get("authorization_schemes", [{"type": "Entra"}])
        document["authorization_schemes"] = [_scheme(entry) for entry in schemes] if isinstance(schemes, list) else []
        return document | {key: value for key, value in self._patched.items() if key not in document}

    def merged(self, patch: Mapping[str, object], *, exists: Callable[[str], bool]) -> Endpoint:
        """Return this endpoint after a merge patch: objects merge, lists are replaced whole, null removes.

        Args:
            patch: The request's ``agent_endpoint``.
            exists: Returns whether the agent has a version of that number that can take traffic.

        Raises:
            ServiceProblem: 400 for a malformed selector or a rule for a missing version, [modelled].
        """
        merged = merge_patch(self._patched, patch)
        for key, kind, text in (
            ("version_selector", Mapping, "an object"),
            ("protocol_configuration", Mapping, "an object"),
            ("protocols", list, "a list"),
            ("authorization_schemes", list, "a list"),
        ):
            if key in merged and not isinstance(merged[key], kind):
                raise invalid(f"{key} must be {text}.", f"agent_endpoint.{key}")
        endpoint = Endpoint(merged)
        for position, rule in enumerate(endpoint.rules):
            if rule.version != LATEST and not exists(rule.version):
                raise invalid(
                    f"Version '{rule.version}' does not exist.",
                    f"agent_endpoint.version_selector.version_selection_rules[{position}].agent_version",
                )
        return endpoint

    def choose(self, source: random.Random) -> str | None:
        """Return a version for a new session, drawn by the rules' percentages; None when all are 0."""
        total = sum(rule.percentage for rule in self.rules)
        if total == 0:
            return None
        drawn = source.random() * total
        for rule in self.rules:
            drawn -= rule.percentage
            if drawn < 0:
                return rule.version
        return next(rule.version for rule in reversed(self.rules) if rule.percentage)


def merge_patch(target: Mapping[str, object], patch: Mapping[str, object]) -> dict[str, object]:
    """Merge a patch that is an object, by RFC 7396."""
    merged = dict(target)
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, Mapping):
            before = merged.get(key)
            merged[key] = merge_patch(before if isinstance(before, Mapping) else {}, value)
        else:
            merged[key] = value
    return merged


def _scheme(entry: object) -> object:
    """Return a scheme as responses show it: an Entra one has the source of its isolation key [recorded] in any case."""
    if isinstance(entry, Mapping) and entry.get("type") == "Entra":
        return {**entry, "isolation_key_source": entry.get("isolation_key_source") or {"kind": "Entra"}}
    return entry


def _rules(selector: object) -> tuple[Rule, ...]:
    if not isinstance(selector, Mapping) or "version_selection_rules" not in selector:
        return (Rule(LATEST, _FULL),)
    where = "agent_endpoint.version_selector.version_selection_rules"
    entries = selector["version_selection_rules"]
    if not isinstance(entries, list) or not entries:
        raise invalid("version_selection_rules must be a list with at least one rule.", where)
    return tuple(_rule(entry, f"{where}[{position}]") for position, entry in enumerate(entries))


def _rule(entry: object, where: str) -> Rule:
    if not isinstance(entry, Mapping) or entry.get("type") != "FixedRatio":
        raise invalid("A rule must be an object of type FixedRatio.", where)
    version, percentage = entry.get("agent_version"), entry.get("traffic_percentage")
    if not isinstance(version, str):
        raise invalid("agent_version must be a string.", f"{where}.agent_version")
    if isinstance(percentage, bool) or not isinstance(percentage, int) or not 0 <= percentage <= _FULL:
        raise invalid("traffic_percentage must be an integer from 0 to 100.", f"{where}.traffic_percentage")
    return Rule(version, percentage)

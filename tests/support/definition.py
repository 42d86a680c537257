"""A hosted agent as a request of the data plane declares it."""

from __future__ import annotations

QUERY = "?api-version=v1"
DEFINITION = {
    "kind": "hosted",
    "cpu": "0.5",
    "memory": "1Gi",
    "container_configuration": {"image": "registry.example/agents/support@sha256:" + "0" * 64},
    "protocol_versions": [{"protocol": "responses", "version": "2.0.0"}],
}

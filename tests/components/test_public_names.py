"""What users may import, and what importing costs."""

from __future__ import annotations

import json
import pkgutil
import subprocess
import sys

import pytest

import foundry_agents
from foundry_agents import lifecycle

PUBLIC = {
    "A2A",
    "AgentContract",
    "AgentImage",
    "AgentRegistry",
    "AgentRollout",
    "AnyTool",
    "AzureAISearch",
    "CodeInterpreter",
    "AppInsights",
    "CodePackage",
    "ConnectionSecret",
    "ExistingProject",
    "ExistingRegistry",
    "FileSearch",
    "FoundryProject",
    "HostedAgent",
    "HostedAgentVersion",
    "Mcp",
    "Moderation",
    "OpenApi",
    "ModelDeployment",
    "PrivateEndpoint",
    "Project",
    "ProjectConnection",
    "AgentProtocol",
    "PublishedAgent",
    "PublishedProject",
    "PublishedRegistry",
    "Registry",
    "Rollout",
    "Runtime",
    "SmokeTest",
    "StreamSelector",
    "TelemetryEndpoint",
    "TelemetryHeader",
    "Tier",
    "Tool",
    "Toolbox",
    "ToolboxVersion",
    "VectorStore",
    "WebSearch",
    "__version__",
    "errors",
    "export_contract",
}


def test_the_public_names_are_these() -> None:
    """A name that is added, renamed or taken away is a decision."""
    assert set(foundry_agents.__all__) == PUBLIC


def test_every_class_is_known_by_its_public_name() -> None:
    for name in PUBLIC - {"__version__", "errors"}:
        assert getattr(foundry_agents, name).__name__ == name


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="HostedAgnet"):
        _ = foundry_agents.HostedAgnet  # type: ignore[attr-defined]  # on purpose


def _loaded_after(statement: str) -> set[str]:
    program = f"import json, sys\n{statement}\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    modules = json.loads(done.stdout)
    assert isinstance(modules, list)
    return set(modules)


def test_the_resources_cost_neither_azure_sdk_nor_native_provider() -> None:
    """The plugin process imports them: 60 MB and seconds for nothing before the first call."""
    loaded = _loaded_after("import foundry_agents.resources")
    assert "foundry_agents.resources.hosted_agent_version" in loaded
    assert {name for name in loaded if name == "azure" or name.startswith(("azure.", "pulumi_azure_native"))} == set()


def test_a_program_costs_neither_azure_sdk_nor_the_native_modules_that_it_does_not_use() -> None:
    """Components are native resources and ours; the SDK is the plugin's, and private networks are few programs'."""
    names = ("AgentImage", "AgentRegistry", "AppInsights", "FoundryProject", "HostedAgent", "ModelDeployment")
    loaded = _loaded_after("import foundry_agents as fa\n" + "\n".join(f"fa.{name}" for name in names))
    assert "foundry_agents.agent.hosted_agent" in loaded
    assert {name for name in loaded if name == "azure" or name.startswith("azure.")} == set()
    assert "pulumi_azure_native.network._inputs" not in loaded


def test_the_lifecycle_costs_the_standard_library_only() -> None:
    modules = [info.name for info in pkgutil.walk_packages(lifecycle.__path__, f"{lifecycle.__name__}.")]
    assert "foundry_agents.lifecycle.rollout" in modules
    loaded = _loaded_after("\n".join(f"import {name}" for name in modules))
    # The package above it loads the public names lazily.
    ours = {"foundry_agents", "lazy_loader"}
    foreign = {name.partition(".")[0] for name in loaded} - sys.stdlib_module_names - ours
    # What the interpreter itself brings along at start.
    assert {name for name in foreign if not name.startswith(("_", "sitecustomize"))} <= _at_start()


def _at_start() -> set[str]:
    return {name.partition(".")[0] for name in _loaded_after("")}

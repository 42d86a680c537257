"""What `make up` prints at the end: a table of the agents, and the answer of each to a question."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from azure.ai.projects import AIProjectClient
from azure.identity import DefaultAzureCredential
from rich.console import Console
from rich.table import Table

QUESTION = "Which version answers?"


@dataclass(frozen=True)
class StackOutputs:
    """The outputs of the stack that the table needs."""

    project_endpoint: str
    agents: Mapping[str, Mapping[str, Any]]


def ask(project_endpoint: str, agent: str, question: str = QUESTION) -> str:
    """Ask at the endpoint of the agent with the OpenAI client, as any application would."""
    with AIProjectClient(project_endpoint, DefaultAzureCredential()) as project:
        client = project.get_openai_client(agent_name=agent)
        return client.responses.create(input=question).output_text


def table(outputs: StackOutputs) -> Table:
    """Return a table with a row for each agent."""
    rows = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("agent", "version", "status", "traffic", "image"):
        rows.add_column(heading, no_wrap=True)
    for name, agent in outputs.agents.items():
        traffic = ", ".join(f"{percent} % on {version}" for version, percent in agent["traffic"].items())
        rows.add_row(name, agent["version"], agent["status"], traffic, short(agent["image"]))
    return rows


def short(image: str) -> str:
    """Return ``support@3a44…02fb`` for ``registry/support@sha256:3a44…``."""
    name, _, digest = image.rpartition("/")[2].partition("@sha256:")
    return f"{name}@{digest[:4]}…{digest[-4:]}"


def show(outputs: StackOutputs, console: Console) -> None:
    """Print the table, then the endpoint of each agent and its answer."""
    console.print(table(outputs))
    for name, agent in outputs.agents.items():
        # Not in the table: a narrow terminal would break it, and it could not be copied.
        console.print(f"\n{agent['endpoint']}", highlight=False, markup=False)
        console.print(f"[bold]>[/bold] {QUESTION}", highlight=False)
        console.print(ask(outputs.project_endpoint, name), highlight=False, markup=False)

"""The engine, a local Azure and a Pulumi project for each test; nothing is shared between tests but the engine."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from foundry_emulator.registry import pack, push
from foundry_emulator.settings import Settings
from foundry_emulator.testing import LocalAzure
from tests.engine.shop import SHOP, configure
from tests.engine.storage import Storage, storage
from tests.support.checkout import CHECKOUT
from tests.support.engine import engine_folder
from tests.support.environments import Environments
from tests.support.harness import REGISTRY, Deployment, Project, hermetic

AGENT_ALONE = """
import pulumi

import foundry_agents as fa
from stacks.settings import load

given = pulumi.Config("given")
project = fa.FoundryProject.existing(endpoint=given.require("endpoint"), principal_id=given.require("principal"))
for name, wanted in load().agents.items():
    fa.HostedAgent(
        name,
        project=project,
        image=fa.AgentImage.pinned(f"{given.require('registry')}/{wanted.image}"),
        cpu=wanted.cpu,
        memory=wanted.memory,
        environment=wanted.environment,
        description=wanted.description,
        force_delete=wanted.force_delete,
        timeout_s=wanted.timeout_s,
    )
"""


@pytest.fixture(scope="session")
def engine() -> Path:
    """The folder with `pulumi`. Without it these tests skip, or fail with CI set."""
    return engine_folder()


@pytest.fixture(scope="session")
def pulumi_home(engine: Path) -> Iterator[Path]:
    """One Pulumi home for each test process, with the fake plugins."""
    del engine
    with tempfile.TemporaryDirectory(prefix="pulumi-home-") as folder:
        yield Path(folder)


@pytest.fixture
def deploy(tmp_path: Path, engine: Path, pulumi_home: Path) -> Iterator[Callable[..., Deployment]]:
    """Return a function that makes a local Azure and a project whose stack `local` has one agent, `support`.

    With ``whole`` the program is the repository's own, which makes Foundry project, registry and pull role too.
    Without, those are there already and the program declares the agent alone: a third of the time.
    """
    running: list[LocalAzure] = []

    def make(source: Path | None = None, *, whole: bool = False, **azure_options: Any) -> Deployment:
        azure = LocalAzure(tmp_path / "azure", **azure_options).__enter__()
        running.append(azure)
        digest = _push(azure, source or _source(tmp_path))
        config = {
            "location": "eastus2",
            "projectName": "agents",
            "registryName": REGISTRY,
            "agents": {
                "support": {
                    "image": f"support@{digest}",
                    "environment": {"GREETING": "Hello"},
                    "force_delete": True,
                    "timeout_s": 60,
                    "pull_role_budget_s": 0,
                }
            },
        }
        variables = hermetic(engine, pulumi_home, azure.env)
        project = Project.create(tmp_path / "project", variables, config)
        if not whole:
            there = azure.seed_project("agents", registry=REGISTRY)
            (project.folder / "__main__.py").write_text(AGENT_ALONE, encoding="utf-8")
            project.given = {
                "endpoint": there.endpoint,
                "principal": there.principal_id,
                "registry": there.login_server,
            }
            project.write_config()
        return Deployment(azure, project)

    yield make
    for azure in running:
        azure.__exit__(None, None, None)


def _source(folder: Path) -> Path:
    source = folder / "source"
    source.mkdir()
    (source / "main.py").write_text("raise SystemExit('the echo runtime never starts this')\n", encoding="utf-8")
    return source


def _push(azure: LocalAzure, source: Path) -> str:
    registry = azure.emulator.urls.registry
    with httpx.Client(verify=azure.trust(), trust_env=False, timeout=30) as client:
        pinned = push(pack(source), f"https://{registry}", f"{REGISTRY}/support", "latest", client=client)
    return pinned.partition("@")[2]


@pytest.fixture
def sample_agent() -> Path:
    """The folder of the sample agent."""
    return CHECKOUT / "examples" / "support_agent"


@pytest.fixture
def blob_storage() -> Iterator[Storage]:
    """Azure's storage on this machine. Without Azurite the test skips, or fails with CI set."""
    with storage() as here:
        yield here


@pytest.fixture
def environments(tmp_path: Path, engine: Path, pulumi_home: Path) -> Iterator[Environments]:
    """A local Azure for several stacks of the repository's own program."""
    with LocalAzure(tmp_path / "azure") as azure:
        yield Environments.on(azure, tmp_path, engine, pulumi_home)


@pytest.fixture
def shop(deploy: Callable[..., Deployment]) -> Deployment:
    """A project with all that hangs on it, an agent with tools too; not deployed yet."""
    here = deploy(whole=True, settings=Settings(provisioning_s=0.0, deployment_s=0.0))
    (here.project.folder / "__main__.py").write_text(SHOP, encoding="utf-8")
    image = here.project.config["agents"]["support"]["image"]
    configure(here.project, image=image, registry=REGISTRY)
    return here

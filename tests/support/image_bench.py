"""A project whose agent is built from a folder, a local Azure that wants tokens and runs it, and a BuildKit."""

from __future__ import annotations

import base64
import json
import shutil
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from foundry_emulator.registry import push
from foundry_emulator.testing import LocalAzure
from tests.support.base_image import base_image
from tests.support.buildkit import buildkit, install_plugin
from tests.support.checkout import CHECKOUT
from tests.support.engine import plugin_folder
from tests.support.harness import REGISTRY, Deployment, Project, hermetic

SECRET = "canary-of-a-build-secret"
PROGRAM = """
import pulumi
import foundry_agents as fa

given = pulumi.Config("given")
project = fa.FoundryProject.existing(endpoint=given.require("endpoint"), principal_id=given.require("principal"))
image = fa.AgentImage.build(
    "support",
    context="agent",
    registry=given.require("registry"),
    build_args={"BASE_IMAGE": given.require("base")},
    secrets={"index": "canary-of-a-build-secret"},
    builder="tests",
)
for name in ("support", "sibling"):
    fa.HostedAgent(name, project=project, image=image, force_delete=True, timeout_s=60, pull_role_budget_s=0)
pulumi.export("image", image.reference)
"""


@dataclass
class Images:
    """A project whose agent is built from a folder of its own.

    Attributes:
        here: The project and its local Azure.
        source: The folder.
        docker: Docker's settings.
    """

    here: Deployment
    source: Path
    docker: Path

    def pushed(self) -> int:
        """Return how many manifests were pushed so far."""
        entries = self.here.azure.journal(plane="registry")
        return sum(entry.method == "PUT" and "/support/manifests/" in entry.path for entry in entries)

    def digest(self) -> str:
        """Return the digest of the stack's image."""
        return str(self.here.project.outputs()["image"]).partition("@")[2]

    def delete(self, reference: str = "") -> None:
        """Delete an image, with its tags, in the registry; by default the stack's."""
        reference = reference or str(self.here.project.outputs()["image"]).partition("/")[2]
        repository, _, digest = reference.partition("@")
        store = self.here.azure.emulator.registry
        assert self.here.azure.run(lambda: store.delete_manifest(repository, digest))

    def images_of_agents(self) -> dict[str, str]:
        """Return the digest of the version that serves, by agent."""
        found = {}
        for agent in self.here.agents():
            (rule,) = agent["rules"]
            with self.here.azure.client("agents") as client:
                version = client.get(f"agents/{agent['name']}/versions/{rule['version']}").json()
            found[agent["name"]] = version["definition"]["container_configuration"]["image"].partition("@")[2]
        return found

    def text_in_image(self, digest: str, path: str) -> str:
        """Return a file of an image in the registry, read from its layers."""
        store = self.here.azure.emulator.registry
        manifest = store.manifest(f"{REGISTRY}/support", digest)
        assert manifest is not None
        found = ""
        for layer in store.layers(manifest):
            with tarfile.open(layer.path) as archive:
                if path in archive.getnames():
                    file = archive.extractfile(path)
                    found = file.read().decode() if file else ""
        return found

    def docker_password(self) -> str:
        """Return the password that Docker has for the registry."""
        (login,) = json.loads((self.docker / "config.json").read_text())["auths"].values()
        return base64.b64decode(login["auth"]).decode().partition(":")[2]

    def expire_docker_login(self) -> None:
        """Do to the login what three hours do."""
        settings = json.loads((self.docker / "config.json").read_text())
        for login in settings["auths"].values():
            login["auth"] = base64.b64encode(b"00000000-0000-0000-0000-000000000000:expired").decode()
        (self.docker / "config.json").write_text(json.dumps(settings))


@contextmanager
def image_bench(folder: Path, engine: Path, pulumi_home: Path) -> Iterator[Images]:
    """The sample agent, not deployed yet.

    Args:
        folder: For everything; its own.
        engine: Folder with `pulumi`.
        pulumi_home: Folder for Pulumi's plugins.
    """
    install_plugin(pulumi_home)
    with LocalAzure(folder / "azure", runtime="process") as azure:
        there = azure.seed_project("agents", registry=REGISTRY)
        registry = azure.emulator.urls.registry
        with httpx.Client(verify=azure.trust(), trust_env=False, timeout=30) as client:
            base = push(base_image(), f"https://{registry}", f"{REGISTRY}/base", "latest", client=client)
        with buildkit(folder / "buildkit", registry=registry, ca=folder / "azure" / "tls" / "ca.pem") as builder:
            buildctl = str(plugin_folder("buildkitd") / "buildctl")
            azure.control.set(registry_tokens=True, buildkit=builder.endpoint, buildctl=buildctl)
            variables = {**hermetic(engine, pulumi_home, azure.env), **builder.variables}
            project = Project.create(folder / "project", variables, {})
            shutil.copytree(CHECKOUT / "examples" / "support_agent", project.folder / "agent")
            (project.folder / "__main__.py").write_text(PROGRAM, encoding="utf-8")
            project.given = {
                "endpoint": there.endpoint,
                "principal": there.principal_id,
                "registry": there.login_server,
                "base": f"{registry}/{base}",
            }
            project.write_config()
            yield Images(Deployment(azure, project), project.folder / "agent", builder.folder)

"""Names that the library chose are chosen once, and a preview plans no replacement that an update would not make."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from foundry_agents.image.sources import Sources
from foundry_agents.lifecycle.inputs.image_reference import tag_names
from foundry_emulator.registry import pack, push
from foundry_emulator.settings import Settings
from tests.engine.shop import configure, planned_by
from tests.support.harness import REGISTRY, Deployment

pytestmark = [pytest.mark.engine, pytest.mark.long]

QUICK = Settings(provisioning_s=0.0, deployment_s=0.0)

NAMES = """
import pulumi
import foundry_agents as fa

given = pulumi.Config("given")
if given.get("organization"):
    pulumi.get_organization = lambda: given.require("organization")


def named(name):
    former = [pulumi.Alias(name=name)] if given.get("renamed") else None
    return given.get("renamed", "") + name, pulumi.ResourceOptions(aliases=former)


def project(name, *models, **options):
    name, opts = named(name)
    return fa.FoundryProject(name, location="eastus2", models=models, opts=opts, **options)


shop = project(
    "shop",
    fa.ModelDeployment("gpt-4.1-mini", version="2025-04-14"),
    app_insights=fa.AppInsights(),
)
name, opts = named("images")
fa.AgentRegistry(name, pulled_by=[shop, project("other")], connect=True, opts=opts)
name, opts = named("github")
github = fa.ProjectConnection.with_keys(name, {"token": "s3cret"}, project=shop, target="https://x.test", opts=opts)
name, opts = named("search")
fa.ProjectConnection.with_managed_identity(
    name, project=shop, target="https://y.test", metadata={"beside": github.secret("token")}, opts=opts
)
"""

IMAGES = """
import pulumi
import foundry_agents as fa

given = pulumi.Config("given")
name = given.get("renamed") or "support"
opts = pulumi.ResourceOptions(aliases=[pulumi.Alias(name="support")] if given.get("renamed") else None)
host = given.get("host") or given.require("registry")
built = fa.AgentImage.build(name, context="image", registry=host, opts=opts)
images = fa.AgentRegistry.existing(
    "images", login_server=given.require("registry"), resource_id=given.require("registryId")
)
former = [pulumi.Alias(name="remote-build")] if given.get("renamed") else None
remote = fa.AgentImage.remote_build(
    f"{name}-remote" if former else "remote",
    context="image",
    registry=images,
    opts=pulumi.ResourceOptions(aliases=former),
)
pulumi.export("references", [built.reference, remote.reference])
"""


def test_a_rename_of_stack_project_organization_or_component_changes_nothing(
    deploy: Callable[..., Deployment],
) -> None:
    """Findings pulumi-features A4 and A5; cases 86 and 87."""
    here = deploy(whole=True, settings=QUICK)
    project = here.project
    (project.folder / "__main__.py").write_text(NAMES, encoding="utf-8")
    project.config = {}
    project.write_config()
    project.up().succeeded()

    project.run("stack", "rename", "renamed", "--stack", project.stack).succeeded()
    project.stack = "renamed"
    assert planned_by(project) == {}

    project.run("stack", "rename", "organization/elsewhere/renamed", "--stack", project.stack).succeeded()
    project.given["organization"] = "acme"  # a backend of files has but one: the program says another
    project.write_config()
    settings = project.folder / "Pulumi.yaml"
    settings.write_text(settings.read_text(encoding="utf-8").replace("foundry-agents", "elsewhere", 1), "utf-8")
    assert planned_by(project) == {}

    project.given["renamed"] = "new-"
    project.write_config()
    assert planned_by(project) == {}


def test_a_renamed_image_stays_in_its_repository_and_another_registry_gets_it_again(
    deploy: Callable[..., Deployment],
) -> None:
    """Finding pulumi-features A5, case 87: another repository would be another image, and another version."""
    here = deploy()
    project = here.project
    context = project.folder / "image"
    context.mkdir()
    (context / "Dockerfile").write_text("FROM scratch\n", encoding="utf-8")
    (project.folder / "__main__.py").write_text(IMAGES, encoding="utf-8")
    registry_id = next(found for found in _resources(here) if found.endswith(f"/registries/{REGISTRY}"))
    project.given["registryId"] = registry_id
    project.write_config()
    for repository in ("support", "remote"):
        _push_content(here, context, repository)
    project.up().succeeded()
    references = project.outputs()["references"]

    project.given["renamed"] = "helper"
    project.write_config()
    assert planned_by(project) == {}
    project.up().succeeded()
    assert project.outputs()["references"] == references

    project.given["host"] = "another.azurecr.io"
    project.write_config()
    # Where the plugin of docker-build is missing, the preview ends with the build.
    assert "ContentTag helper-tag replace" in project.preview().output


def test_the_replacement_of_what_depends_on_a_replaced_project_or_registry_is_planned(shop: Deployment) -> None:
    """The opposite of F1 and A4: a name that the program gives can change, and what can't be read may be another."""
    project = shop.project
    project.up().succeeded()

    configure(project, project="store")
    planned = planned_by(project)
    assert {name for name, verb in planned.items() if verb == "replace"} >= {
        "shop-project",
        "shop-insights-connection",
        "images-pull",
        "images-connection",
        "support-toolbox",
        "support-version",
    }

    configure(project, project="shop", registry=f"{REGISTRY}2")
    planned = planned_by(project)
    assert {name for name, verb in planned.items() if verb == "replace"} >= {"images-registry", "images-pull"}
    assert "shop-project" not in planned

    shop.azure.control.fault(method="GET", path=".*/projects/shop", status=403, times=9)
    configure(project, displayName="Shop")
    planned = planned_by(project)
    assert planned["images-pull"] == "replace", "what a preview can't read it doesn't know"


def _resources(here: Deployment) -> list[str]:
    return here.azure.run(lambda: [str(resource["id"]) for resource in here.azure.emulator.arm.resources()])


def _push_content(here: Deployment, context: Path, repository: str) -> None:
    """An image of this content, as an earlier build left it: the build takes it."""
    content = Sources(context, None, None, {}, "", 200).content("the test")
    tag, *_ = tag_names(content.hash, content.revision)
    registry = f"https://{here.azure.emulator.urls.registry}"
    with httpx.Client(verify=here.azure.trust(), trust_env=False, timeout=30) as client:
        push(pack(context), registry, f"{REGISTRY}/{repository}", tag, client=client)

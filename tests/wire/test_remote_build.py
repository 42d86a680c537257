"""RemoteImageBuild through the real plugin process, Azure's SDK and a real BuildKit behind the registry's tasks."""

from __future__ import annotations

import hashlib
import re
import shutil
from pathlib import Path

import httpx
import pytest

from foundry_agents.resources.remote_image_build import RemoteImageBuildProvider
from foundry_emulator.registry import push
from foundry_emulator.testing import SeededProject
from tests.support.base_image import base_image
from tests.support.bench import Bench, plain
from tests.support.buildkit import buildkit
from tests.support.engine import plugin_folder
from tests.support.plugin import ProviderError, running

SAMPLE = Path(__file__).parents[2] / "examples" / "support_agent"
BUILD = RemoteImageBuildProvider()


def test_a_context_is_uploaded_built_followed_and_adopted_and_a_failure_has_its_log(
    on_azure: Bench, tmp_path: Path
) -> None:
    """The whole way of `remote_build`, beside the engine."""
    azure, there = on_azure.azure, on_azure.project
    host = azure.emulator.urls.registry
    with httpx.Client(verify=azure.trust(), trust_env=False, timeout=30) as client:
        base = push(base_image(), f"https://{host}", f"{there.registry}/base", "latest", client=client)
    source = tmp_path / "agent"
    shutil.copytree(SAMPLE, source)
    dockerfile = source / "Dockerfile"
    former = dockerfile.read_text(encoding="utf-8")

    def inputs(text: str) -> dict[str, object]:
        dockerfile.write_text(text, encoding="utf-8")
        raw = {
            "registry_id": there.registry_id,
            "login_server": there.login_server,
            "repository": "remote",
            "content": hashlib.sha256(text.encode()).hexdigest(),
            "context": str(source),
            "build_args": {"BASE_IMAGE": f"{host}/{base}"},
            "poll_interval_s": 0.1,
            "urn": "urn:remote",
        }
        return dict(on_azure.plugin.check(BUILD, raw).inputs)

    data = Path(azure.env["SSL_CERT_FILE"]).parent
    with (
        buildkit(tmp_path / "buildkit", registry=host, ca=data / "ca.pem") as builder,
        running({**azure.env, **builder.variables}, folder=tmp_path) as plugin,
    ):
        buildctl = str(plugin_folder("buildkitd") / "buildctl")
        azure.control.set(buildkit=builder.endpoint, buildctl=buildctl, registry_tokens=True)
        try:
            with pytest.raises(ProviderError, match="RemoteBuildError: run ca1 did not build the image") as failed:
                plugin.create(BUILD, inputs(former.replace("COPY main.py", "COPY missing.py")))
            assert '"/missing.py": not found' in str(failed.value)

            made = plugin.create(BUILD, inputs(former))
            again = plugin.create(BUILD, inputs(former))

            assert plain(again.outs)["digest"] == plain(made.outs)["digest"]
            lines = [line.text for line in plugin.lines if line.urn == "urn:remote"]
            assert f"run ca2 built {plain(made.outs)['digest']}" in lines
            assert lines[-1].endswith("was built from the same content, so nothing is built")
            assert plugin.read(BUILD, made.id, made.outs).id == made.id

            changed = {**inputs(former), "files": "0" * 64, "content": "f" * 64}
            with pytest.raises(ProviderError, match="has changed since it was planned"):
                plugin.create(BUILD, changed)
        finally:
            azure.control.set(buildkit="", registry_tokens=False)
    scheduled = [entry for entry in azure.journal(plane="arm") if entry.path.endswith("/scheduleRun")]
    assert len(scheduled) == 2, "a content that is there, and one that has changed, are not sent"


@pytest.fixture
def context(tmp_path: Path) -> Path:
    (tmp_path / "Dockerfile").write_text("FROM scratch\n", encoding="utf-8")
    return tmp_path


def remote(bench: Bench, context: Path, registry: SeededProject, **more: object) -> dict[str, object]:
    """The inputs of a remote build that no test has made."""
    raw = {
        "registry_id": registry.registry_id,
        "login_server": registry.login_server,
        "repository": "remote",
        "content": hashlib.sha256(str(context).encode()).hexdigest(),
        "context": str(context),
        "poll_interval_s": 0.1,
        **more,
    }
    return dict(bench.plugin.check(BUILD, raw).inputs)


def test_a_subscription_that_may_not_run_tasks_is_one_error_with_the_other_ways(on_azure: Bench, context: Path) -> None:
    """F8: trial and student subscriptions. One try, and nothing is posted."""
    azure = on_azure.azure
    since = len(azure.journal())
    azure.control.set(tasks_allowed=False)
    try:
        with pytest.raises(ProviderError) as refused:
            on_azure.plugin.create(BUILD, remote(on_azure, context, on_azure.project))
    finally:
        azure.control.set(tasks_allowed=True)
    text = str(refused.value)
    assert text.startswith(
        f"RegistryAccessError: registry {on_azure.project.registry} refused, HTTP 400\n  Where: POST "
    )
    assert "State: no run was scheduled" in text
    assert "this subscription may not run the tasks of registries" in text
    for way in ("AgentImage.build(…)", "AgentImage.pinned(…)", "HostedAgent(code=CodePackage(…))"):
        assert way in text
    assert "AgentImage.remote_build(…)" not in text, "every remedy works"
    assert re.search(r"Service said: ACR Tasks requests .+ \(request [0-9a-f-]{36}\)", text)
    posted = [
        entry for entry in azure.journal()[since:] if entry.method in {"POST", "PUT"} and "/registries/" in entry.path
    ]
    assert [entry.path.rpartition("/")[2] for entry in posted] == ["listBuildSourceUploadUrl"], "one try"


def test_a_registry_that_does_not_admit_its_own_tasks_is_said_with_both_ways_out(
    on_azure: Bench, context: Path
) -> None:
    """F9: public network access is off, and since 2025 tasks are no trusted service."""
    azure = on_azure.azure
    project = azure.seed_project("closed")
    body = {
        "location": "swedencentral",
        "sku": {"name": "Premium"},
        "properties": {"publicNetworkAccess": "Disabled"},
    }
    azure.put(project.registry_id, body)

    with pytest.raises(ProviderError, match="RemoteBuildError: ") as denied:
        on_azure.plugin.create(BUILD, remote(on_azure, context, project))
    assert "the registry's network does not admit it" in str(denied.value)
    assert f"`az resource update --ids {project.registry_id} --api-version 2025-11-01" in str(denied.value)

    body["properties"] = {"publicNetworkAccess": "Disabled", "networkRuleBypassAllowedForTasks": True}
    azure.put(project.registry_id, body)
    with pytest.raises(ProviderError, match="The local Azure has no BuildKit"):
        on_azure.plugin.create(BUILD, remote(on_azure, context, project))


def test_an_image_that_was_deleted_in_the_registry_is_built_again(on_azure: Bench, context: Path) -> None:
    """Finding D. Without a definite 404 nothing changes."""
    inputs = remote(on_azure, context, on_azure.project)
    gone = {**inputs, "digest": f"sha256:{'9' * 64}"}
    assert on_azure.plugin.diff(BUILD, gone, inputs).changes
    there = {**inputs, "repository": "agent", "digest": on_azure.image.partition("@")[2]}
    there["repository"] = on_azure.image.partition("@")[0].removeprefix(f"{on_azure.project.login_server}/")
    assert not on_azure.plugin.diff(BUILD, there, {**inputs, "repository": there["repository"]}).changes
    elsewhere = {**inputs, "login_server": "localhost:1"}
    assert not on_azure.plugin.diff(BUILD, {**elsewhere, "digest": gone["digest"]}, elsewhere).changes
    assert not on_azure.plugin.diff(BUILD, {**inputs, "digest": ""}, inputs).changes

"""RemoteImageBuild through the real plugin process, Azure's SDK and a real BuildKit behind the registry's tasks."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import httpx
import pytest

from foundry_agents.resources.remote_image_build import RemoteImageBuildProvider
from foundry_emulator.registry import push
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

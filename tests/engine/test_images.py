"""Images on the real engine with a real BuildKit: built, pushed, pinned, adopted again."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from foundry_emulator.registry import pack, push
from tests.support.harness import Deployment
from tests.support.image_bench import SECRET, Images, image_bench
from tests.support.packed_image import for_architecture

pytestmark = [pytest.mark.engine, pytest.mark.long]

NOTHING_CHANGED = re.compile(r"Resources:\s+\d+ unchanged\s*$", re.MULTILINE)


@pytest.fixture
def images(tmp_path: Path, engine: Path, pulumi_home: Path) -> Iterator[Images]:
    """The sample agent, not deployed yet, and all that builds and runs it."""
    with image_bench(tmp_path / "bench", engine, pulumi_home) as bench:
        yield bench


def test_a_folder_becomes_the_image_that_serves_and_a_revert_finds_it_again(images: Images) -> None:
    """Issue 8, the whole scenario: built, pushed, pinned, shared, changed, refreshed without a login, reverted."""
    here, project = images.here, images.here.project
    main = images.source / "main.py"
    former = main.read_text(encoding="utf-8")

    first = project.up().succeeded()

    digest = images.digest()
    password = images.docker_password()
    assert images.images_of_agents() == {"sibling": digest, "support": digest}, "two agents share one image"
    assert here.ask("?")["output"][0]["content"][0]["text"] == 'support 1: you asked "?"'
    assert "signed in to localhost" in first.output, "the registry wants a token, and Docker had none"
    assert images.pushed() == 1

    os.utime(main, (0, 0))
    assert NOTHING_CHANGED.search(project.preview().succeeded().output), "a file's time is not its content"

    main.write_text(former + "\n# changed\n", encoding="utf-8")
    previewed = project.preview().succeeded()
    assert "docker-build:index:Image support-build update [diff: " in previewed.output
    assert "HostedAgentVersion support-version replace [diff: ~image]" in previewed.output
    assert images.pushed() == 1, "a preview builds and pushes nothing"
    changed = project.up().succeeded()
    assert images.digest() != digest
    assert images.images_of_agents() == dict.fromkeys(("sibling", "support"), images.digest())
    assert (images.pushed(), here.posted()) == (2, 4)

    images.expire_docker_login()
    refreshed = project.refresh().succeeded()
    assert "unable to verify image tags, leaving state unchanged" in refreshed.output
    assert NOTHING_CHANGED.search(project.preview().succeeded().output)

    main.write_text(former, encoding="utf-8")
    reverted = project.up().succeeded()
    assert f"{digest} was built from the same content, so nothing is built" in reverted.output
    assert "support-build creating" not in reverted.output
    assert "support-build updating" not in reverted.output
    assert images.images_of_agents() == {"sibling": digest, "support": digest}
    assert here.ask("?")["agent_reference"]["version"] == "1"
    assert (images.pushed(), here.posted()) == (2, 4), "0 builds, 0 POSTs"
    assert NOTHING_CHANGED.search(project.preview().succeeded().output)

    written = "".join([project.state_text(), *(run.output for run in (first, changed, refreshed, reverted))])
    assert password not in written
    assert SECRET not in written


SAVED_MEANWHILE = """
from pathlib import Path
import pulumi
from pulumi import dynamic
import foundry_agents as fa

given = pulumi.Config("given")

class Editor(dynamic.ResourceProvider):
    def create(self, props):
        path = Path("agent/main.py")
        path.write_text(path.read_text() + "# EDITED WHILE up RUNS\\n")
        return dynamic.CreateResult("editor", {"registry": props["registry"]})

class SlowRegistry(dynamic.Resource):
    registry: pulumi.Output[str]

registry = SlowRegistry(Editor(), "registry", {"registry": given.require("registry")}).registry
project = fa.FoundryProject.existing(endpoint=given.require("endpoint"), principal_id=given.require("principal"))
image = fa.AgentImage.build(
    "support", context="agent", registry=registry, build_args={"BASE_IMAGE": given.require("base")}, builder="tests"
)
fa.HostedAgent("support", project=project, image=image, force_delete=True, timeout_s=60, pull_role_budget_s=0)
pulumi.export("image", image.reference)
"""


def test_a_file_that_is_saved_while_up_runs_is_in_the_next_image_and_its_revert_serves(images: Images) -> None:
    """Finding A1, the stranger's rollback: an editor saves between the program's hash and the build."""
    project, main = images.here.project, images.source / "main.py"
    (project.folder / "__main__.py").write_text(SAVED_MEANWHILE, encoding="utf-8")
    good = main.read_text(encoding="utf-8")

    project.up().succeeded()
    planned = images.digest()
    assert main.read_text(encoding="utf-8") == good + "# EDITED WHILE up RUNS\n", "it was saved while `up` ran"
    assert images.text_in_image(planned, "app/main.py") == good, "the tag names what was hashed"

    project.up().succeeded()
    assert images.text_in_image(images.digest(), "app/main.py") == good + "# EDITED WHILE up RUNS\n"

    main.write_text(good, encoding="utf-8")
    reverted = project.up().succeeded()
    assert "adopted ctx-" in reverted.output
    assert images.images_of_agents() == {"support": planned}, "the reverted content serves"
    assert images.text_in_image(planned, "app/main.py") == good


def test_an_image_that_was_deleted_in_the_registry_is_built_again_by_the_same_up(images: Images) -> None:
    """Finding D: adopted or built here, a changed variable ended in `there is no such digest`."""
    here, project = images.here, images.here.project
    program = project.folder / "__main__.py"
    former = program.read_text(encoding="utf-8")

    def up_with(variable: str) -> str:
        changed = former.replace("force_delete=True", f'force_delete=True, environment={{"A": "{variable}"}}')
        program.write_text(changed, encoding="utf-8")
        return project.up().succeeded().output

    up_with("1")
    since = images.pushed()
    assert NOTHING_CHANGED.search(project.up().succeeded().output)
    assert images.pushed() == since

    images.delete()
    previewed = project.preview().succeeded().output
    assert "any more: it is looked up again, and built if it is missing" in previewed
    assert "ContentTag support-tag update" in previewed
    up_with("2")
    assert images.pushed() == since + 1, "built here, and built again"
    assert images.images_of_agents() == dict.fromkeys(("sibling", "support"), images.digest())
    assert NOTHING_CHANGED.search(project.up().succeeded().output)

    main = images.source / "main.py"
    text = main.read_text(encoding="utf-8")
    main.write_text(text + "\n# changed\n", encoding="utf-8")
    up_with("2")
    main.write_text(text, encoding="utf-8")
    assert "was built from the same content, so nothing is built" in up_with("2")
    images.delete()
    before = images.pushed()
    up_with("3")
    assert images.pushed() == before + 1, "adopted, and built again"
    assert images.images_of_agents() == dict.fromkeys(("sibling", "support"), images.digest())
    assert NOTHING_CHANGED.search(project.up().succeeded().output)
    assert here.ask("?")["output"][0]["content"][0]["text"]


def test_every_stage_is_cached_in_the_registry_and_taken_from_there(images: Images) -> None:
    """Finding D: the local registry refused BuildKit's cache, an index of layers."""
    project = images.here.project
    program = project.folder / "__main__.py"
    text = program.read_text(encoding="utf-8")
    program.write_text(text.replace('builder="tests",', 'builder="tests", cache="registry",'), encoding="utf-8")
    dockerfile = images.source / "Dockerfile"
    dockerfile.write_text(dockerfile.read_text(encoding="utf-8") + "\nLABEL stage=first\n", encoding="utf-8")
    project.up().succeeded()
    entries = images.here.azure.journal(plane="registry")
    assert any(entry.method == "PUT" and entry.path.endswith("/support/manifests/buildcache") for entry in entries)

    dockerfile.write_text(dockerfile.read_text(encoding="utf-8") + "LABEL stage=second\n", encoding="utf-8")
    since = len(images.here.azure.journal(plane="registry"))
    project.up().succeeded()
    entries = images.here.azure.journal(plane="registry")[since:]
    read = [entry.status for entry in entries if entry.path.endswith("/support/manifests/buildcache")]
    assert 200 in read, "the second build reads the cache of the first"


def test_docker_settings_that_name_a_missing_helper_for_the_registry_do_not_stop_a_build(images: Images) -> None:
    """K8: Docker's own tools then find the login in the file, because the helper of this host is empty."""
    settings = images.docker / "config.json"
    host = images.here.azure.emulator.urls.registry
    settings.write_text(json.dumps({"credHelpers": {host: "not-there"}}), encoding="utf-8")
    done = images.here.project.up().succeeded()
    assert "docker-credential-not-there of Docker's settings is not installed, so the login is in" in done.output
    assert images.pushed() == 1


def test_docker_settings_that_no_build_can_use_are_one_error_and_stay_and_the_remedy_works(images: Images) -> None:
    """K8: docker-build lists the usual store first and stops; JSON that is none was a raw JSONDecodeError."""
    settings, project = images.docker / "config.json", images.here.project
    for text, why in (
        ('{"credsStore": "not-there"}', "the credential store docker-credential-not-there is not installed"),
        ("{auths}", "it is not JSON"),
    ):
        settings.write_text(text, encoding="utf-8")
        refused = project.up().failed().output
        assert "DockerSettingsError: Docker's settings can't be used" in refused
        assert why in refused
        assert "Traceback" not in refused
        assert settings.read_text(encoding="utf-8") == text
    settings.unlink()
    project.up().succeeded()
    assert images.pushed() == 1


FROM_TAG = """
import pulumi
import foundry_agents as fa

given = pulumi.Config("given")
project = fa.FoundryProject.existing(endpoint=given.require("endpoint"), principal_id=given.require("principal"))
image = fa.AgentImage.from_tag(given.require("tag"))
fa.HostedAgent("support", project=project, image=image, force_delete=True, timeout_s=60, pull_role_budget_s=0)
"""


def test_a_tag_is_pinned_and_one_that_has_moved_shows_in_the_preview(
    deploy: Callable[..., Deployment], tmp_path: Path
) -> None:
    """Cases 20 and 64. Looked up in the preview too; a missing tag and an image for another machine are errors."""
    here = deploy()
    project = here.project
    (project.folder / "__main__.py").write_text(FROM_TAG, encoding="utf-8")
    project.given["tag"] = f"{project.given['registry']}/support:latest"
    project.write_config()
    project.up().succeeded()
    assert here.posted() == 1

    _push_again(here, tmp_path / "moved", "print('moved')", "latest")
    previewed = project.preview().succeeded()
    assert "support-version replace [diff: ~image]" in previewed.output

    _push_again(here, tmp_path / "arm", "print('arm')", "latest", architecture="arm64")
    refused = project.up().failed()
    assert "error: UnsuitableImageError: image localhost" in refused.output
    assert "it is for linux/arm64, and hosted agents run linux/amd64 only" in refused.output
    assert (here.posted(), len(here.agent()["versions"])) == (1, 1), "nothing was posted"

    project.given["tag"] = f"{project.given['registry']}/support:missing"
    project.write_config()
    missing = project.preview().failed()
    assert 'the digest of "' in missing.output
    assert 'support:missing" could not be read' in missing.output
    assert "AgentImage.pinned(…) needs no tag" in missing.output
    assert "Traceback" not in missing.output


def _push_again(here: Deployment, folder: Path, text: str, tag: str, *, architecture: str = "amd64") -> None:
    folder.mkdir()
    (folder / "main.py").write_text(text, encoding="utf-8")
    host, _, registry = here.project.given["registry"].partition("/")
    with httpx.Client(verify=here.azure.trust(), trust_env=False, timeout=30) as client:
        push(for_architecture(pack(folder), architecture), f"https://{host}", f"{registry}/support", tag, client=client)


REMOTE = """
import pulumi
import foundry_agents as fa

given = pulumi.Config("given")
project = fa.FoundryProject("shop", location="eastus2")
registry = fa.AgentRegistry("images", pulled_by=project, registry_name="imagesremote")
image = fa.AgentImage.remote_build(
    "support",
    context="agent",
    registry=registry,
    build_args={"BASE_IMAGE": given.require("base")},
    poll_interval_s=0.2,
)
fa.HostedAgent("support", project=project, image=image, force_delete=True, timeout_s=60, pull_role_budget_s=0)
pulumi.export("image", image.reference)
"""


def test_a_registry_builds_the_image_without_docker_and_adopts_it_the_next_time(images: Images) -> None:
    """The whole of `remote_build` against the local Azure: uploaded, built, followed, failed with its log, adopted."""
    here, project = images.here, images.here.project
    (project.folder / "__main__.py").write_text(REMOTE, encoding="utf-8")
    dockerfile = images.source / "Dockerfile"
    former = dockerfile.read_text(encoding="utf-8")

    dockerfile.write_text(former.replace("COPY main.py", "COPY missing.py"), encoding="utf-8")
    broken = project.up().failed()
    assert "error: RemoteBuildError: run ca1 did not build the image" in broken.output
    assert '"/missing.py": not found' in broken.output

    dockerfile.write_text(former, encoding="utf-8")
    built = project.up().succeeded()
    digest = images.digest()
    assert f"run ca2 built {digest}" in built.output
    with here.azure.client("shop") as client:
        answer = client.post("agents/support/endpoint/protocols/openai/responses", json={"input": "?"}).json()
    assert answer["output"][0]["content"][0]["text"] == 'support 1: you asked "?"'
    assert NOTHING_CHANGED.search(project.preview().succeeded().output)

    images.delete(f"imagesremote/support@{digest}")
    assert "built if missing" in project.preview().succeeded().output
    rebuilt = project.up().succeeded()
    assert f"run ca3 built {images.digest()}" in rebuilt.output, "deleted in the registry, and built again"
    assert NOTHING_CHANGED.search(project.up().succeeded().output)

    dockerfile.write_text(former + "\nLABEL changed=yes\n", encoding="utf-8")
    assert "RemoteImageBuild support-build update [diff: ~content" in project.preview().succeeded().output
    here.azure.control.set(buildkit="")
    nothing = project.up().failed()
    assert "The local Azure has no BuildKit" in nothing.output

    dockerfile.write_text(former, encoding="utf-8")
    assert NOTHING_CHANGED.search(project.up().succeeded().output)
    scheduled = [entry for entry in here.azure.journal(plane="arm") if entry.path.endswith("/scheduleRun")]
    assert len(scheduled) == 4, "a content that is there is not built again"

"""The pipelines match their schemas, contain no secret, and deploy only with the policies and an approval."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

CHECKOUT = Path(__file__).resolve().parents[2]
GITHUB = sorted((CHECKOUT / ".github" / "workflows").glob("*.yml"))
AZURE = [CHECKOUT / "azure-pipelines.yml", *sorted((CHECKOUT / ".azure-pipelines").glob("*.yml"))]
STAGES = ("dev", "staging", "prod")
POLICIES = "--policy-pack policies/run-pack"


def _read(path: Path) -> dict[str, Any]:
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert isinstance(content, dict)
    return content


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield str(name)
            yield from _strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner)
    elif isinstance(value, str):
        yield value


@pytest.mark.parametrize(
    ("schema", "files"),
    [("vendor.github-workflows", GITHUB), ("vendor.azure-pipelines", AZURE)],
    ids=["github", "azure"],
)
def test_the_files_match_their_schema(schema: str, files: list[Path]) -> None:
    """The schemas are part of check-jsonschema, so this needs no network."""
    # A pattern in the schema of Azure Pipelines is valid only in this variant.
    options = ["--builtin-schema", schema, "--regex-variant", "python"]
    command = [sys.executable, "-m", "check_jsonschema", *options, *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert len(files) >= 2


@pytest.mark.parametrize("path", [*GITHUB, *AZURE], ids=lambda path: path.name)
def test_no_file_contains_or_requests_a_secret(path: Path) -> None:
    found = re.compile(r"secrets\.|PASSPHRASE|ACCESS_TOKEN|CLIENT_SECRET|ACCOUNT_KEY|password", re.IGNORECASE)
    assert [text for text in _strings(_read(path)) if found.search(text)] == []


@pytest.mark.parametrize("path", GITHUB, ids=lambda path: path.name)
def test_a_github_job_can_only_read_and_sign_in(path: Path) -> None:
    assert _read(path)["permissions"].items() <= {"contents": "read", "id-token": "write"}.items()


def test_azure_pipelines_sign_in_with_the_token_of_the_service_connection() -> None:
    stack = _read(CHECKOUT / ".azure-pipelines" / "stack.yml")
    (task,) = [step for step in stack["steps"] if step.get("task") == "AzureCLI@2"]
    assert task["inputs"]["addSpnToEnvironment"] is True
    assert 'ARM_USE_OIDC=true ARM_OIDC_TOKEN="$idToken"' in task["inputs"]["inlineScript"]


def test_github_previews_every_stage_and_deploys_them_in_order_with_approvals() -> None:
    jobs = _read(CHECKOUT / ".github" / "workflows" / "deploy.yml")["jobs"]
    assert [(jobs[stage]["needs"], jobs[stage]["with"]["environment"]) for stage in STAGES] == [
        ("image", "dev"),
        ("dev", "staging"),
        ("staging", "prod"),
    ]
    (preview,) = _read(CHECKOUT / ".github" / "workflows" / "preview.yml")["jobs"].values()
    assert preview["strategy"]["matrix"]["stack"] == list(STAGES)
    assert preview["with"]["verb"] == "preview"
    (called,) = _read(CHECKOUT / ".github" / "workflows" / "stack.yml")["jobs"].values()
    assert called["environment"] == "${{ inputs.environment }}"


def test_azure_pipelines_preview_every_stage_and_deploy_them_in_order_with_approvals() -> None:
    stages = {stage["stage"]: stage for stage in _read(AZURE[0])["stages"]}
    assert [stages[stage]["dependsOn"] for stage in STAGES] == ["image", "dev", "staging"]
    deployments = [stages[stage]["jobs"][0] for stage in STAGES]
    assert [job["environment"] for job in deployments] == [f"foundry-agents-{stage}" for stage in STAGES]
    (preview,) = stages["preview"]["jobs"]
    assert set(preview["strategy"]["matrix"]) == set(STAGES)
    assert stages["preview"]["condition"] == "eq(variables['Build.Reason'], 'PullRequest')"
    assert stages["image"]["condition"] == "ne(variables['Build.Reason'], 'PullRequest')"


def test_the_lowest_versions_are_tested_with_each_pull_request_and_the_newest_every_week() -> None:
    """Finding C. A release of a dependency fails the weekly job, and no pull request."""
    github = _read(CHECKOUT / ".github" / "workflows" / "versions.yml")
    azure = _read(CHECKOUT / ".azure-pipelines" / "versions.yml")
    jobs = github["jobs"], {job["job"]: job for job in azure["jobs"]}
    for both, only_scheduled in zip(jobs, ("if", "condition"), strict=True):
        for versions in ("lowest", "newest"):
            last = both[versions]["steps"][-1]
            assert (last.get("run") or last.get("script")) == f"make {versions}"
        assert only_scheduled not in both["lowest"]
    assert jobs[0]["newest"]["if"] == "github.event_name != 'pull_request'"
    assert jobs[1]["newest"]["condition"] == "ne(variables['Build.Reason'], 'PullRequest')"
    triggers = github[True]  # type: ignore[index]  # YAML reads `on` as true
    assert triggers["pull_request"]["branches"] == azure["pr"]["branches"]["include"] == ["main"]
    assert [each["cron"] for each in triggers["schedule"]] == [each["cron"] for each in azure["schedules"]]


def test_only_the_first_stage_gets_a_digest() -> None:
    """The others read it from the stage before, so nothing is resolved twice."""
    github = _read(CHECKOUT / ".github" / "workflows" / "deploy.yml")["jobs"]
    assert [stage for stage in STAGES if "digest" in github[stage]["with"]] == ["dev"]
    azure = {stage["stage"]: str(stage) for stage in _read(AZURE[0])["stages"]}
    assert [stage for stage in STAGES if "digest" in azure[stage]] == ["dev"]


# --- The script that they call ----------------------------------------------------------------------------------------


@pytest.fixture
def calls(tmp_path: Path) -> Path:
    """Return the log of a fake `pulumi` that only records its calls."""
    log = tmp_path / "calls"
    pulumi = tmp_path / "pulumi"
    contract = '{"agents": {"support": {"image": "acme.azurecr.io/support@sha256:abc"}}}'
    pulumi.write_text(
        f"#!/bin/sh\necho \"$SUPPORT_DIGEST $*\" >> {log}\ncase $1 in stack) echo '{contract}' ;; esac\n",
        encoding="utf-8",
    )
    pulumi.chmod(0o755)
    return log


def _stack(calls: Path, *arguments: str, **variables: str) -> list[str]:
    environ = {"PATH": f"{calls.parent}{os.pathsep}{os.environ['PATH']}", "PULUMI_PYTHON_CMD": sys.executable}
    subprocess.run([CHECKOUT / ".ci" / "stack", *arguments], env=environ | variables, check=True, capture_output=True)
    return calls.read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("verb", ["preview", "up"])
def test_preview_and_up_use_the_policy_pack(calls: Path, verb: str) -> None:
    (call,) = _stack(calls, verb, "prod")
    assert call.split()[0] == verb
    assert POLICIES in call
    assert (CHECKOUT / "policies" / "run-pack").stat().st_mode & 0o111


def test_a_new_digest_is_passed_on_and_without_one_the_stack_keeps_its_own(calls: Path) -> None:
    assert _stack(calls, "up", "dev", SUPPORT_DIGEST="sha256:new")[-1].startswith("sha256:new up ")
    assert _stack(calls, "preview", "dev")[-1].startswith("sha256:abc preview ")


def test_any_other_command_is_refused(calls: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        _stack(calls, "destroy", "prod")
    assert not calls.exists()

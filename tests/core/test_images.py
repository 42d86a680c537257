"""What an image must be to run as a hosted agent, and how images are named."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from foundry_agents.lifecycle.failure.errors import FoundryAgentsError
from foundry_agents.lifecycle.failure.image_errors import RegistryAccessError, UnsuitableImageError
from foundry_agents.lifecycle.images import check_image
from foundry_agents.lifecycle.inputs.image_reference import (
    pin_problem,
    pinned,
    prefix_problem,
    repository_problem,
    tag_names,
    tag_problem,
)
from foundry_agents.lifecycle.views import ImageView

DIGEST = f"sha256:{'0' * 64}"
IMAGE = f"acme.azurecr.io/support@{DIGEST}"
FIT = ImageView(DIGEST, ("linux/amd64",), ("python", "main.py"), ("8088/tcp",))


@dataclass
class OneImage:
    """A registry with one image, or a reason why it does not say."""

    image: ImageView | FoundryAgentsError | None
    said: list[str] = field(default_factory=list)
    warned: list[str] = field(default_factory=list)

    def digest_of(self, repository: str, reference: str) -> str | None:
        raise NotImplementedError

    def is_gone(self, repository: str, reference: str) -> bool:
        raise NotImplementedError

    def inspect(self, repository: str, digest: str) -> ImageView | None:
        assert (repository, digest) == tuple(IMAGE.split("@"))
        if isinstance(self.image, FoundryAgentsError):
            raise self.image
        return self.image

    def require_push(self, repository: str, *, sign_in: bool, progress: object) -> None:
        raise NotImplementedError

    def check(self) -> None:
        check_image(self, IMAGE, self.said.append, self.warned.append)


def test_a_suitable_image_is_accepted_and_reported() -> None:
    registry = OneImage(FIT)
    registry.check()
    assert (registry.said, registry.warned) == (["image checked: linux/amd64, starts python"], [])


def test_an_index_that_has_linux_amd64_among_others_fits() -> None:
    OneImage(ImageView(DIGEST, ("linux/amd64", "linux/arm64"), ("python",))).check()


@pytest.mark.parametrize(
    ("image", "why"),
    [
        (None, "there is no such digest in acme.azurecr.io/support"),
        (
            ImageView(DIGEST, ("linux/arm64",), ("python",)),
            "it is for linux/arm64, and hosted agents run linux/amd64 only",
        ),
        (ImageView(DIGEST, ()), "it is for no platform, and hosted agents run linux/amd64 only"),
        (ImageView(DIGEST, ("linux/amd64",)), "it has neither an ENTRYPOINT nor a CMD, so nothing would start"),
    ],
)
def test_an_image_that_can_not_run_is_refused_with_the_remedy(image: ImageView | None, why: str) -> None:
    """Case 64."""
    with pytest.raises(UnsuitableImageError) as refused:
        OneImage(image).check()
    text = str(refused.value)
    assert refused.value.reference == IMAGE
    assert f"  Why: {why}\n  State: nothing was posted\n  Do: " in text
    assert text.endswith("or disable this check with check=False of the AgentImage")


def test_a_registry_that_can_not_be_read_is_a_warning_and_the_deployment_continues() -> None:
    """A registry that this machine may not read says nothing about the image."""
    closed = RegistryAccessError("acme.azurecr.io", operation="GET /", detail="no", status=403, do="sign in")
    registry = OneImage(closed)
    registry.check()
    assert registry.warned[0].startswith("image not checked: registry acme.azurecr.io refused, HTTP 403")


def test_another_port_is_a_warning_and_the_deployment_continues() -> None:
    registry = OneImage(ImageView(DIGEST, ("linux/amd64",), ("python",), ("80/tcp",)))
    registry.check()
    assert registry.warned == ["image exposes 80/tcp and not 8088: the agent must listen where PORT says"]


def test_tags_name_the_content_first_and_the_commit_beside_it() -> None:
    content = "ab" * 32
    assert tag_names(content, "0123456789ab") == [f"ctx-{content[:32]}", "git-0123456789ab"]
    assert tag_names(content, None) == [f"ctx-{content[:32]}"]


@pytest.mark.parametrize(
    ("reference", "problem"),
    [
        ("acme.azurecr.io/support:1", None),
        ("localhost:5443/images/support:v1.2_x", None),
        (IMAGE, "has a digest already: use AgentImage.pinned(…)"),
        ("acme.azurecr.io/support", "has no tag: write registry/repository:tag"),
        ("localhost:5443/support", "has no tag"),
        ("acme.azurecr.io/support:bad tag", '"bad tag" is not a tag'),
        ("acme.azurecr.io/Support:1", "in lower case"),
        ("support:1", "is not a repository"),
    ],
)
def test_a_reference_by_tag_has_its_form(reference: str, problem: str | None) -> None:
    found = tag_problem(reference)
    assert (found is None) == (problem is None)
    assert (problem or "") in (found or "")


@pytest.mark.parametrize("repository", ["support", "", "acme.azurecr.io/", "https://acme.azurecr.io/support", "a/b:c"])
def test_a_repository_is_a_host_and_a_path(repository: str) -> None:
    assert "is not a repository" in (repository_problem(repository) or "")


HOSTS = ["acme.azurecr.io", "ACME.azurecr.io", "localhost", "localhost:5443", "10.0.0.1:5000", "[::1]", "[::1]:5000"]
PATHS = ["support", "a/b/c", "a.b", "a_b", "a__b", "a--b", "0"]
NO_HOSTS = [
    "localhost:39446#.azurecr.io",
    "localhost:39446?.azurecr.io",
    "localhost:39446\\.azurecr.io",
    "evil.example%2f.azurecr.io",
    "evil.example;.azurecr.io",
    "evil.example .azurecr.io",
    "evil.example\n.azurecr.io",
    "acme..azurecr.io",
    ".azurecr.io",
    "acme.azurecr.io.",
    "-acme.io",
    "acme.io:",
    "acme.io:port",
    "acme.io:123456",
    "acme.io:\u0661",
    "::1",
    "[::1",
    "[evil.example]",
    "h\u00f6st.io",
]
NO_PATHS = ["Support", "/a", "a/", "a//b", "a..b", "a.-b", "a___b", "-a", "a-", "a b", "a#b", "a?b", "a\n", "\u00e4"]


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("path", PATHS)
def test_every_form_of_a_repository_is_accepted_with_a_tag_and_with_a_digest(host: str, path: str) -> None:
    """Finding D: one grammar for both ways of naming an image."""
    assert repository_problem(f"{host}/{path}") is None
    assert tag_problem(f"{host}/{path}:1") is None
    for tag in ("", ":1", ":v1.2_x"):
        assert pin_problem(f"{host}/{path}{tag}@{DIGEST}") is None
        assert pinned(f"{host}/{path}{tag}@{DIGEST}") == f"{host}/{path}@{DIGEST}"


@pytest.mark.parametrize("name", [*(f"{host}/support" for host in NO_HOSTS), *(f"acme.io/{path}" for path in NO_PATHS)])
def test_every_wrong_form_of_a_repository_is_refused_with_a_tag_and_with_a_digest(name: str) -> None:
    """Security finding 3: a host that ends like one of Azure's received the deployer's token."""
    for problem in (repository_problem(name), tag_problem(f"{name}:1"), pin_problem(f"{name}@{DIGEST}")):
        assert "is not a repository" in (problem or "")


@pytest.mark.parametrize("host", NO_HOSTS)
def test_a_registry_that_is_no_host_is_refused(host: str) -> None:
    """Security finding 3."""
    assert "is not a repository" in (prefix_problem(host) or "")


def test_a_password_in_a_reference_is_refused_and_not_shown() -> None:
    """Security finding 3: userinfo before a host."""
    name = "user:canary@acme.azurecr.io/support"
    for problem in (repository_problem(name), tag_problem(f"{name}:1"), pin_problem(f"{name}@{DIGEST}")):
        assert "leave out the user name and password" in (problem or "")
        assert "canary" not in (problem or "")


@pytest.mark.parametrize(
    ("reference", "problem"),
    [
        ("acme.io/support", "pin it: AgentImage.from_tag(…), or acme.io/support@sha256:…"),
        ("acme.io/support:1", "pin it: AgentImage.from_tag(…), or acme.io/support@sha256:…"),
        ("acme.io/support@sha512:00", "64 hexadecimal digits"),
        (f"support@{DIGEST}", "is not a repository"),
        (f"acme.io:5000@{DIGEST}", "is not a repository"),
        (f"https://acme.io/support@{DIGEST}", "leave out https://"),
        (f"acme.io/support@{DIGEST}\n", "64 hexadecimal digits"),
        (f"acme.io/support:bad tag@{DIGEST}", "is not a repository"),
    ],
)
def test_a_reference_by_digest_has_its_form(reference: str, problem: str) -> None:
    assert problem in (pin_problem(reference) or "")

"""The check before a pull: can the agent's image be pulled, as far as the local Azure can know?

[modelled] The service reports each of these reasons with the code ImageError and one general message
(service-contract 8.3, 10.1); the reason is for the journal and the page, not for clients.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from foundry_emulator.arm import ArmStore, ProjectView, RegistryView
from foundry_emulator.registry.image_reference import ImageReference
from foundry_emulator.registry.registry_store import Json, Layer, Manifest, RegistryStore
from foundry_emulator.registry.rights import Action, ignored_by_abac, may


class PullRefusalReason(StrEnum):
    """The reason why an image can't be pulled."""

    BAD_REFERENCE = "bad_reference"
    FOREIGN_REGISTRY = "foreign_registry"
    REGISTRY_NOT_IN_ARM = "registry_not_in_arm"
    ARM_AUDIENCE_DISABLED = "arm_audience_disabled"
    PULL_ROLE_MISSING = "pull_role_missing"
    PULL_ROLE_IGNORED_BY_ABAC = "pull_role_ignored_by_abac"
    IMAGE_NOT_FOUND = "image_not_found"
    WRONG_PLATFORM = "wrong_platform"


@dataclass(frozen=True, slots=True)
class PulledImage:
    """An image that the project may pull and this machine can run.

    Attributes:
        repository: Its repository, the registry's name first.
        manifest: The manifest for linux/amd64.
        config: Its configuration: ``config.Entrypoint``, ``config.Cmd``, ``config.Env``, ``config.WorkingDir``.
        layers: Its layers, lowest first.
    """

    repository: str
    manifest: Manifest
    config: Json
    layers: list[Layer]


@dataclass(frozen=True, slots=True)
class PullRefusal:
    """An image that can't be pulled.

    Attributes:
        reason: The reason, for the journal and the page.
        message: The text of the failed version's ``error.message``, as general as the service's.
    """

    reason: PullRefusalReason
    message: str


_MESSAGES = {
    PullRefusalReason.BAD_REFERENCE: "The image reference is not valid.",
    PullRefusalReason.FOREIGN_REGISTRY: "The registry could not be reached.",
    PullRefusalReason.REGISTRY_NOT_IN_ARM: "The registry could not be reached.",
    PullRefusalReason.ARM_AUDIENCE_DISABLED: "The registry refused the request.",
    PullRefusalReason.PULL_ROLE_MISSING: "The registry refused the request.",
    PullRefusalReason.PULL_ROLE_IGNORED_BY_ABAC: "The registry refused the request.",
    PullRefusalReason.IMAGE_NOT_FOUND: "The image was not found.",
    PullRefusalReason.WRONG_PLATFORM: "The image is not built for linux/amd64.",
}


def check_pull(
    arm: ArmStore, registry_store: RegistryStore, project: ProjectView, image_reference: str
) -> PulledImage | PullRefusal:
    """Return the image if the project's identity can pull it now, else the reason why not."""
    reference = ImageReference.parse(image_reference)
    if reference is None:
        return _refuse(PullRefusalReason.BAD_REFERENCE)
    refusal = _refused_by_azure(arm, reference, image_reference, project)
    if refusal is not None:
        return _refuse(refusal)
    stored = registry_store.stored_manifest(reference.repository, reference.reference)
    if stored is None:
        return _refuse(PullRefusalReason.IMAGE_NOT_FOUND)
    manifest = registry_store.for_linux_amd64(reference.repository, stored)
    config = registry_store.config(manifest) if manifest else {}
    if manifest is None or (config.get("os"), config.get("architecture")) != ("linux", "amd64"):
        return _refuse(PullRefusalReason.WRONG_PLATFORM)
    return PulledImage(
        repository=reference.repository, manifest=manifest, config=config, layers=registry_store.layers(manifest)
    )


def _refused_by_azure(
    arm: ArmStore, reference: ImageReference, image_reference: str, project: ProjectView
) -> PullRefusalReason | None:
    """Return the reason against the pull that is known before the image is looked up, if any."""
    if reference.host.lower() != arm.registry_host.lower():
        return PullRefusalReason.FOREIGN_REGISTRY
    registry = arm.registry_for(image_reference)
    return _refused_by_registry(arm, registry, project) if registry else PullRefusalReason.REGISTRY_NOT_IN_ARM


def _refused_by_registry(arm: ArmStore, registry: RegistryView, project: ProjectView) -> PullRefusalReason | None:
    if not registry.arm_audience_enabled:
        return PullRefusalReason.ARM_AUDIENCE_DISABLED
    if may(arm, registry, project.principal_id, Action.PULL):
        return None
    if ignored_by_abac(arm, registry, project.principal_id, Action.PULL):
        return PullRefusalReason.PULL_ROLE_IGNORED_BY_ABAC
    return PullRefusalReason.PULL_ROLE_MISSING


def _refuse(reason: PullRefusalReason) -> PullRefusal:
    return PullRefusal(reason=reason, message=f"Failed to pull container image. {_MESSAGES[reason]}")

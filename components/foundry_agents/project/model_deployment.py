"""ModelDeployment: a model that agents of an account can call."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pulumi
from pulumi import Input, ResourceOptions
from pulumi_azure_native import cognitiveservices

from foundry_agents.lifecycle.failure.errors import Problem
from foundry_agents.lifecycle.schema.lists import is_list
from foundry_agents.resources._plugin import plain_arguments as plain


@dataclass(frozen=True)
class ModelDeployment:
    """A model deployed to the account, under a name that programs use.

    Attributes:
        name: Name of the deployment.
        model: Name of the model; default ``name``.
        version: Version of the model; by default Azure chooses one, which can change.
        format: Publisher of the model: ``OpenAI``, ``Microsoft``, ``Meta``, … [docs].
        sku: Region scope and billing: ``GlobalStandard``, ``DataZoneStandard``, ``Standard``, … [docs].
        capacity: Thousands of tokens a minute for the standard SKUs; units for provisioned ones [docs].
        upgrade: When Azure may upgrade it to another version: ``NoAutoUpgrade``, ``OnceCurrentVersionExpired`` or
            ``OnceNewDefaultVersionAvailable`` [sdk]. The default upgrades it only when it would stop working.
        rai_policy: Name of the Responsible AI policy; default Azure's own.
    """

    name: str
    model: str | None = None
    version: Input[str] | None = None
    format: Input[str] = "OpenAI"
    sku: Input[str] = "GlobalStandard"
    capacity: Input[int] = 10
    upgrade: Input[str] = "OnceCurrentVersionExpired"
    rai_policy: Input[str] | None = None


def model_problems(models: object) -> Iterator[Problem]:
    """Return what makes the argument ``models`` of a project unusable; ``None`` is no list."""
    if not is_list(models):
        yield from plain.lists(models=models)
        return
    for position, model in enumerate(models):
        yield from plain.one_of(f"models[{position}]", model, ModelDeployment, _EXAMPLE, optional=False)
        if isinstance(model, ModelDeployment):
            yield from plain.texts(**{f"models[{position}].name": model.name})


_EXAMPLE = 'ModelDeployment("gpt-5-mini", version="2025-08-07")'


def deploy_models(
    name: str,
    models: Sequence[ModelDeployment],
    *,
    account_name: Input[str],
    resource_group_name: Input[str],
    tags: Mapping[str, str] | None,
    parent: pulumi.Resource,
) -> list[cognitiveservices.Deployment]:
    """Declare ``{name}-model-{deployment}`` for each, one after the other: an account accepts one at a time.

    Raises:
        pulumi.RunError: When two have the same name.
    """
    made: list[cognitiveservices.Deployment] = []
    for model in models:
        if [other.name for other in models].count(model.name) > 1:
            raise pulumi.RunError(f'FoundryProject "{name}": two models are called "{model.name}"')
        made.append(
            cognitiveservices.Deployment(
                f"{name}-model-{model.name}",
                account_name=account_name,
                deployment_name=model.name,
                resource_group_name=resource_group_name,
                sku=cognitiveservices.SkuArgs(name=model.sku, capacity=model.capacity),
                properties=cognitiveservices.DeploymentPropertiesArgs(
                    model=cognitiveservices.DeploymentModelArgs(
                        format=model.format, name=model.model or model.name, version=model.version
                    ),
                    rai_policy_name=model.rai_policy,
                    version_upgrade_option=model.upgrade,
                ),
                tags=tags,
                opts=ResourceOptions(parent=parent, depends_on=made[-1:]),
            )
        )
    return made

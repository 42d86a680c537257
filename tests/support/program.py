"""Runs a program without an engine and keeps what it declares, with options and secrets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi
from pulumi.runtime import rpc
from pulumi.runtime.mocks import MockCallArgs, MockMonitor, MockResourceArgs, Mocks
from pulumi.runtime.proto import resource_pb2

GROUP = "/subscriptions/0/resourceGroups/rg"
PRINCIPAL = "11111111-2222-3333-4444-555555555555"
LOGIN_SERVER = "acme.azurecr.io"
ENDPOINT = "https://acme-x.services.ai.azure.com/api/projects/demo"

VERSION = "pulumi-python:dynamic/foundry:HostedAgentVersion"
TOOLBOX = "pulumi-python:dynamic/foundry:ToolboxVersion"
IDENTITY = "pulumi-python:dynamic/foundry:AgentIdentity"
STORE = "pulumi-python:dynamic/foundry:VectorStore"
CONNECTION = "azure-native:cognitiveservices:ProjectConnection"
ROLLOUT = "pulumi-python:dynamic/foundry:AgentRollout"
REGISTRY = "azure-native:containerregistry:Registry"
ASSIGNMENT = "azure-native:authorization:RoleAssignment"
RESOURCE_GROUP = "azure-native:resources:ResourceGroup"
ACCOUNT = "azure-native:cognitiveservices:Account"
PROJECT = "azure-native:cognitiveservices:Project"
TAG = "pulumi-python:dynamic/foundry:ContentTag"
REMOTE = "pulumi-python:dynamic/foundry:RemoteImageBuild"
BUILD = "docker-build:index:Image"

DIGEST = f"sha256:{'a' * 64}"
TO_BUILD: Mapping[str, Mapping[str, object]] = {
    TAG: {"tags": ["ghcr.io/acme/support:ctx-0"], "found": "", "previous": None},
    BUILD: {"digest": DIGEST},
    REMOTE: {"digest": DIGEST},
}
"""What the resources of a build return: a tag that does not exist yet, and an image with this digest."""

_ANSWERS: Mapping[str, Mapping[str, object]] = {
    REGISTRY: {"loginServer": LOGIN_SERVER},
    PROJECT: {
        "properties": {"endpoints": {"AI Foundry API": f"{ENDPOINT}/", "Other": "https://other"}},
        "identity": {"principalId": PRINCIPAL, "tenantId": "t", "type": "SystemAssigned"},
    },
    "azure-native:applicationinsights:Component": {"connectionString": "InstrumentationKey=0"},
    VERSION: {
        "version": "7",
        "version_id": "support:7",
        "status": "active",
        "principal_id": "agent-principal",
        "fingerprint": "v1:0",
    },
    TOOLBOX: {
        "version": "3",
        "endpoint": f"{ENDPOINT}/toolboxes/support/versions/3/mcp?api-version=v1",
        "default_endpoint": f"{ENDPOINT}/toolboxes/support/mcp?api-version=v1",
        "fingerprint": "v1:0",
    },
    STORE: {"vector_store_id": "vs_1", "file_count": 1},
    ROLLOUT: {
        "serving_version": "7",
        "traffic": {"7": 100},
        "endpoint": f"{ENDPOINT}/agents/support/endpoint",
        "responses_url": f"{ENDPOINT}/agents/support/endpoint/protocols/openai/responses",
    },
}


@dataclass(frozen=True)
class Secret:
    """A value that travels as a secret."""

    value: object


@dataclass(frozen=True)
class Declared:
    """One resource as a program declared it.

    Attributes:
        type: Its type token.
        name: Its name.
        parent: Name of its parent; "" for the stack.
        urn: The URN that the engine gives it.
        inputs: What was asked for; secrets as Secret, at any depth.
        depends_on: Names of the resources that come first.
        retain_on_delete: It stays when it leaves the program.
        custom: False for a component.
        protect: It can't be deleted.
        deleted_with: Name of the resource that takes it away when it goes.
        ignore_changes: Inputs that are looked at when it is made, never later.
        replace_on_changes: Inputs whose change replaces it.
        secret_outputs: Outputs that are secrets.
        aliases: Names that it had before.
        delete_before_replace: The old one goes before the new one comes.
        replacement_trigger: Value whose change replaces it; None for none.
    """

    type: str
    name: str
    parent: str
    urn: str
    inputs: Mapping[str, Any]
    depends_on: frozenset[str]
    retain_on_delete: bool
    custom: bool
    protect: bool = False
    deleted_with: str = ""
    ignore_changes: tuple[str, ...] = ()
    replace_on_changes: tuple[str, ...] = ()
    secret_outputs: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    delete_before_replace: bool = False
    replacement_trigger: object = None


@dataclass
class Run:
    """What a run declared, and the outputs that the program gave back."""

    declared: list[Declared] = field(default_factory=list)
    outputs: dict[str, Any] = field(default_factory=dict)

    def one(self, type_token: str, name: str | None = None) -> Declared:
        """Return the only resource of a type, or of a type and name."""
        found = [made for made in self.declared if made.type == type_token and name in {None, made.name}]
        (only,) = found
        return only

    @property
    def names(self) -> dict[str, str]:
        """Parent by name of every resource."""
        return {made.name: made.parent for made in self.declared}


def run(
    program: Callable[[], Mapping[str, pulumi.Input[object]] | None],
    *,
    preview: bool = False,
    config: Mapping[str, str] | None = None,
    secret_config: tuple[str, ...] = (),
    stack: str = "dev",
    published: Mapping[str, Mapping[str, object]] | None = None,
    answers: Mapping[str, Mapping[str, object]] | None = None,
    live: Mapping[str, Mapping[str, object]] | None = None,
) -> Run:
    """Run a program; what it returns is resolved into ``outputs``.

    ``published`` is what other stacks have as outputs, by the stacks' names; ``answers`` are outputs by type token;
    ``live`` is what functions answer, by token.
    """
    done = Run()
    mocks = _Azure(published or {}, answers or {}, live or {})
    pulumi.runtime.set_mocks(
        mocks,
        project="foundry-agents",
        stack=stack,
        preview=preview,
        monitor=_Recorder(mocks, done),
        organization="acme",
    )
    pulumi.runtime.set_all_config(dict(config or {}), list(secret_config))

    @pulumi.runtime.test  # type: ignore[untyped-decorator]  # pulumi's has no types
    def go() -> pulumi.Output[object]:
        return pulumi.Output.all(**dict(program() or {})).apply(done.outputs.update)

    go()
    return done


def declare(use: Callable[[], object]) -> Run:
    """Run code that declares resources; ignore what it returns."""

    def program() -> None:
        use()

    return run(program)


class _Azure(Mocks):
    """Answers like Azure, as far as the components look."""

    def __init__(
        self,
        published: Mapping[str, Mapping[str, object]],
        answers: Mapping[str, Mapping[str, object]],
        live: Mapping[str, Mapping[str, object]],
    ) -> None:
        self._published = published
        self._live = live
        self._answers = {**_ANSWERS, **answers}

    def call(self, args: MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        assert args.token in self._live, f"components make no calls, and made {args.token}"
        return dict(self._live[args.token]), []

    def new_resource(self, args: MockResourceArgs) -> tuple[str, dict[str, Any]]:
        if args.typ == "pulumi:pulumi:StackReference":
            outputs = self._published[args.inputs["name"]]
            secret = [name for name, value in outputs.items() if isinstance(value, Secret)]
            plain = {name: value.value if isinstance(value, Secret) else value for name, value in outputs.items()}
            return args.inputs["name"], {**args.inputs, "outputs": plain, "secretOutputNames": secret}
        resource_id = f"{GROUP}/{args.name}"
        if args.typ == PROJECT:
            account = f"{GROUP}/providers/Microsoft.CognitiveServices/accounts/{args.inputs['accountName']}"
            resource_id = f"{account}/projects/{args.inputs['projectName']}"
        return resource_id, {**args.inputs, "name": args.name, **self._answers.get(args.typ, {})}


class _Recorder(MockMonitor):
    def __init__(self, mocks: Mocks, done: Run) -> None:
        super().__init__(mocks)
        self._done = done

    def RegisterResource(  # noqa: N802 (the name on the wire)
        self, request: resource_pb2.RegisterResourceRequest
    ) -> resource_pb2.RegisterResourceResponse:
        if request.type != "pulumi:pulumi:Stack":
            inputs = rpc.deserialize_properties(request.object, keep_unknowns=True)
            self._done.declared.append(
                Declared(
                    request.type,
                    request.name,
                    "" if "::pulumi:pulumi:Stack::" in request.parent else _name(request.parent),
                    _urn(request),
                    {key: _shown(value) for key, value in inputs.items()},
                    frozenset(map(_name, request.dependencies)),
                    request.retainOnDelete,
                    request.custom,
                    request.protect,
                    _name(request.deletedWith),
                    tuple(request.ignoreChanges),
                    tuple(request.replaceOnChanges),
                    tuple(request.additionalSecretOutputs),
                    tuple(alias.spec.name for alias in request.aliases if alias.spec.name),
                    request.deleteBeforeReplace,
                    _trigger(request),
                )
            )
        answer: resource_pb2.RegisterResourceResponse = super().RegisterResource(request)
        return answer


def _trigger(request: resource_pb2.RegisterResourceRequest) -> object:
    return request.replacement_trigger.string_value if request.HasField("replacement_trigger") else None


def _urn(request: resource_pb2.RegisterResourceRequest) -> str:
    # The mock's own URNs leave grandparents out; the engine's do not.
    head, _, parents = request.parent.rpartition("::")[0].rpartition("::")
    return f"{head}::{parents}${request.type}::{request.name}"


def _name(urn: str) -> str:
    return urn.rpartition("::")[2]


def _shown(value: object) -> object:
    if rpc.is_rpc_secret(value):
        return Secret(_shown(rpc.unwrap_rpc_secret(value)))
    if isinstance(value, dict):
        return {key: _shown(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_shown(inner) for inner in value]
    return value

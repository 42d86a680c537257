"""Every error that this library raises on purpose.

FoundryAgentsError
├── InputError                  every problem in the inputs, each with its property path; raised before any request
├── OwnershipError              it exists and this stack does not own it; nothing was changed
├── DuplicateDeclarationError   two resources of one program refer to the same object; nothing was changed
├── RemovalRefusedError         .subject: a run that is limited to targets would delete it; it stays, in state too
├── ServiceError                .status .code .request_id .operation: a request to a service of Azure failed
│   ├── AccessDeniedError           401 or 403: who lacks which role, and where
│   │   └── NetworkDeniedError          403: the account accepts no calls from this network; no role helps
│   ├── PreviewRequiredError        403 preview_feature_required: the service wants an opt-in that is not sent
│   ├── ProjectNotFoundError        the project or its host name does not exist; says nothing about its content
│   ├── ConflictError               409: something still uses it
│   ├── NotReadyError               424: the version is active, and its container does not answer yet
│   ├── ThrottledError              .retry_after_s: too many requests (429); nothing was done
│   ├── ResponseLostError           the request may have been carried out (5xx, connection lost after sending)
│   └── UnreachableError            no connection, so nothing was sent
├── SignInError                 no access token could be acquired
├── UnsuitableImageError        .reference: the image does not exist or can't run as a hosted agent; nothing was posted
├── RegistryAccessError         .registry .status: the registry does not let this machine do what a build needs
├── BuilderUnavailableError     nothing on this machine can build an image
├── DockerSettingsError         .path .why: Docker's settings can't be read or written; they are as they were
├── RemoteBuildError            .run_id .log: a build in Azure failed or did not end in time
├── VersionFailedError          .code .detail .last: the service gave up on a version; final
├── VersionGoneError            .last: a version was deleted by someone else while it was waited for
├── VersionNotFoundError        .agent .version: the service has no such version
├── VectorStoreError            .store .files: files could not be indexed, or the store was deleted meanwhile
├── WaitTimeoutError            .last .polls .waited_s .error: the deadline passed; carries the last observed state
├── SmokeTestError              .detail: a version did not answer as it should
├── PromotionConflictError      .seen: someone else changes the default version of the same toolbox
├── TrafficConflictError        .seen: someone else changes the same traffic
├── RolloutError                .restored: traffic could not be moved; says where it is now
└── ContractError               what another stack publishes does not exist, or can't be read

The text of each is a finished message: what failed, where, why, the state things are in, what to do, and the request id
where there is one. "Service said" holds the service's own words and nothing else. No text holds an environment value.
"""

from foundry_agents.lifecycle.failure.deployment_errors import (
    PromotionConflictError,
    RolloutError,
    SmokeTestError,
    TrafficConflictError,
    VectorStoreError,
    VersionFailedError,
    VersionGoneError,
    VersionNotFoundError,
    WaitTimeoutError,
)
from foundry_agents.lifecycle.failure.errors import (
    ContractError,
    DuplicateDeclarationError,
    FoundryAgentsError,
    InputError,
    OwnershipError,
    Problem,
    RemovalRefusedError,
)
from foundry_agents.lifecycle.failure.image_errors import (
    BuilderUnavailableError,
    DockerSettingsError,
    RegistryAccessError,
    RemoteBuildError,
    UnsuitableImageError,
)
from foundry_agents.lifecycle.failure.service_errors import (
    AccessDeniedError,
    ConflictError,
    NetworkDeniedError,
    NotReadyError,
    PreviewRequiredError,
    ProjectNotFoundError,
    ResponseLostError,
    ServiceError,
    SignInError,
    ThrottledError,
    UnreachableError,
)

__all__ = [
    "AccessDeniedError",
    "BuilderUnavailableError",
    "ConflictError",
    "ContractError",
    "DockerSettingsError",
    "DuplicateDeclarationError",
    "FoundryAgentsError",
    "InputError",
    "NetworkDeniedError",
    "NotReadyError",
    "OwnershipError",
    "PreviewRequiredError",
    "Problem",
    "ProjectNotFoundError",
    "PromotionConflictError",
    "RegistryAccessError",
    "RemoteBuildError",
    "RemovalRefusedError",
    "ResponseLostError",
    "RolloutError",
    "ServiceError",
    "SignInError",
    "SmokeTestError",
    "ThrottledError",
    "TrafficConflictError",
    "UnreachableError",
    "UnsuitableImageError",
    "VectorStoreError",
    "VersionFailedError",
    "VersionGoneError",
    "VersionNotFoundError",
    "WaitTimeoutError",
]

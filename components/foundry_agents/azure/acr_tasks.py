"""The tasks of an Azure registry, on Azure's own SDK: upload a context, run a quick build, read its log."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import Enum

from azure.core.exceptions import ResourceNotFoundError
from azure.mgmt.containerregistrytasks import ContainerRegistryTasksMgmtClient, models
from azure.storage.blob import BlobClient

from foundry_agents.azure.arm import resource_manager
from foundry_agents.azure.clients import BriefRetries
from foundry_agents.azure.errors import translated
from foundry_agents.azure.sdk_models import set_up
from foundry_agents.azure.sign_in import credential
from foundry_agents.lifecycle.failure.image_errors import WITHOUT_TASKS, RegistryAccessError
from foundry_agents.lifecycle.failure.service_errors import AccessDeniedError, ProjectNotFoundError, ServiceError
from foundry_agents.lifecycle.remote_build import UNDER_WAY
from foundry_agents.lifecycle.roles import TASKS_CONTRIBUTOR
from foundry_agents.lifecycle.service.builds import BuildOrder
from foundry_agents.lifecycle.views import RunView

NEWEST_LOOKED_AT = 20
"""How many of the registry's runs are searched for one that a killed `pulumi up` has started."""

_GRANT = (
    f"give the deploying principal the role Container Registry Tasks Contributor ({TASKS_CONTRIBUTOR}) "
    "on the registry; Contributor includes it"
)

_TASKS_REFUSED = "TasksOperationsNotAllowed"
"""The code for a subscription that may not run tasks: free, trial and student ones, and some new ones [observed]."""

_RUN_CONTINUES = "the run continues, and the next `pulumi up` follows it; no version was posted"


class AcrTasks:
    """The runs of one registry.

    Args:
        registry_id: Its ARM id.
    """

    def __init__(self, registry_id: str) -> None:
        cloud = resource_manager()
        parts = registry_id.strip("/").split("/")
        self._group, self._name = parts[3], parts[7]
        self._id = registry_id
        self._url = f"{cloud.url}{registry_id}"
        set_up(models)
        self._client = ContainerRegistryTasksMgmtClient(
            credential(),
            parts[1],
            base_url=cloud.url,
            credential_scopes=[cloud.scope],
            retry_policy=BriefRetries(),
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def under_way(self) -> Sequence[RunView]:
        """Return the runs that are not final, newest first."""
        with self._translated("GET", "runs"):
            listed = self._client.runs.list(self._group, self._name, top=NEWEST_LOOKED_AT)
            return [view for run in listed if (view := _view(run)).status in UNDER_WAY]

    def schedule(self, order: BuildOrder, *, timeout_s: float) -> RunView:
        """Upload the context and start a run that builds and pushes it."""
        with self._translated("POST", "listBuildSourceUploadUrl", writes=True):
            upload = self._client.registries.get_build_source_upload_url(self._group, self._name)
        # The address itself is the right to write there: it stays out of every text.
        with (
            self._translated("PUT", "the context of the build", writes=True),
            BlobClient.from_blob_url(upload.upload_url or "") as blob,
        ):
            blob.upload_blob(order.context(), overwrite=True)
        request = models.DockerBuildRequest(
            docker_file_path=order.dockerfile,
            image_names=list(order.tags),
            is_push_enabled=True,
            source_location=upload.relative_path,
            platform=models.PlatformProperties(os=models.OS.LINUX, architecture=models.Architecture.AMD64),
            target=order.target or None,
            arguments=[models.Argument(name=name, value=value) for name, value in order.build_args.items()],
            timeout=int(timeout_s),
        )
        with self._translated("POST", "scheduleRun", writes=True):
            return _view(self._client.registries.schedule_run(self._group, self._name, request))

    def get(self, run_id: str) -> RunView:
        """Read a run."""
        with self._translated("GET", f"runs/{run_id}", state=_RUN_CONTINUES):
            return _view(self._client.runs.get(self._group, self._name, run_id))

    def log(self, run_id: str) -> str:
        """Return the log so far; "" while there is none."""
        with self._translated("POST", f"runs/{run_id}/listLogSasUrl", state=_RUN_CONTINUES):
            link = self._client.runs.get_log_sas_url(self._group, self._name, run_id).log_link
        if not link:
            return ""
        with self._translated("GET", f"the log of run {run_id}", state=_RUN_CONTINUES):
            try:
                with BlobClient.from_blob_url(link) as blob:
                    return blob.download_blob(encoding="utf-8").readall()
            except ResourceNotFoundError:  # nothing is written yet
                return ""

    @contextmanager
    def _translated(
        self, method: str, what: str, *, writes: bool = False, state: str = "no run was scheduled"
    ) -> Iterator[None]:
        operation = f"{method} {self._url}/{what}"
        try:
            with translated(operation, writes=writes):
                yield
        except ServiceError as error:
            if (do := _remedy(error)) is None:
                raise
            raise RegistryAccessError(
                self._name,
                operation=operation,
                detail=error.detail,
                status=error.status,
                do=do,
                state=state,
                request_id=error.request_id,
                other_ways=WITHOUT_TASKS,
            ) from None


def _remedy(error: ServiceError) -> str | None:
    """Return what helps where the general remedy is about Foundry projects, or does not help."""
    if error.code == _TASKS_REFUSED:
        return (
            "this subscription may not run the tasks of registries, as free, trial and student ones may not, and only "
            "a support request to Azure changes that; get the image in another way"
        )
    if isinstance(error, AccessDeniedError):
        return _GRANT
    return "check registry_id" if isinstance(error, ProjectNotFoundError) else None


def _view(run: models.Run) -> RunView:
    # The SDK's enums are text whose str() is not that text.
    status = run.status.value if isinstance(run.status, Enum) else run.status
    return RunView(str(run.run_id or run.name), str(status), str(run.run_error_message or ""))

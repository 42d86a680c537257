"""Registries over the OCI distribution API: digests, platforms of an image, and whether a push would be accepted."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from urllib.parse import urljoin

import requests

from foundry_agents.azure.arm import resource_manager
from foundry_agents.azure.registry_login import exchanged_login
from foundry_agents.docker.credentials import Login, store_login, stored_login
from foundry_agents.docker.daemon import docker_folder
from foundry_agents.lifecycle import roles
from foundry_agents.lifecycle.failure.errors import FoundryAgentsError
from foundry_agents.lifecycle.failure.image_errors import RegistryAccessError
from foundry_agents.lifecycle.views import ImageView, Progress

_MANIFESTS = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
_TIMEOUT_S = 30
_OK, _ACCEPTED, _UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND = 200, 202, 401, 403, 404
_REFUSALS = frozenset({_UNAUTHORIZED, _FORBIDDEN})
_LOCAL = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:\d+)?")


class RegistryClient:
    """Any registry; signs in with Docker's credentials, else with Azure's, else not at all.

    Args:
        folder: Docker's folder of settings; None takes this user's.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or docker_folder()
        self._http = requests.Session()
        self._http.trust_env = True  # proxies and the machine's CA bundle
        self._http.auth = _no_netrc
        self._bases: dict[str, str] = {}

    def digest_of(self, repository: str, reference: str) -> str | None:
        """Return the digest of a tag or digest; None on a definite 404."""
        answer = self._manifest(repository, reference, "HEAD")
        return answer.headers.get("docker-content-digest") if answer is not None else None

    def inspect(self, repository: str, digest: str) -> ImageView | None:
        """Return an image; None on a definite 404."""
        answer = self._manifest(repository, digest, "GET")
        if answer is None:
            return None
        manifest = answer.json()
        if "manifests" not in manifest:
            return self._described(repository, digest, manifest)
        platforms = {_platform(entry.get("platform", {})): entry for entry in manifest["manifests"]}
        fits = platforms.get("linux/amd64")
        if fits is None:
            return ImageView(digest, tuple(sorted(name for name in platforms if "unknown" not in name)))
        inner = self._manifest(repository, fits["digest"], "GET")
        return self._described(repository, digest, inner.json()) if inner is not None else None

    def require_push(self, repository: str, *, sign_in: bool, progress: Progress) -> None:
        """Start an upload with Docker's credentials and cancel it again.

        Raises:
            RegistryAccessError: The registry does not accept it, and a token of Azure did not help or is not allowed.
        """
        host, _, path = repository.partition("/")
        upload = f"/v2/{path}/blobs/uploads/"
        scope = f"repository:{path}:pull,push"
        answer = self._send("POST", host, upload, scope, [stored_login(self._folder, host)])
        if answer.status_code in _REFUSALS and sign_in and resource_manager().has_registry(host):
            login = exchanged_login(host, self._base(host))
            store_login(self._folder, host, login)
            progress(f"signed in to {host} for Docker, for three hours")
            answer = self._send("POST", host, upload, scope, [login])
        if answer.status_code != _ACCEPTED:
            raise _refused(
                host, f"POST {self._base(host)}{upload}", answer, state="nothing was built, pushed or posted"
            )
        signed = {name: value for name, value in answer.request.headers.items() if name.lower() == "authorization"}
        self._http.delete(
            urljoin(answer.url, answer.headers.get("location", upload)), headers=signed, timeout=_TIMEOUT_S
        )

    def _described(self, repository: str, digest: str, manifest: Mapping[str, Mapping[str, str]]) -> ImageView | None:
        host, _, path = repository.partition("/")
        answer = self._get(host, f"/v2/{path}/blobs/{manifest['config']['digest']}", f"repository:{path}:pull")
        if answer is None:
            return None
        config = answer.json()
        inner = config.get("config") or {}
        command = (*(inner.get("Entrypoint") or ()), *(inner.get("Cmd") or ()))
        return ImageView(digest, (_platform(config),), command, tuple(sorted(inner.get("ExposedPorts") or ())))

    def _manifest(self, repository: str, reference: str, method: str) -> requests.Response | None:
        host, _, path = repository.partition("/")
        accept = {"Accept": ", ".join(_MANIFESTS)}
        return self._get(host, f"/v2/{path}/manifests/{reference}", f"repository:{path}:pull", method, accept)

    def _get(
        self, host: str, path: str, scope: str, method: str = "GET", headers: Mapping[str, str] | None = None
    ) -> requests.Response | None:
        answer = self._send(method, host, path, scope, self._logins(host), headers)
        if answer.status_code == _NOT_FOUND:
            return None
        if answer.status_code != _OK:
            raise _refused(host, f"{method} {self._base(host)}{path}", answer)
        return answer

    def _logins(self, host: str) -> Iterator[Login | None]:
        """Yield the logins to try, best first, each created only when it is needed. None is an anonymous request."""
        if (found := stored_login(self._folder, host)) is not None:
            yield found
        if not resource_manager().has_registry(host):
            yield None
            return
        try:
            yield exchanged_login(host, self._base(host))
        except FoundryAgentsError:
            return

    def _send(  # noqa: PLR0917 (a request has that many parts)
        self,
        method: str,
        host: str,
        path: str,
        scope: str,
        logins: Iterable[Login | None],
        headers: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Send a request; when the registry requires a token, again with one from each login until it accepts one."""
        url = f"{self._base(host)}{path}"
        try:
            answer = self._http.request(method, url, headers=headers, timeout=_TIMEOUT_S)
            if answer.status_code != _UNAUTHORIZED:
                return answer
            for login in logins:
                authorization = self._authorization(answer, scope, login)
                if authorization is None:
                    continue
                signed = {**(headers or {}), "Authorization": authorization}
                again = self._http.request(method, url, headers=signed, timeout=_TIMEOUT_S)
                if again.status_code not in _REFUSALS:
                    return again
        except requests.RequestException as error:
            raise _refused(host, f"{method} {url}", error) from None
        return answer

    def _authorization(self, challenged: requests.Response, scope: str, login: Login | None) -> str | None:
        """Return the header that answers a challenge with a login; None when there is none."""
        challenge = challenged.headers.get("www-authenticate", "")
        named = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
        if "realm" not in named or challenge[:5].lower() == "basic":
            return login.basic if login else None
        # As in Docker: the token server gets the name and password, the registry only the token.
        asked = {"service": named.get("service", ""), "scope": scope}
        signed = {"Authorization": login.basic} if login else {}
        answer = self._http.get(named["realm"], params=asked, headers=signed, timeout=_TIMEOUT_S)
        if answer.status_code != _OK:
            return None
        body = answer.json()
        token = body.get("access_token") or body.get("token")
        return f"Bearer {token}" if token else None

    def _base(self, host: str) -> str:
        """Return the base URL: TLS, except for a registry on this machine with plain HTTP only, as in Docker."""
        if host not in self._bases:
            self._bases[host] = (
                f"http://{host}" if _LOCAL.fullmatch(host) and self._is_plain(host) else f"https://{host}"
            )
        return self._bases[host]

    def _is_plain(self, host: str) -> bool:
        try:
            self._http.head(f"https://{host}/v2/", timeout=_TIMEOUT_S)
        except requests.exceptions.SSLError as error:
            return "WRONG_VERSION_NUMBER" in str(error)
        except requests.RequestException:
            return False
        return False


def _refused(
    host: str, operation: str, cause: requests.Response | Exception, *, state: str = "no version was posted"
) -> RegistryAccessError:
    if isinstance(cause, Exception):
        return RegistryAccessError(
            host,
            operation=operation,
            detail=type(cause).__name__,
            status=None,
            state=state,
            do="check the registry's name, DNS, proxy and private endpoint from this machine",
        )
    do = f"sign in with `docker login {host}` as a user who may push (to read an image: pull)"
    if resource_manager().has_registry(host):
        do = (
            f"sign in with `az login` as a principal with the role AcrPush ({roles.ACR_PUSH}) or "
            f"Container Registry Repository Writer ({roles.REPOSITORY_WRITER}) on it, or AcrPull "
            "to only read an image; a new role assignment takes some minutes"
        )
    return RegistryAccessError(
        host, operation=operation, detail=_said(cause) or cause.reason, status=cause.status_code, do=do, state=state
    )


def _no_netrc(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Keep requests from replacing the Authorization header with a password of ~/.netrc."""
    return request


def _platform(described: Mapping[str, str]) -> str:
    return f"{described.get('os', 'unknown')}/{described.get('architecture', 'unknown')}"


def _said(answer: requests.Response) -> str | None:
    try:
        first = answer.json()["errors"][0]
        return f"[{first['code']}] {first['message']}"
    except (ValueError, LookupError, TypeError):
        return None

"""Requests to registries: where each answers, and the sign-in that it wants. Nothing of a response is trusted."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import requests

from foundry_agents.azure.arm import resource_manager
from foundry_agents.azure.registry_network import network_refusal
from foundry_agents.docker.credentials import TOKEN_USER, Login, helper_trouble, store_login, stored_login
from foundry_agents.docker.daemon import docker_folder
from foundry_agents.lifecycle import roles
from foundry_agents.lifecycle.failure.errors import FoundryAgentsError
from foundry_agents.lifecycle.failure.image_errors import RegistryAccessError
from foundry_agents.lifecycle.inputs.image_reference import is_host
from foundry_agents.lifecycle.views import Progress

TIMEOUT_S = 30.0
OK, NOT_FOUND = 200, 404

_ACCEPTED, _UNAUTHORIZED, _FORBIDDEN, _TOO_MANY, _FAILED = 202, 401, 403, 429, 500
_REFUSALS = frozenset({_UNAUTHORIZED, _FORBIDDEN})
_LOCAL = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:\d+)?")
_MANIFESTS = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
_LOOK_AT_PROXIES = "check the proxies between this machine and the registry, and run the same command again"
_CHUNK = 64 * 1024
_MOST_OF_AN_ERROR = 64 * 1024
_MOST_OF_A_TOKEN = 1024 * 1024


class RegistryHttp:
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

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def read(
        self, repository: str, below: str, *, method: str = "GET", timeout_s: float = TIMEOUT_S
    ) -> requests.Response:
        """Return the response to a read: 200 or a definite 404, with its body unread. The caller closes it.

        Raises:
            RegistryAccessError: The registry refuses, or can't be reached.
        """
        host, path = _parts(repository)
        url = f"/v2/{path}/{below}"
        asked = (host, url, f"repository:{path}:pull", {"Accept": ", ".join(_MANIFESTS)})
        answer = self._send(method, *asked, self._logins(host, timeout_s), timeout_s=timeout_s)
        if answer.status_code != _UNAUTHORIZED and (page := _page_in(answer)):
            answer.close()
            raise self.unreadable(repository, below, page)
        if answer.status_code in {OK, NOT_FOUND}:
            return answer
        if method == "HEAD" and answer.status_code in _REFUSALS and timeout_s == TIMEOUT_S:
            answer.close()
            answer = self._send("GET", *asked, ())  # the response to HEAD has no words
        with answer:
            raise self._refused(host, f"{method} {self._base(host)}{url}", answer)

    def unreadable(self, repository: str, below: str, why: str) -> RegistryAccessError:
        """Return the error for a response of another form than the registry's."""
        host, path = _parts(repository)
        return RegistryAccessError(
            host,
            operation=f"GET {self._base(host)}/v2/{path}/{below}",
            detail=why,
            status=None,
            do=_LOOK_AT_PROXIES,
        )

    def require_push(self, repository: str, *, sign_in: bool, progress: Progress) -> None:
        """Start an upload with Docker's credentials and cancel it again; see ``ImageRegistry``."""
        host, path = _parts(repository)
        upload = f"/v2/{path}/blobs/uploads/"
        asked: tuple[str, str, str, Mapping[str, str]] = (host, upload, f"repository:{path}:pull,push", {})
        answer = self._send("POST", *asked, [stored_login(self._folder, host)])
        if answer.status_code in _REFUSALS and sign_in and resource_manager().has_registry(host):
            answer.close()
            login = _exchanged_login(host, self._base(host), TIMEOUT_S)
            trouble = store_login(self._folder, host, login)
            beside = f"; {trouble}, so the login is in {self._folder / 'config.json'}" if trouble else ""
            progress(f"signed in to {host} for Docker, for three hours{beside}")
            answer = self._send("POST", *asked, [login])
        with answer:
            if answer.status_code != _ACCEPTED:
                raise self._refused(
                    host, f"POST {self._base(host)}{upload}", answer, state="nothing was built, pushed or posted"
                )
            place = urljoin(answer.url, answer.headers.get("location", upload))
            if urlsplit(place).netloc == urlsplit(answer.url).netloc:  # else the token would leave the registry
                signed = {key: value for key, value in answer.request.headers.items() if key.lower() == "authorization"}
                self._http.delete(place, headers=signed, timeout=TIMEOUT_S).close()

    def _logins(self, host: str, timeout_s: float) -> Iterator[Login | None]:
        """Yield the logins to try, best first, each created only when it is needed. None is an anonymous request."""
        if (found := stored_login(self._folder, host, timeout_s=timeout_s)) is not None:
            yield found
        if not resource_manager().has_registry(host):
            yield None
            return
        try:
            yield _exchanged_login(host, self._base(host), timeout_s)
        except RegistryAccessError:
            raise
        except FoundryAgentsError:
            return

    def _send(  # noqa: PLR0917 (a request has that many parts)
        self,
        method: str,
        host: str,
        path: str,
        scope: str,
        headers: Mapping[str, str],
        logins: Iterable[Login | None],
        *,
        timeout_s: float = TIMEOUT_S,
    ) -> requests.Response:
        """Send a request; when the registry requires a token, again with one from each login until it accepts one."""
        url = f"{self._base(host)}{path}"
        try:
            answer = self._http.request(method, url, headers=headers, timeout=timeout_s, stream=True)
        except (requests.RequestException, ValueError) as error:  # a URL of a redirect may be none
            raise self._refused(host, f"{method} {url}", error) from None
        if answer.status_code != _UNAUTHORIZED:
            return answer
        try:
            for login in logins:
                authorization = self._authorization(host, answer, scope, login, timeout_s)
                if authorization is None:
                    continue
                signed = {**headers, "Authorization": authorization}
                again = self._http.request(method, url, headers=signed, timeout=timeout_s, stream=True)
                if again.status_code not in _REFUSALS:
                    answer.close()
                    return again
                again.close()
        except (requests.RequestException, ValueError) as error:
            answer.close()
            raise self._refused(host, f"{method} {url}", error) from None
        except FoundryAgentsError:
            answer.close()
            raise
        return answer

    def _authorization(
        self, host: str, challenged: requests.Response, scope: str, login: Login | None, timeout_s: float
    ) -> str | None:
        """Return the header that answers a challenge with a login; None when there is none."""
        challenge = challenged.headers.get("www-authenticate", "")
        named = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
        if "realm" not in named or challenge[:5].lower() == "basic":
            return login.basic if login else None
        if login and not _may_receive(named["realm"], host, self._base(host), login):
            return None
        # As in Docker: the token server gets the name and password, the registry only the token.
        asked = {"service": named.get("service", ""), "scope": scope}
        signed = {"Authorization": login.basic} if login else {}
        with self._http.get(
            named["realm"], params=asked, headers=signed, timeout=timeout_s, stream=True, allow_redirects=not login
        ) as answer:
            if answer.status_code == _TOO_MANY or answer.status_code >= _FAILED:
                raise self._refused(host, f"GET {urlsplit(named['realm'])._replace(query='').geturl()}", answer)
            if answer.status_code != OK:
                return None
            if page := _page_in(answer):
                raise RegistryAccessError(
                    host, operation=f"GET {named['realm']}", detail=page, status=None, do=_LOOK_AT_PROXIES
                )
            body = _object(start_of(answer, _MOST_OF_A_TOKEN))
        token = body.get("access_token") or body.get("token")
        # A header holds no line ends or other characters that are no token's.
        return f"Bearer {token}" if isinstance(token, str) and re.fullmatch(r"[\x21-\x7e]+", token) else None

    def _refused(
        self,
        host: str,
        operation: str,
        cause: requests.Response | Exception,
        *,
        state: str = "no version was posted",
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
        said = _said(_object(start_of(cause, _MOST_OF_AN_ERROR)))
        if denied := network_refusal(host, operation, cause.status_code, said or "", state=state):
            return denied
        do = f"sign in with `docker login {host}` as a user who may push (to read an image: pull)"
        if resource_manager().has_registry(host):
            do = (
                f"sign in with `az login` as a principal with the role AcrPush ({roles.ACR_PUSH}) or "
                f"Container Registry Repository Writer ({roles.REPOSITORY_WRITER}) on it, or AcrPull "
                "to only read an image; a new role assignment takes some minutes"
            )
        if cause.status_code == _TOO_MANY or cause.status_code >= _FAILED:
            wait = cause.headers.get("retry-after", "")
            do = f"run the same command again {f'after {wait} s' if wait.isdecimal() else 'later'}"
        elif trouble := helper_trouble(self._folder, host):
            do = f"{trouble}: correct that first; then {do}"
        return RegistryAccessError(
            host,
            operation=operation,
            detail=said or cause.reason,
            status=cause.status_code,
            do=do,
            state=state,
            request_id=cause.headers.get("x-ms-correlation-request-id"),
        )

    def _base(self, host: str) -> str:
        """Return the base URL: TLS, except for a registry on this machine with plain HTTP only, as in Docker."""
        if host not in self._bases:
            self._bases[host] = (
                f"http://{host}" if _LOCAL.fullmatch(host) and self._is_plain(host) else f"https://{host}"
            )
        return self._bases[host]

    def _is_plain(self, host: str) -> bool:
        try:
            self._http.head(f"https://{host}/v2/", timeout=TIMEOUT_S)
        except requests.exceptions.SSLError as error:
            return "WRONG_VERSION_NUMBER" in str(error)
        except requests.RequestException:
            return False
        return False


def _page_in(answer: requests.Response) -> str | None:
    """Return that a response is a text for people, as of a proxy, and not a registry's; None for any other."""
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    is_page = kind.startswith("text/") or kind == "application/xhtml+xml"
    return f"HTTP {answer.status_code} with {'an HTML page' if 'html' in kind else kind}" if is_page else None


def start_of(answer: requests.Response, most: int) -> bytes | None:
    """Return a response's bytes, at most so many and one more; None when it breaks off."""
    read = bytearray()
    try:
        for chunk in answer.iter_content(_CHUNK):
            read += chunk
            if len(read) > most:
                break
    except requests.RequestException:
        return None
    return bytes(read[: most + 1])


def _exchanged_login(host: str, base: str, timeout_s: float) -> Login:
    # Late on purpose: a preview that asks a registry which needs no sign-in does not load Azure's SDK.
    from foundry_agents.azure.registry_login import exchanged_login  # noqa: PLC0415

    return exchanged_login(host, base, timeout_s=timeout_s)


def _parts(repository: str) -> tuple[str, str]:
    """Return the host and the path of a repository.

    Raises:
        RegistryAccessError: The host has a character that would lead a URL, and a token with it, elsewhere.
    """
    host, _, path = repository.partition("/")
    if not is_host(host):
        raise RegistryAccessError(
            host, operation="GET /v2/", detail="this is not a host", status=None, do="correct the registry's name"
        )
    return host, path


def _may_receive(realm: str, host: str, base: str, login: Login) -> bool:
    """Return whether a token server may see a login: one made from Azure's token stays with its registry."""
    url, own = urlsplit(realm), urlsplit(base)
    if url.scheme != "https" and (url.scheme, url.netloc) != (own.scheme, own.netloc):
        return False
    return login.username != TOKEN_USER or url.netloc.lower() == host.lower()


def _object(raw: bytes | None) -> Mapping[str, object]:
    """Return a JSON object; empty for anything else."""
    try:
        found = json.loads(raw or b"{}")
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _said(body: Mapping[str, object]) -> str | None:
    errors = body.get("errors")
    first = errors[0] if isinstance(errors, list) and errors else None
    return f"[{first.get('code')}] {first.get('message')}" if isinstance(first, dict) else None


def _no_netrc(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Keep requests from replacing the Authorization header with a password of ~/.netrc."""
    return request

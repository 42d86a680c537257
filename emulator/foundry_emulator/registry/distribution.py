"""The OCI distribution API, version 1.1, as far as docker, BuildKit and similar clients use it.

Not implemented: deletion of blobs, which repositories share, and conversion between manifest types. Without
`Settings.registry_tokens` pushes and pulls need no token, and only callers on this machine may push.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from anyio import to_thread
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route

from foundry_emulator.arm.documents import parsed
from foundry_emulator.media_types import INDEXES, MANIFESTS, OCI_INDEX, OCI_MANIFEST
from foundry_emulator.registry.image_reference import DIGEST, REPOSITORY, TAG
from foundry_emulator.registry.registry_store import Json, Manifest, RegistryStore, descriptors
from foundry_emulator.registry.rights import Action
from foundry_emulator.registry.token_service import TokenService, Unauthorized

_MAX_MANIFEST = 4 * 1024 * 1024  # the least that registries accept, and the most that Docker's does
_RANGE = re.compile(r"(?:bytes[ =])?(\d+)-(\d+)")
_API = {"Docker-Distribution-API-Version": "registry/2.0"}
_PAGE = 1000
_ACTIONS = {
    **dict.fromkeys(("GET", "HEAD"), (Action.PULL,)),
    **dict.fromkeys(("POST", "PUT", "PATCH"), (Action.PULL, Action.PUSH)),
    "DELETE": (Action.DELETE,),
}


class _RegistryError(Exception):
    """An error response with one of the specification's codes."""

    def __init__(self, status: int, code: str, message: str, detail: Mapping[str, object] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.error: Json = {"code": code, "message": message, "detail": dict(detail or {})}


@dataclass(frozen=True, slots=True)
class Distribution:
    """The HTTP side of a :class:`RegistryStore`.

    Attributes:
        registry: What it serves.
        tokens: Checks callers; None allows every caller on this machine.
    """

    registry: RegistryStore
    tokens: TokenService | None = None

    def routes(self) -> list[BaseRoute]:
        """Return the routes of ``/v2``, and of ``/oauth2`` if there are tokens."""
        upload = "/v2/{name:path}/blobs/uploads/{upload}"
        table: list[tuple[str, list[str], Callable[[Request], Awaitable[Response]]]] = [
            ("/v2", ["GET"], self._version),
            ("/v2/", ["GET"], self._version),
            ("/v2/_catalog", ["GET"], self._catalog),
            ("/v2/{name:path}/tags/list", ["GET"], self._list_tags),
            ("/v2/{name:path}/blobs/uploads", ["POST"], self._start),
            ("/v2/{name:path}/blobs/uploads/", ["POST"], self._start),
            (upload, ["GET"], self._status),
            (upload, ["PATCH"], self._receive),
            (upload, ["PUT"], self._finish),
            (upload, ["DELETE"], self._drop),
            ("/v2/{name:path}/blobs/{digest}", ["GET"], self._get_blob),
            ("/v2/{name:path}/manifests/{reference}", ["GET"], self._get_manifest),
            ("/v2/{name:path}/manifests/{reference}", ["PUT"], self._put_manifest),
            ("/v2/{name:path}/manifests/{reference}", ["DELETE"], self._delete_manifest),
            ("/v2/{name:path}/referrers/{digest}", ["GET"], self._referrers),
            ("/v2/{rest:path}", ["GET", "PUT", "POST", "PATCH", "DELETE"], self._unsupported),
        ]
        served: list[BaseRoute] = [Route(p, self._guarded(endpoint), methods=m) for p, m, endpoint in table]
        return served if self.tokens is None else [*self.tokens.routes(), *served]

    async def _version(self, _request: Request) -> Response:
        return JSONResponse({})

    async def _unsupported(self, request: Request) -> Response:
        if request.method == "GET":
            raise _RegistryError(404, "UNSUPPORTED", f"The registry has nothing at {request.url.path}.")
        raise _RegistryError(405, "UNSUPPORTED", "The operation is unsupported.")

    async def _catalog(self, request: Request) -> Response:
        return _page(request, "repositories", self.registry.repositories(), {})

    async def _list_tags(self, request: Request) -> Response:
        name = _name(request)
        if name not in self.registry.repositories():
            raise _RegistryError(404, "NAME_UNKNOWN", "repository name not known to registry", {"name": name})
        return _page(request, "tags", self.registry.tags(name), {"name": name})

    # Blobs and their uploads.

    async def _get_blob(self, request: Request) -> Response:
        name = _name(request)
        digest = _digest(request.path_params["digest"])
        path = self.registry.blob_path(digest)
        if path is None or not self.registry.has_blob(name, digest):
            raise _RegistryError(404, "BLOB_UNKNOWN", "blob unknown to registry", {"digest": digest})
        return FileResponse(
            path,
            media_type="application/octet-stream",
            headers={"Docker-Content-Digest": digest, "ETag": f'"{digest}"'},
        )

    async def _start(self, request: Request) -> Response:
        name = _name(request)
        mount, source = request.query_params.get("mount", ""), request.query_params.get("from", "")
        if mount and self.registry.has_blob(source, _digest(mount)) and self._may_mount(request, source):
            self.registry.link(name, mount)
            return _created(name, mount)
        upload = self.registry.start_upload()
        if "digest" not in request.query_params:
            return self._accepted(name, upload)
        return await self._complete(request, name, upload)

    async def _status(self, request: Request) -> Response:
        name, upload, size = self._upload(request)
        return Response(status_code=204, headers=_progress(name, upload, size))

    async def _receive(self, request: Request) -> Response:
        name, upload, size = self._upload(request)
        given = request.headers.get("content-range")
        if given is not None:
            requested = _RANGE.fullmatch(given)
            if requested is None or int(requested[1]) != size:
                return Response(status_code=416, headers=_progress(name, upload, size))
        await self._append(request, upload)
        return self._accepted(name, upload)

    async def _finish(self, request: Request) -> Response:
        name, upload, _ = self._upload(request)
        return await self._complete(request, name, upload)

    async def _drop(self, request: Request) -> Response:
        _, upload, _ = self._upload(request)
        self.registry.drop_upload(upload)
        return Response(status_code=204)

    async def _complete(self, request: Request, name: str, upload: str) -> Response:
        digest = _digest(request.query_params.get("digest", ""))
        await self._append(request, upload)
        # Hashing a large layer takes seconds; the event loop serves other requests meanwhile.
        if not await to_thread.run_sync(self.registry.finish_upload, upload, digest):
            raise _RegistryError(
                400, "DIGEST_INVALID", "provided digest did not match uploaded content", {"digest": digest}
            )
        self.registry.link(name, digest)
        return _created(name, digest)

    async def _append(self, request: Request, upload: str) -> None:
        try:
            async for chunk in request.stream():
                self.registry.append(upload, chunk)
        except ClientDisconnect:
            raise _RegistryError(
                400, "BLOB_UPLOAD_INVALID", "the client went away; ask for the upload's range"
            ) from None

    def _guarded(self, endpoint: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        async def serve(request: Request) -> Response:
            try:
                self._admit(request)
                answer = await endpoint(request)
            except Unauthorized as refused:
                error = {"code": "UNAUTHORIZED", "message": str(refused), "detail": {}}
                answer = JSONResponse({"errors": [error]}, 401, headers={"WWW-Authenticate": refused.challenge})
            except _RegistryError as error:
                answer = JSONResponse({"errors": [error.error]}, status_code=error.status)
            answer.headers.update(_API)
            return answer

        return serve

    def _admit(self, request: Request) -> None:
        """Refuse a caller without the right that the request needs."""
        if self.tokens is None or not self.tokens.required:
            if request.method not in {"GET", "HEAD"}:
                _require_loopback(request)
            return
        name, actions = str(request.path_params.get("name", "")), _ACTIONS[request.method]
        needed = [(name, action) for action in actions] if name else []
        request.state.principal = self.tokens.check(request.headers.get("authorization"), needed)

    def _may_mount(self, request: Request, source: str) -> bool:
        return self.tokens is None or self.tokens.may_pull(request.headers.get("authorization"), source)

    def _upload(self, request: Request) -> tuple[str, str, int]:
        name, upload = _name(request), str(request.path_params["upload"])
        size = self.registry.upload_size(upload)
        if size is None:
            raise _RegistryError(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry")
        return name, upload, size

    def _accepted(self, name: str, upload: str) -> Response:
        size = self.registry.upload_size(upload) or 0
        return Response(status_code=202, headers=_progress(name, upload, size))

    # Manifests.

    async def _get_manifest(self, request: Request) -> Response:
        name, reference = _name(request), str(request.path_params["reference"])
        manifest = self.registry.stored_manifest(name, reference)
        if manifest is None:
            raise _unknown_manifest(name, reference)
        headers = {"Docker-Content-Digest": manifest.digest, "ETag": f'"{manifest.digest}"'}
        return Response(manifest.raw, media_type=manifest.media_type, headers=headers)

    async def _put_manifest(self, request: Request) -> Response:
        name, reference = _name(request), str(request.path_params["reference"])
        raw = await request.body()
        digest = f"sha256:{hashlib.sha256(raw).hexdigest()}"
        if ":" in reference:
            if _digest(reference) != digest:
                raise _RegistryError(400, "DIGEST_INVALID", "provided digest did not match uploaded content")
        elif not TAG.fullmatch(reference):
            raise _RegistryError(400, "TAG_INVALID", "manifest tag did not match its form", {"tag": reference})
        manifest = _parsed_manifest(raw, digest, request.headers.get("content-type", ""))
        self._check_complete(name, manifest)
        self.registry.put_manifest(name, manifest, None if ":" in reference else reference)
        headers = {"Location": f"/v2/{name}/manifests/{digest}", "Docker-Content-Digest": digest}
        subject = manifest.parsed.get("subject")
        if isinstance(subject, dict) and isinstance(subject.get("digest"), str):
            headers["OCI-Subject"] = _digest(subject["digest"])
        return Response(status_code=201, headers=headers)

    async def _delete_manifest(self, request: Request) -> Response:
        name, reference = _name(request), str(request.path_params["reference"])
        if not self.registry.delete_manifest(name, reference):
            raise _unknown_manifest(name, reference)
        return Response(status_code=202)

    async def _referrers(self, request: Request) -> Response:
        name, digest = _name(request), _digest(request.path_params["digest"])
        requested = request.query_params.get("artifactType")
        found = [_referrer(manifest) for manifest in self.registry.referring(name, digest)]
        shown = [entry for entry in found if requested is None or entry["artifactType"] == requested]
        headers = {} if requested is None else {"OCI-Filters-Applied": "artifactType"}
        index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": shown}
        return JSONResponse(index, media_type=OCI_INDEX, headers=headers)

    def _check_complete(self, name: str, manifest: Manifest) -> None:
        blobs = manifest.blobs()
        missing = []
        for entry in descriptors(manifest.parsed, "manifests") if manifest.is_index else ():
            digest = str(entry.get("digest"))
            # BuildKit's cache is an index of layers and of a configuration of its own, which are blobs [observed].
            if str(entry.get("mediaType") or OCI_MANIFEST) not in INDEXES | MANIFESTS:
                blobs.append(digest)
            elif self.registry.stored_manifest(name, digest) is None:
                missing.append(digest)
        missing += [digest for digest in blobs if not self.registry.has_blob(name, digest)]
        if missing:
            raise _RegistryError(404, "MANIFEST_BLOB_UNKNOWN", "blob unknown to registry", {"digest": missing[0]})


def _require_loopback(request: Request) -> None:
    """Refuse a push from another machine; without tokens this is the only check."""
    try:
        is_here = request.client is not None and ipaddress.ip_address(request.client.host).is_loopback
    except ValueError:
        is_here = False
    if not is_here:
        raise _RegistryError(403, "DENIED", "the local Azure takes pushes from this machine only")


def _name(request: Request) -> str:
    name = str(request.path_params["name"])
    if not REPOSITORY.fullmatch(name):
        raise _RegistryError(400, "NAME_INVALID", "invalid repository name", {"name": name})
    return name


def _digest(text: str) -> str:
    if not DIGEST.fullmatch(text):
        raise _RegistryError(400, "DIGEST_INVALID", "not a sha256 digest", {"digest": text})
    return text


def _parsed_manifest(raw: bytes, digest: str, content_type: str) -> Manifest:
    if len(raw) > _MAX_MANIFEST:
        raise _RegistryError(413, "SIZE_INVALID", "a manifest has at most 4 MiB")
    try:
        manifest = parsed(raw)
    except ValueError:
        raise _RegistryError(400, "MANIFEST_INVALID", "the manifest is not JSON") from None
    if not isinstance(manifest, dict):
        raise _RegistryError(400, "MANIFEST_INVALID", "the manifest is not a JSON object")
    declared = content_type.partition(";")[0].strip()
    media_type = str(manifest.get("mediaType") or declared)
    if declared and declared != media_type:
        raise _RegistryError(400, "MANIFEST_INVALID", f"Content-Type is {declared}, mediaType is {media_type}")
    if media_type not in INDEXES | MANIFESTS:
        raise _RegistryError(415, "MANIFEST_INVALID", f"manifests of type '{media_type}' are not known here")
    return Manifest(digest=digest, media_type=media_type, raw=raw, parsed=manifest)


def _unknown_manifest(name: str, reference: str) -> _RegistryError:
    return _RegistryError(404, "MANIFEST_UNKNOWN", "manifest unknown", {"name": name, "reference": reference})


def _referrer(manifest: Manifest) -> Json:
    """Return a manifest's descriptor for the referrers API; without ``artifactType``, that of its configuration."""
    config = manifest.parsed.get("config")
    kind = manifest.parsed.get("artifactType") or (config.get("mediaType") if isinstance(config, dict) else None)
    described: Json = {
        "mediaType": manifest.media_type,
        "digest": manifest.digest,
        "size": len(manifest.raw),
        "artifactType": kind,
    }
    annotations = manifest.parsed.get("annotations")
    return described | ({"annotations": annotations} if annotations else {})


def _created(name: str, digest: str) -> Response:
    headers = {"Location": f"/v2/{name}/blobs/{digest}", "Docker-Content-Digest": digest}
    return Response(status_code=201, headers=headers)


def _progress(name: str, upload: str, size: int) -> dict[str, str]:
    return {
        "Location": f"/v2/{name}/blobs/uploads/{upload}",
        "Range": f"0-{max(size - 1, 0)}",
        "Docker-Upload-UUID": upload,
    }


def _page(request: Request, key: str, values: list[str], more: Mapping[str, object]) -> Response:
    last = request.query_params.get("last", "")
    try:
        limit = int(request.query_params.get("n", _PAGE))
    except ValueError:
        limit = -1
    if limit < 0:
        raise _RegistryError(400, "PAGINATION_NUMBER_INVALID", "n is a number, 0 or more")
    rest = [v for v in values if v > last] if last else values
    shown = rest[:limit]
    headers = {}
    if shown and len(rest) > limit:
        headers["Link"] = f'<{request.url.path}?{urlencode({"n": limit, "last": shown[-1]})}>; rel="next"'
    return JSONResponse({**more, key: shown}, headers=headers)

"""The routes of the page: its HTML, style and script."""

from __future__ import annotations

from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import Route

from foundry_emulator.control import Control
from foundry_emulator.page.sections import render

_FILES = {"page.css": "text/css", "page.js": "text/javascript"}
_HEADERS = {
    "cache-control": "no-store",
    # Only the page's own two files run or load, whatever a caller has named an agent.
    "content-security-policy": "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "img-src data:",
    "x-content-type-options": "nosniff",
}


def pages(control: Control) -> list[Route]:
    """Return the routes of ``GET /``, its style and its script, without a build step.

    The server writes the HTML; the script fetches it regularly and replaces the sections that changed, except the one
    that has the focus.
    """

    async def serve(_request: Request) -> Response:
        return HTMLResponse(render(control), headers=_HEADERS)

    return [Route("/", serve, methods=["GET"]), *(_file(name, kind) for name, kind in _FILES.items())]


def _file(name: str, kind: str) -> Route:
    path = Path(__file__).with_name(name)

    async def serve(_request: Request) -> Response:
        return FileResponse(path, media_type=kind, headers=_HEADERS)

    return Route(f"/{name}", serve, methods=["GET"])

"""Debian's Chromium, and a local Azure with content."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator

import httpx
from playwright.sync_api import BrowserContext, sync_playwright

from foundry_emulator.arm import roles
from foundry_emulator.testing import LocalAzure
from tests.emulator.api import Api

OTHER = "5b0c1e0a-6d3f-4a55-9c77-2f6f5d1c9a10"
_FLAGS = (
    "--headless=new",
    "--no-sandbox",  # tests run as root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@contextlib.contextmanager
def browser(program: str, *, height: int = 900) -> Iterator[BrowserContext]:
    """Yield a browser with an empty profile; its calls time out after 10 seconds."""
    with tempfile.TemporaryDirectory(prefix="chromium-") as profile, sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            profile,
            executable_path=program,
            args=list(_FLAGS),
            color_scheme="light",
            viewport={"width": 1200, "height": height},
        )
        context.set_default_timeout(10_000)
        try:
            yield context
        finally:
            context.close()


def fill(azure: LocalAzure) -> Api:
    """Return a project with agents in every state, split traffic, sessions, a toolbox, roles and faults."""
    project = azure.seed_project("shop")
    api = Api(azure, project, azure.push_image(project, "support"))
    for cpu, memory in (("0.5", "1Gi"), ("1", "2Gi")):
        api.create("support", cpu=cpu, memory=memory)
    api.create("support", container_configuration={"image": f"{project.login_server}/support@sha256:{'0' * 64}"})
    api.route("support", {"1": 75, "2": 25})
    for text in ("Where is my order?", "And the other one?", "Thanks!"):
        api.ask("support", text)
    api.create("billing")
    api.post("billing", draft=True)
    api.http.post("/agents/billing:disable")
    tools = [
        {"type": "code_interpreter"},
        {"type": "mcp", "server_label": "orders", "server_url": "https://mcp.example"},
    ]
    for _ in range(2):
        api.http.post("/toolboxes/support-tools/versions", json={"tools": tools})
    azure.grant(OTHER, roles.FOUNDRY_AGENT_CONSUMER, project.id)
    azure.control.fault(method="GET", path="/agents/support$", nth=1, action="status", status=503)
    with contextlib.suppress(httpx.HTTPError):
        api.http.get("/agents/support")
    with azure.client("shop", principal_id=OTHER) as consumer:
        consumer.delete("/agents/support")
    return api

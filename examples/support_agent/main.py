"""A support agent that answers without a model and names its version in the answer."""  # noqa: INP001 - a script, alone in its image

import asyncio
import json
import logging
import os
from collections.abc import AsyncIterator, Mapping

# The library logs during its import, so the format of the log is set before.
logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
# They log "This is an experimental method" once per method, and every header of every storage call.
for chatty in ("azure.ai.agentserver.core._experimental", "azure.core.pipeline.policies.http_logging_policy"):
    logging.getLogger(chatty).setLevel(logging.ERROR)

from azure.ai.agentserver.core import configure_observability, get_request_context  # noqa: E402 - see above
from azure.ai.agentserver.responses import (  # noqa: E402
    ResponseContext,
    ResponsesAgentServerHost,
    TextResponse,
)

# Exporters of telemetry. The platform sets the first two for an agent whose project has Application Insights.
EXPORTERS = (
    "APPLICATIONINSIGHTS_CONNECTION_STRING",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
    "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT",
)
# Without an exporter, the library would still load every instrumentation (3 s), print each log record a second time
# as JSON, and call its vendor's statistics host on the internet. So telemetry is enabled only with an exporter.
app = ResponsesAgentServerHost(
    configure_observability=configure_observability if any(map(os.environ.get, EXPORTERS)) else None,
)


@app.response_handler
async def answer(
    request: Mapping[str, object],  # the parsed body; the library hides its own type from type checkers
    context: ResponseContext,
    cancellation_signal: asyncio.Event,  # noqa: ARG001 - the library passes it; this answer never waits
) -> TextResponse:
    """Answer with the version and the question, or with the result of a tool, word by word as a model would."""
    name = os.environ.get("FOUNDRY_AGENT_NAME", "support")
    version = os.environ.get("FOUNDRY_AGENT_VERSION", "unversioned")
    question = await context.get_input_text()
    reply = await from_tools(question) or f'you asked "{question}"'
    text = f"{name} {version}: {reply}"
    greeting = os.environ.get("GREETING")
    return TextResponse(context, request, text=words(f"{greeting} {text}" if greeting else text))


async def from_tools(question: str) -> str | None:
    """Answer ``use NAME {…}`` with the result of the tool, and ``use`` alone with the names of the tools.

    An agent with a model would let the model choose. Return None for any other question, or without tools.
    """
    verb, _, rest = question.strip().partition(" ")
    endpoint = os.environ.get("TOOLBOX_ENDPOINT")
    if not endpoint or verb != "use":
        return None
    name, _, arguments = rest.strip().partition(" ")
    try:
        return await use(endpoint, name, json.loads(arguments or "{}"))
    except* Exception as problems:  # noqa: BLE001 - the agent answers even if a tool fails
        causes = "; ".join(reasons(problems))
    return f"the tool could not be used: {causes}"


async def use(endpoint: str, name: str, arguments: dict[str, object]) -> str:
    """Call a tool of the toolbox over MCP, with this agent's own identity."""
    # Imported here, because they take a second and an agent without tools does not need them.
    import httpx2  # noqa: PLC0415
    from azure.identity.aio import DefaultAzureCredential  # noqa: PLC0415
    from mcp.client import Client  # noqa: PLC0415
    from mcp.client.streamable_http import streamable_http_client  # noqa: PLC0415

    async with DefaultAzureCredential() as credential:
        token = await credential.get_token("https://ai.azure.com/.default")
    # The headers contain the platform's id of the call, with which the service knows the caller.
    headers = {"authorization": f"Bearer {token.token}", **get_request_context().platform_headers()}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=60) as http,
        Client(streamable_http_client(endpoint, http_client=http)) as client,
    ):
        if not name:
            return "tools: " + ", ".join(tool.name for tool in (await client.list_tools()).tools)
        result = await client.call_tool(name, arguments)
    text = " ".join(part.text for part in result.content if part.type == "text")
    return f"{name} failed: {text}" if result.is_error else f"{name}: {text}"


def reasons(problem: BaseException) -> list[str]:
    """Return the causes, without the exception groups of tasks around them."""
    if isinstance(problem, BaseExceptionGroup):
        return [reason for inner in problem.exceptions for reason in reasons(inner)]
    return [f"{type(problem).__name__} {problem}"]


async def words(text: str) -> AsyncIterator[str]:
    """Yield the text in pieces that end after each space."""
    *others, last = text.split(" ")
    for word in others:
        yield f"{word} "
    yield last


if __name__ == "__main__":
    app.run()  # on 0.0.0.0:$PORT, by default 8088; on SIGTERM it finishes running streams and exits with 0

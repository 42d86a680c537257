"""A support agent that answers without a model, and says which version of it answered."""  # noqa: INP001 - a script, alone in its image

import asyncio
import json
import logging
import os
from collections.abc import AsyncIterator, Mapping

# The library logs while it is imported; a log without a format is set up too late afterwards.
logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
# "This is an experimental method", once per method, and every header of every storage call.
for chatty in ("azure.ai.agentserver.core._experimental", "azure.core.pipeline.policies.http_logging_policy"):
    logging.getLogger(chatty).setLevel(logging.ERROR)

from azure.ai.agentserver.core import configure_observability, get_request_context  # noqa: E402 - see above
from azure.ai.agentserver.responses import (  # noqa: E402
    ResponseContext,
    ResponsesAgentServerHost,
    TextResponse,
)

# Where telemetry can go. The platform sets the first two for an agent whose project has Application Insights.
EXPORTERS = (
    "APPLICATIONINSIGHTS_CONNECTION_STRING",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
    "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT",
)
# With nowhere to send to, the library would still load every instrumentation (3 s), print each log record a
# second time as JSON, and look for its vendor's statistics host on the internet. So it is set up only on demand.
app = ResponsesAgentServerHost(
    configure_observability=configure_observability if any(map(os.environ.get, EXPORTERS)) else None,
)


@app.response_handler
async def answer(
    request: Mapping[str, object],  # the parsed body; the library's own name for it is hidden from type checkers
    context: ResponseContext,
    cancellation_signal: asyncio.Event,  # noqa: ARG001 - the library calls with three; this answer never waits
) -> TextResponse:
    """Say who answers and what was asked, or what a tool says, word by word as a model would."""
    name = os.environ.get("FOUNDRY_AGENT_NAME", "support")
    version = os.environ.get("FOUNDRY_AGENT_VERSION", "unversioned")
    question = await context.get_input_text()
    said = await from_tools(question) or f'you asked "{question}"'
    text = f"{name} {version}: {said}"
    greeting = os.environ.get("GREETING")
    return TextResponse(context, request, text=words(f"{greeting} {text}" if greeting else text))


async def from_tools(question: str) -> str | None:
    """Answer ``use NAME {…}`` with the tool's words, and ``use`` alone with the tools' names.

    An agent with a model would let the model choose. None for any other question, and for an agent without tools.
    """
    verb, _, rest = question.strip().partition(" ")
    endpoint = os.environ.get("TOOLBOX_ENDPOINT")
    if not endpoint or verb != "use":
        return None
    name, _, arguments = rest.strip().partition(" ")
    try:
        return await use(endpoint, name, json.loads(arguments or "{}"))
    except* Exception as problems:  # noqa: BLE001 - whatever is wrong with a tool, the agent answers
        told = "; ".join(reasons(problems))
    return f"the tool could not be used: {told}"


async def use(endpoint: str, name: str, arguments: dict[str, object]) -> str:
    """Call a tool of the toolbox over MCP, as this agent's own identity."""
    # Here, because they take a second to load and an agent without tools needs none of them.
    import httpx2  # noqa: PLC0415
    from azure.identity.aio import DefaultAzureCredential  # noqa: PLC0415
    from mcp.client import Client  # noqa: PLC0415
    from mcp.client.streamable_http import streamable_http_client  # noqa: PLC0415

    async with DefaultAzureCredential() as credential:
        token = await credential.get_token("https://ai.azure.com/.default")
    # The platform's id of the call travels on: by it the service knows for whom the tool is used.
    headers = {"authorization": f"Bearer {token.token}", **get_request_context().platform_headers()}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=60) as http,
        Client(streamable_http_client(endpoint, http_client=http)) as client,
    ):
        if not name:
            return "tools: " + ", ".join(tool.name for tool in (await client.list_tools()).tools)
        result = await client.call_tool(name, arguments)
    said = " ".join(part.text for part in result.content if part.type == "text")
    return f"{name} failed: {said}" if result.is_error else f"{name}: {said}"


def reasons(problem: BaseException) -> list[str]:
    """Give what went wrong, out of the groups that tasks wrap it in."""
    if isinstance(problem, BaseExceptionGroup):
        return [reason for inner in problem.exceptions for reason in reasons(inner)]
    return [f"{type(problem).__name__} {problem}"]


async def words(text: str) -> AsyncIterator[str]:
    """Yield the text in pieces that end after each space; joined they are the text again."""
    *others, last = text.split(" ")
    for word in others:
        yield f"{word} "
    yield last


if __name__ == "__main__":
    app.run()  # 0.0.0.0:$PORT, 8088 when unset; on SIGTERM it takes no more, lets streams end, and exits with 0

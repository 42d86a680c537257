"""A support agent that answers without a model, and says which version of it answered."""  # noqa: INP001 - a script, alone in its image

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Mapping

# The library logs while it is imported; a log without a format is set up too late afterwards.
logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
# "This is an experimental method", once per method, and every header of every storage call.
for chatty in ("azure.ai.agentserver.core._experimental", "azure.core.pipeline.policies.http_logging_policy"):
    logging.getLogger(chatty).setLevel(logging.ERROR)

from azure.ai.agentserver.core import configure_observability  # noqa: E402 - see above
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
    """Say who answers and what was asked, word by word as a model would."""
    name = os.environ.get("FOUNDRY_AGENT_NAME", "support")
    version = os.environ.get("FOUNDRY_AGENT_VERSION", "unversioned")
    text = f'{name} {version}: you asked "{await context.get_input_text()}"'
    greeting = os.environ.get("GREETING")
    return TextResponse(context, request, text=words(f"{greeting} {text}" if greeting else text))


async def words(text: str) -> AsyncIterator[str]:
    """Yield the text in pieces that end after each space; joined they are the text again."""
    *others, last = text.split(" ")
    for word in others:
        yield f"{word} "
    yield last


if __name__ == "__main__":
    app.run()  # 0.0.0.0:$PORT, 8088 when unset; on SIGTERM it takes no more, lets streams end, and exits with 0

"""A canary in the environment of an agent whose service echoes it wherever it can: where does it come out?"""

from __future__ import annotations

import json
from collections.abc import Mapping

from tests.support.bench import CANARY, Agent, Bench
from tests.support.plugin import ProviderError

HEAD = "canary-4711"
"""What every spelling of the canary begins with."""

SECRETS: Mapping[str, str] = {"TOKEN": CANARY, "GREETING": "Hello"}

ECHOES: Mapping[str, str] = {
    "as it is": f"The value '{CANARY}' of TOKEN is not allowed.",
    "as JSON": f"Cannot read {json.dumps(SECRETS)}",
    "as JSON in UTF-8": f"Cannot read {json.dumps(SECRETS, ensure_ascii=False)}",
    "as Python": f"Cannot read {SECRETS!r}",
}
"""What a service may say when it does not like what it was sent."""


def echo(words: str) -> dict[str, object]:
    """Return the service's error envelope [recorded]."""
    return {"error": {"code": "invalid_payload", "message": words, "type": "error", "details": []}}


def hits(bench: Bench) -> list[str]:
    """Return the places that show the canary: errors, lines on the screen, outputs other than its own, the journal."""
    places: dict[str, object] = {}
    for spelling, words in ECHOES.items():
        for method, status in (("POST", 400), ("POST", 500), ("GET", 403)):
            agent = bench.agent()
            bench.azure.control.fault(method=method, path=f"/agents/{agent.name}", status=status, body=echo(words))
            places[f"error of a {method} with {status}, {spelling}"] = _error(agent)
            places[f"lines, {spelling}"] = agent.lines()
    bench.reset()

    agent = bench.agent()
    failed = {"status": "failed", "error": {"code": "CodeError", "message": f"no such model: {CANARY}"}}
    bench.azure.control.set(scripts=[{"agent": agent.name, "steps": [failed]}])
    places["error of a version that failed"] = _error(agent)
    state = agent.create(environment=SECRETS)
    bench.azure.control.fault(method="GET", path=f"/agents/{agent.name}/", status=403, body=echo(ECHOES["as it is"]))
    agent.read(state)
    bench.reset()
    places["lines of a life"] = agent.lines()
    places["other outputs"] = {key: value for key, value in state.outs.items() if key != "environment"}
    journal = [entry.document() for entry in bench.azure.journal()]
    places["journal"] = json.dumps(journal, ensure_ascii=False)
    return [place for place, content in places.items() if HEAD in str(content)]


def _error(agent: Agent) -> str:
    try:
        return f"no error, but {agent.create(environment=SECRETS)}"
    except ProviderError as error:
        return str(error)

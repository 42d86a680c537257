"""A canary in every environment of these tests: in no line, no error, no output but its own."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.support.bench import CANARY, VERSION, Agent
from tests.support.plugin import Plugin, ProviderError, running
from tests.support.secret_hits import ECHOES, HEAD, SECRETS, echo


@pytest.fixture
def secretive(one: Agent) -> Iterator[Agent]:
    """An agent whose lines must be clean at the end of the test."""
    yield one
    assert [line for line in one.lines() if HEAD in line] == []


@pytest.mark.parametrize("spelling", ECHOES)
@pytest.mark.parametrize(("method", "status"), [("POST", 400), ("POST", 500), ("GET", 403)])
def test_a_service_that_echoes_a_secret_does_not_get_it_into_an_error(
    secretive: Agent, method: str, status: int, spelling: str
) -> None:
    """Case 54. pulumi#8265"""
    secretive.bench.azure.control.fault(
        method=method, path=f"/agents/{secretive.name}", status=status, body=echo(ECHOES[spelling])
    )
    with pytest.raises(ProviderError) as caught:
        secretive.create(environment=SECRETS)
    assert HEAD not in str(caught.value)
    assert "[secret]" in str(caught.value)
    assert "[invalid_payload] " in str(caught.value), "the rest of the service's words is kept"


def test_a_version_that_fails_with_a_secret_in_its_reason_does_not_show_it(secretive: Agent) -> None:
    """Case 54."""
    error = {"code": "CodeError", "message": f"main.py: no such model: {CANARY}"}
    secretive.bench.azure.control.set(
        scripts=[{"agent": secretive.name, "steps": [{"status": "failed", "error": error}]}]
    )
    with pytest.raises(ProviderError) as caught:
        secretive.create(environment=SECRETS)
    assert "no such model: [secret]" in str(caught.value)
    assert HEAD not in str(caught.value)


def test_a_read_that_is_refused_with_a_secret_warns_without_it(secretive: Agent) -> None:
    """Cases 42 and 54."""
    state = secretive.create(environment=SECRETS)
    secretive.bench.azure.control.fault(
        method="GET", path=f"/agents/{secretive.name}/", status=403, body=echo(ECHOES["as it is"])
    )
    secretive.read(state)
    (warning,) = secretive.warnings()
    assert "[secret]" in warning


def test_a_delete_that_is_refused_with_a_secret_does_not_show_it(secretive: Agent, later: Plugin) -> None:
    """Case 54."""
    state = secretive.create(environment=SECRETS)
    secretive.create(environment={"GREETING": "Howdy"})
    secretive.route(v2=100)
    secretive.declare(later)
    secretive.bench.azure.control.fault(
        method="DELETE", path=f"/agents/{secretive.name}/", status=400, body=echo(ECHOES["as it is"])
    )
    with pytest.raises(ProviderError) as caught:
        secretive.delete(state, later)
    assert "[secret]" in str(caught.value)
    assert HEAD not in str(caught.value)


def test_a_whole_life_shows_the_secret_nowhere_but_in_its_own_output(
    one: Agent, capfd: pytest.CaptureFixture[str]
) -> None:
    """Case 54: 0 hits in stdout, stderr, lines, journal and the other outputs, also with the SDK's own log on."""
    verbose = {"AZURE_LOG_LEVEL": "debug", "PYTHONVERBOSE": "", "GRPC_VERBOSITY": "ERROR"}
    with running({**one.bench.azure.env, **verbose}) as plugin:
        state = one.create(plugin, environment=SECRETS)
        seen = one.read(state, plugin)
        plugin.update(VERSION, seen.id, seen.outs, one.inputs(environment=SECRETS, force_delete=True))
        plugin.diff(VERSION, seen.outs, one.inputs(environment={"TOKEN": f"{CANARY}-2"}), seen.id)
        one.create(plugin, environment={"TOKEN": f"{CANARY}-2"})
        one.delete(seen, plugin)
        lines = [line.text for line in plugin.lines]
    printed = capfd.readouterr()
    others = {key: value for key, value in seen.outs.items() if key != "environment"}
    journal = [json.dumps(entry.document(), ensure_ascii=False) for entry in one.requests()]
    places = {"out": printed.out, "err": printed.err, "lines": lines, "outputs": others, "journal": journal}
    assert [place for place, content in places.items() if HEAD in str(content)] == []
    assert HEAD in str(seen.outs["environment"]), "else this test looks for the wrong thing"
    assert lines != []

"""What leaves a provider's method: one readable block, and always an answer."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from foundry_agents.resources._plugin import boundary
from foundry_agents.resources._plugin.boundary import hidden_in, hide, progress_on, readable_errors, warn_on
from foundry_agents.resources.agent_rollout import AgentRolloutProvider
from foundry_agents.resources.hosted_agent_version import HostedAgentVersionProvider
from tests.support.plugin import UNKNOWN, Plugin, ProviderError, running
from tests.support.settings import FULL, GOOD
from tests.wire.providers import Stopping

CANARY = "canary-4711"
NOWHERE = {**FULL, "project_endpoint": "https://127.0.0.1:9/api/projects/demo", "environment": {"TOKEN": CANARY}}


class _NoToken(BaseHTTPRequestHandler):
    """A managed identity endpoint that has no token for anyone."""

    def do_GET(self) -> None:
        self.send_response(400)
        self.end_headers()
        self.wfile.write(b'{"message": "no identity is assigned"}')

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the name in the standard library)
        del format, args


@pytest.fixture(scope="module")
def no_token() -> Iterator[Mapping[str, str]]:
    """Variables of a process that asks a managed identity for a token in vain: quick, and alike on every machine."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _NoToken) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield {
            "AZURE_TOKEN_CREDENTIALS": "ManagedIdentityCredential",
            "IDENTITY_ENDPOINT": f"http://127.0.0.1:{server.server_port}/token",
            "IDENTITY_HEADER": "x",
        }
        server.shutdown()


@pytest.fixture(scope="module")
def signed_out(no_token: Mapping[str, str]) -> Iterator[Plugin]:
    with running(no_token) as started:
        yield started


@pytest.fixture
def short_of_time(plugin: Plugin) -> Iterator[Plugin]:
    before, plugin.patience_s = plugin.patience_s, 5
    yield plugin
    plugin.patience_s = before


@pytest.mark.parametrize("way", ["SystemExit", "KeyboardInterrupt", "CancelledError"])
def test_a_call_that_is_stopped_answers_within_a_second(short_of_time: Plugin, way: str) -> None:
    """Case 72: else the operation hangs for good."""
    short_of_time.check(Stopping(), {})
    start = time.monotonic()
    with pytest.raises(ProviderError, match="the provider was stopped"):
        short_of_time.create(Stopping(), {"way": way})
    spent = time.monotonic() - start
    print(f"{way}: answered after {spent:.3f} s")
    assert spent <= 1


@pytest.mark.parametrize("method", ["create", "update", "delete"])
def test_without_a_token_every_call_says_what_where_state_and_what_to_do(signed_out: Plugin, method: str) -> None:
    calls = {
        "create": lambda: signed_out.create(HostedAgentVersionProvider(), NOWHERE),
        "update": lambda: signed_out.update(
            AgentRolloutProvider(), "support", {**_ROLLOUT, "version": "1"}, {**_ROLLOUT, "version": "2"}
        ),
        "delete": lambda: signed_out.delete(HostedAgentVersionProvider(), "support:1", NOWHERE),
    }
    with pytest.raises(ProviderError) as caught:
        calls[method]()
    text = str(caught.value)
    _is_one_clean_block(text, "SignInError")
    assert text.startswith("SignInError: no access token could be acquired\n")
    for part in ("  Where: GET https://127.0.0.1:9/api/projects/demo/agents/support", "  State: ", "  Do: sign in: "):
        assert part in text
    assert CANARY not in text


def test_a_refresh_without_a_token_keeps_the_state(signed_out: Plugin) -> None:
    """Case 42: a version that can't be read is not known to be gone. pdb#929"""
    before = {**NOWHERE, "version": "1", "fingerprint": "v1:0"}
    after = signed_out.read(HostedAgentVersionProvider(), "support:1", before)
    assert {**after.outs, "fingerprint": "v1:0"} == before
    assert CANARY not in "\n".join(line.text for line in signed_out.lines)


_ROLLOUT = {"agent_name": "support", "owner": GOOD["owner"], "project_endpoint": NOWHERE["project_endpoint"]}


def _is_one_clean_block(text: str, name: str) -> None:
    assert "Traceback" not in text
    assert 'File "' not in text
    first, *rest = text.strip().splitlines()
    assert re.match(rf"{name}: \S", first), "a bare class name, without its module"
    assert all(line.startswith("  ") and line.strip() for line in rest)


def test_a_variable_shows_tracebacks_to_those_who_work_on_the_library(no_token: Mapping[str, str]) -> None:
    with running({**no_token, "FOUNDRY_AGENTS_TRACEBACK": "1"}) as plugin, pytest.raises(ProviderError) as caught:
        plugin.delete(HostedAgentVersionProvider(), "support:1", NOWHERE)
    assert "Traceback" in str(caught.value)
    assert "azure/agents.py" in str(caught.value)


def test_an_update_of_ours_keeps_every_output_and_asks_no_service(signed_out: Plugin) -> None:
    """Case 19: 0 output keys lost; nothing is sent, so it works without a token."""
    provider = HostedAgentVersionProvider()
    computed = {
        "version": "7",
        "version_id": "support:7",
        "status": "active",
        "created_at": 1_782_939_705.0,
        "principal_id": "p",
        "client_id": "c",
        "fingerprint": "v1:0",
    }
    before = {**signed_out.check(provider, NOWHERE).inputs, **computed}
    after = signed_out.update(provider, "support:7", before, {**NOWHERE, "force_delete": True})
    kept = {key: getattr(value, "value", value) for key, value in after.outs.items()}
    assert set(before) - set(after.outs) == set()
    assert {key: kept[key] for key in computed} == computed
    assert kept["force_delete"] is True
    assert type(after.outs["fingerprint"]).__name__ == "Secret", "a short secret could be guessed from it"


def test_a_secret_that_the_service_echoes_is_hidden_in_the_error():
    """Case 54: the longest first, so that no piece of one is left; very short values are left alone."""
    text = 'value "hunter2-long" of TOKEN, "hunter2" of OTHER and "1" of FLAG'
    hidden = hide(text, ["hunter2", "hunter2-long", "1"])
    assert hidden == 'value "[secret]" of TOKEN, "[secret]" of OTHER and "1" of FLAG'


@pytest.mark.parametrize("said", [f"{CANARY} is no number", "no number"])
def test_an_error_of_nobodys_making_keeps_its_name_and_shows_no_secret(said: str) -> None:
    """Case 54: a library's words about what it was given."""

    @readable_errors
    def create(_provider: HostedAgentVersionProvider, _props: Mapping[str, object]) -> None:
        raise ValueError(said)

    with pytest.raises(Exception, match="no number") as caught:
        create(HostedAgentVersionProvider(), {"environment": {"TOKEN": CANARY}})
    assert (type(caught.value).__name__, CANARY in str(caught.value)) == ("ValueError", False)


def test_the_secret_inputs_of_every_property_bag_are_hidden():
    """Case 54."""
    provider = HostedAgentVersionProvider()
    olds = {"environment": {"TOKEN": "older-canary"}, "image": "x"}
    news = {"environment": {"TOKEN": "newer-canary", "N": UNKNOWN}, "image": "y"}
    assert set(hidden_in([provider, "support:1", olds, news])) >= {"older-canary", "newer-canary"}


def test_half_an_emoji_in_a_text_of_the_service_reaches_the_user_as_another_character() -> None:
    """A cut emoji in JSON is half of a surrogate pair; gRPC can't send it, so the error would be lost."""

    @readable_errors
    def create(_provider: HostedAgentVersionProvider, _props: Mapping[str, object]) -> None:
        raise ValueError("no room \ud83d left\x1b[2K\x1b[1A\r")

    with pytest.raises(Exception, match=r"^no room \? left \[2K \[1A $"):
        create(HostedAgentVersionProvider(), {})


def test_half_an_emoji_in_a_progress_row_is_another_character(monkeypatch: pytest.MonkeyPatch) -> None:
    rows: list[str] = []

    class Engine:
        def Log(self, request: object, timeout: float) -> None:  # noqa: N802 (the engine's name for it)
            del timeout
            rows.append(getattr(request, "message", ""))

    monkeypatch.setattr(boundary, "_engine", Engine)
    progress_on("urn:pulumi:dev::p::t::n")("said \ud83d")
    warn_on("urn:pulumi:dev::p::t::n", "said \ude00")
    assert rows == ["said ?", "said ?"]

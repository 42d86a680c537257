from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.emulator.api import Api, Json

IMAGE = {"image": "r/x@sha256:" + "0" * 64}
CODE = {"runtime": "python_3_14", "entry_point": ["python", "main.py"], "dependency_resolution": "bundled"}


@pytest.mark.parametrize(
    ("overrides", "code", "param"),
    [
        ({"cpu": "0.25", "memory": "0.5Gi"}, "bad_request", None),
        ({"cpu": "1", "memory": "1Gi"}, "bad_request", None),
        ({"cpu": "NaN"}, "bad_request", None),
        ({"cpu": 0.5}, "invalid_payload", "definition.cpu"),
        ({"kind": "robot"}, "invalid_payload", "definition.kind"),
        ({"kind": None}, "invalid_payload", "definition.kind"),
        ({"container_configuration": None}, "invalid_payload", "definition"),
        ({"code_configuration": CODE}, "invalid_payload", "definition"),
        ({"container_configuration": {"image": " "}}, "invalid_payload", "definition.container_configuration.image"),
        ({"image": "x"}, "invalid_payload", "definition.image"),
        ({"protocol_versions": []}, "invalid_payload", "definition.protocol_versions"),
        ({"protocol_versions": [{"protocol": "smtp", "version": "1"}]}, "invalid_payload", None),
        ({"protocol_versions": [{"protocol": "responses", "version": 2}]}, "invalid_payload", None),
        ({"environment_variables": {"A": "b", "FOUNDRY_X": "c"}}, "invalid_payload", "environment_variables[1]"),
        ({"environment_variables": {"AGENT_NAME": "c"}}, "invalid_payload", "environment_variables[0]"),
        ({"environment_variables": {"PORT": "1"}}, "invalid_payload", "environment_variables[0]"),
        ({"environment_variables": {"1A": "b"}}, "invalid_payload", "environment_variables[0]"),
        ({"environment_variables": {"A": 1}}, "invalid_payload", "environment_variables[0]"),
        ({"environment_variables": {"A": "\0"}}, "invalid_payload", "environment_variables[0]"),
        ({"session_configuration": {"idle_timeout_seconds": 5}}, "invalid_payload", None),
    ],
)
def test_a_definition_that_the_service_refuses_is_a_400_with_its_code(
    api: Api, overrides: Json, code: str, param: str | None
) -> None:
    answer = api.post("support", api.definition(**overrides))
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]["code"] == code
    if param is not None:
        assert answer.json()["error"]["param"] == param
    assert api.http.get("/agents/support").status_code == 404, "a refused create makes no agent"


@pytest.mark.parametrize("tier", [("0.5", "1Gi"), ("1", "2Gi"), ("1.0", "2Gi"), ("2", "4Gi")])
def test_the_three_tiers_are_accepted_and_echoed_as_sent(api: Api, tier: tuple[str, str]) -> None:
    definition = api.post("support", api.definition(cpu=tier[0], memory=tier[1])).json()["definition"]
    assert (definition["cpu"], definition["memory"]) == tier


@pytest.mark.parametrize("name", ["-a", "a-", "a_b", "a" * 64, "ä", "a.b"])
def test_an_agent_name_outside_the_pattern_is_refused(api: Api, name: str) -> None:
    assert api.post(name).json()["error"]["code"] == "invalid_payload"


@pytest.mark.parametrize("name", ["a", "A9", "a-b", "a" * 63])
def test_an_agent_name_within_the_pattern_is_accepted(api: Api, name: str) -> None:
    assert api.post(name).status_code == 200


@pytest.mark.parametrize(
    "others",
    [
        {"description": "x" * 513},
        {"description": 1},
        {"metadata": {str(n): "" for n in range(17)}},
        {"metadata": {"k" * 65: ""}},
        {"metadata": {"k": "v" * 513}},
        {"metadata": {"k": 1}},
        {"metadata": []},
    ],
)
def test_description_and_metadata_have_limits(api: Api, others: Json) -> None:
    assert api.post("support", **others).status_code == 400


def test_the_kind_of_an_agent_is_fixed(api: Api) -> None:
    api.create("support")
    answer = api.post("support", {"kind": "prompt", "model": "m"})
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "bad_request"
    assert answer.json()["error"]["message"] == "Agent kind mismatch for 'support'. Existing: hosted, New: prompt."


def test_the_1001st_version_is_refused(api: Api) -> None:
    agents = api.azure.emulator.agents
    api.create("many")

    def fill() -> None:
        for n in range(999):
            agents.create_version(
                project=api.project.name,
                name="many",
                definition=api.definition(environment_variables={"N": str(n)}),
                description="",
                metadata={},
            )

    api.azure.run(fill)
    answer = api.post("many")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "UserError")


NOT_JSON_OBJECTS = [
    b"",
    b"{",
    b"[]",
    b'"text"',
    b"null",
    b"\xff\xfe",
    b'{"definition": NaN}',
    b'{"definition": 1e999}',
    b'{"a":' * 100_000,
    b'{"definition": {"kind": "hosted", "cpu": ' + b"9" * 5000 + b"}}",
]


@pytest.mark.parametrize("body", NOT_JSON_OBJECTS)
@pytest.mark.parametrize("path", ["/agents/a/versions", "/agents/support/endpoint/protocols/openai/responses"])
def test_a_malformed_body_is_a_400_in_the_envelope(api: Api, body: bytes, path: str) -> None:
    api.create("support")
    answer = api.http.post(path, content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]["type"] == "error"


@pytest.mark.parametrize(
    "definition", [b'{"a":' * 900 + b"1" + b"}" * 900, b'{"kind": ["hosted"]}', b'{"kind": {}}', b"1"]
)
def test_a_definition_of_another_form_is_a_400_in_the_envelope(api: Api, definition: bytes) -> None:
    body = b'{"definition":' + definition + b"}"
    answer = api.http.post("/agents/a/versions", content=body)
    assert answer.status_code == 400, answer.text


def test_a_body_over_the_limit_is_refused_without_reading_it(api: Api) -> None:
    answer = api.http.post("/agents/a/versions", content=b" " * (5 * 1024 * 1024))
    assert answer.status_code == 400


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.sampled_from(
    [
        "kind",
        "cpu",
        "memory",
        "image",
        "container_configuration",
        "protocol_versions",
        "container_protocol_versions",
        "environment_variables",
        "session_configuration",
        "x",
    ]
)
PATCHES = st.sampled_from(["version_selector", "protocol_configuration", "authorization_schemes", "protocols"])


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    definition=st.dictionaries(FIELDS, JSON, max_size=3),
    others=st.dictionaries(st.sampled_from(["description", "metadata", "draft"]), JSON),
    patch=st.dictionaries(PATCHES, JSON, max_size=2) | JSON,
    session=JSON,
)
def test_no_json_makes_a_500(api: Api, definition: Json, others: Json, patch: object, session: object) -> None:
    """Fields of a valid request are replaced by any JSON: the answer is a 2xx, a 4xx or a 501."""
    api.post("fuzzed")
    answers = [
        api.http.post("/agents/other/versions", json={"definition": {**api.definition(), **definition}, **others}),
        api.http.patch("/agents/fuzzed", json={"agent_endpoint": patch, "agent_card": patch}),
        api.http.post("/agents/fuzzed/endpoint/sessions", json={"version_indicator": session}),
        api.ask("fuzzed", agent_session_id=session, stream=session),
        api.http.get("/agents/fuzzed"),
        api.http.get("/agents/other/versions"),
        api.ask("fuzzed", session),
    ]
    for answer in answers:
        assert answer.status_code < 500 or answer.status_code == 501, answer.text

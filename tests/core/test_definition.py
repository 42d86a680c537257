"""Every rule of the field table: what is refused, with which message, and what is accepted."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest

from foundry_agents.lifecycle.failure.errors import InputError, Problem
from foundry_agents.lifecycle.inputs.rules import (
    METADATA_PAIRS,
    OWN_METADATA_PAIRS,
    PROTOCOLS,
    RESERVED_METADATA_PREFIX,
    TIERS,
)
from foundry_agents.lifecycle.inputs.version import VERSION_FIELDS, AgentDefinition, Tier
from foundry_agents.lifecycle.schema.enums import AgentProtocol, Runtime, new_among
from tests.support.settings import (
    CODE,
    DIGEST,
    ENDPOINT,
    FULL,
    GOOD,
    IMAGE,
    MODERATION,
    OF_CODE,
    TELEMETRY,
    problems,
    problems_with,
    settings,
    the_problem,
    values,
)

CANARY = "canary-4711"
"""An environment value; no text may hold it."""


# --- All at once -----------------------------------------------------------------------------------------------------


def test_the_required_settings_alone_have_no_problem() -> None:
    assert problems(GOOD) == []


def test_every_setting_at_once_has_no_problem() -> None:
    assert problems(FULL) == []


def test_ten_mistakes_come_back_at_once_sorted_by_path() -> None:
    """Case 59."""
    found = problems(
        {
            "agent_name": "-support",
            "cpu": "3",
            "description": "x" * 513,
            "environment": {"PORT": CANARY, "1ST": CANARY},
            "image": "acme.azurecr.io/support:latest",
            "memory": "8Gi",
            "metadata": {"x" * 65: "y"},
            "owner": "support",
            "project_endpoint": "http://acme.services.ai.azure.com/api/projects/demo",
            "protocols": {"responses": "v1"},
        }
    )
    assert [problem.path for problem in found] == [
        "agent_name",
        "cpu",
        "description",
        "environment.1ST",
        "environment.PORT",
        "image",
        f"metadata.{'x' * 65}",
        "owner",
        "project_endpoint",
        "protocols.responses",
    ]


def test_the_error_counts_its_problems_and_gives_each_a_line() -> None:
    found = VERSION_FIELDS.normalise(settings(cpu="3", agent_name=""))[1]
    first, *lines = str(InputError("the agent's settings", found)).splitlines()
    assert first == "2 problems in the agent's settings"
    assert lines == [f"  {problem}" for problem in found]
    assert all(problem.path in str(problem) and problem.detail in str(problem) for problem in found)


def test_one_problem_is_called_one_problem() -> None:
    found = VERSION_FIELDS.normalise(settings(cpu="3"))[1]
    assert str(InputError("the agent's settings", found)).startswith("1 problem in ")


def test_an_error_sorts_problems_that_come_unsorted() -> None:
    found = VERSION_FIELDS.normalise(settings(cpu="3", agent_name=""))[1]
    assert InputError("x", found[::-1]).problems == tuple(found)


def test_which_settings_are_required_and_which_are_secret_is_a_promise() -> None:
    """Case 54 for the secret ones. Here by name, because everything else follows the table."""
    assert {row.name for row in VERSION_FIELDS.fields if row.required} == {"project_endpoint", "agent_name", "owner"}
    assert {row.name for row in VERSION_FIELDS.fields if row.secret} == {"environment", "fingerprint_key"}


def test_what_holds_unless_a_program_says_otherwise_is_a_promise() -> None:
    assert {row.name: row.default for row in VERSION_FIELDS.fields if row.default is not None} == {
        "cpu": "1",
        "memory": "2Gi",
        "protocols": {"responses": "2.0.0"},
        "force_delete": False,
        "check_image": False,
        "start_image": False,
        "kept_by_rollout": False,
        "accept_new_tier": False,
        "pull_role_budget_s": 600,
        "take_over": False,
        "timeout_s": 1200,
        "poll_interval_s": 5,
    }


@pytest.mark.parametrize(
    ("name", "least", "most", "step"),
    [
        ("session_idle_timeout_s", 300, 3600, 1),
        ("pull_role_budget_s", 0, 3600, 1),
        ("timeout_s", 1, None, 0.5),
        ("poll_interval_s", 0.1, 60, 0.05),
    ],
)
def test_a_number_may_be_at_its_limits_and_not_beyond(name: str, least: float, most: float | None, step: float) -> None:
    assert values(**{name: least})[name] == least
    assert "out of range" in the_problem(name, **{name: least - step})
    if most is None:
        assert values(**{name: 10_000_000})[name] == 10_000_000
    else:
        assert values(**{name: most})[name] == most
        assert "out of range" in the_problem(name, **{name: most + step})


def test_the_order_of_new_words_and_of_collectors_makes_no_difference() -> None:
    """Case 13."""
    other = {**TELEMETRY[0], "endpoint": "https://other.example.com:4318"}
    for name, items in (("accept_new", ["b", "a", "c"]), ("telemetry", [other, *TELEMETRY])):
        assert values(**{name: items})[name] == values(**{name: items[::-1]})[name]


@pytest.mark.parametrize("name", [row.name for row in VERSION_FIELDS.fields if row.required])
def test_a_required_setting_that_is_missing_is_one_problem(name: str) -> None:
    found = problems({key: value for key, value in GOOD.items() if key != name})
    assert found == [Problem(name, "is required")]


@pytest.mark.parametrize("name", [row.name for row in VERSION_FIELDS.fields if row.required])
def test_a_required_setting_that_is_wrong_is_not_called_missing_too(name: str) -> None:
    assert len(problems_with(**{name: 7})) == 1


def test_an_unknown_setting_is_refused_by_name_and_without_its_value() -> None:
    found = problems_with(enviroment={"TOKEN": CANARY}, replicas=3)
    assert found == [Problem(name, "is not an input of this resource") for name in ("enviroment", "replicas")]


def test_an_unknown_setting_that_is_none_is_no_setting() -> None:
    assert problems_with(version=None) == []


@pytest.mark.parametrize("raw", [7, True, [], {}])
@pytest.mark.parametrize("name", [row.name for row in VERSION_FIELDS.fields])
def test_a_value_of_any_wrong_type_is_a_problem_or_a_value_and_never_an_exception(name: str, raw: object) -> None:
    """Case 18."""
    problems_with(**{name: raw})


@pytest.mark.parametrize("raw", [float("nan"), float("inf"), float("-inf"), 1e308, -0.0])
@pytest.mark.parametrize("name", [row.name for row in VERSION_FIELDS.fields])
def test_a_number_of_any_kind_is_a_problem_or_a_value_and_never_an_exception(name: str, raw: float) -> None:
    """Case 18."""
    problems_with(**{name: raw})


# --- Where: endpoint and name ----------------------------------------------------------------------------------------


def test_an_endpoint_in_the_clear_is_refused() -> None:
    assert "https://" in the_problem("project_endpoint", project_endpoint=ENDPOINT.replace("https", "http"))


@pytest.mark.parametrize(
    "raw",
    [
        "https://acme.services.ai.azure.com",
        "https://acme.services.ai.azure.com/api/projects",
        "https://acme.services.ai.azure.com/api/projects/",
        "https://acme.services.ai.azure.com/api/projects/demo/agents/support",
        "https:///api/projects/demo",
    ],
)
def test_an_endpoint_that_is_not_a_projects_is_refused_with_its_form(raw: str) -> None:
    assert "/api/projects/NAME" in the_problem("project_endpoint", project_endpoint=raw)


@pytest.mark.parametrize("raw", ["https://[acme/api/projects/demo", "https://[::1/api/projects/demo"])
def test_an_endpoint_that_is_no_url_at_all_is_a_problem_and_not_an_exception(raw: str) -> None:
    the_problem("project_endpoint", project_endpoint=raw)


@pytest.mark.parametrize("raw", [f" {ENDPOINT}", f"{ENDPOINT}\n", f"{ENDPOINT}?api-version=v1", f"{ENDPOINT}#top"])
def test_an_endpoint_with_something_around_it_is_refused_or_cleaned(raw: str) -> None:
    canonical, found = VERSION_FIELDS.normalise(settings(project_endpoint=raw))
    assert found or canonical["project_endpoint"] == ENDPOINT


def test_a_slash_at_the_end_of_the_endpoint_means_nothing() -> None:
    assert values(project_endpoint=f"{ENDPOINT}/")["project_endpoint"] == ENDPOINT


def test_an_endpoint_of_another_cloud_or_a_local_one_is_fine() -> None:
    assert problems_with(project_endpoint="https://localhost:8443/api/projects/demo") == []


@pytest.mark.parametrize("name", ["a", "A", "7", "a" * 63, "a-b", "a--b", "0-9"])
def test_a_name_of_1_to_63_letters_digits_and_inner_hyphens_is_fine(name: str) -> None:
    """Case 62."""
    assert problems_with(agent_name=name) == []


@pytest.mark.parametrize("name", ["", "a" * 64, "-a", "a-", "-", "a_b", "a b", "a.b", "ä", "${AGENT_NAME}", "a\n"])
def test_any_other_name_is_refused(name: str) -> None:
    """Case 62."""
    assert "1 to 63 letters" in the_problem("agent_name", agent_name=name)


# --- The image -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "image",
    [
        IMAGE,
        f"localhost:5000/support@{DIGEST}",
        f"acme.azurecr.io/team/support-agent.v2_x@{DIGEST}",
    ],
)
def test_an_image_pinned_by_digest_is_fine(image: str) -> None:
    assert values(image=image)["image"] == image


@pytest.mark.parametrize("tag", [":latest", ":1.2.3", ":v1_x-y"])
def test_a_tag_before_a_digest_has_no_effect(tag: str) -> None:
    """Case 20."""
    assert values(image=f"acme.azurecr.io/support{tag}@{DIGEST}")["image"] == IMAGE


def test_the_port_of_a_registry_is_not_a_tag() -> None:
    image = f"localhost:5000/support@{DIGEST}"
    assert values(image=image)["image"] == image


@pytest.mark.parametrize("image", ["acme.azurecr.io/support:latest", "acme.azurecr.io/support"])
def test_a_bare_tag_is_refused_with_the_way_to_pin(image: str) -> None:
    """Case 64."""
    assert "acme.azurecr.io/support@sha256:" in the_problem("image", image=image)


@pytest.mark.parametrize(
    "digest", ["sha256:", "sha256:abc", "sha512:" + "a" * 64, "sha256:" + "A" * 64, "sha256:" + "a" * 65, "latest"]
)
def test_a_digest_of_another_form_is_refused(digest: str) -> None:
    """Case 64."""
    assert "64 hexadecimal digits" in the_problem("image", image=f"acme.azurecr.io/support@{digest}")


@pytest.mark.parametrize("name", ["support", "acme.azurecr.io", "acme.azurecr.io/", "acme.azurecr.io/Support", "/a"])
def test_an_image_without_registry_or_lower_case_repository_is_refused(name: str) -> None:
    the_problem("image", image=f"{name}@{DIGEST}")


@pytest.mark.parametrize("image", ["", 7, [], f"@{DIGEST}"])
def test_what_is_no_image_reference_is_refused(image: object) -> None:
    the_problem("image", image=image)


# --- Sizes -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("cpu", "memory"), TIERS)
def test_each_tier_is_fine(cpu: str, memory: str) -> None:
    """Case 61."""
    assert problems_with(cpu=cpu, memory=memory) == []


def test_without_a_size_it_is_the_middle_tier() -> None:
    made = values()
    assert (made["cpu"], made["memory"]) == ("1", "2Gi")


@pytest.mark.parametrize(("cpu", "memory"), [("0.25", "0.5Gi"), ("4", "8Gi"), ("1.5", "3Gi")])
def test_a_size_outside_the_tiers_is_refused_with_the_tiers_and_the_way_around(cpu: str, memory: str) -> None:
    """Case 61."""
    line = the_problem("cpu", cpu=cpu, memory=memory)
    assert "0.5/1Gi, 1/2Gi, 2/4Gi" in line
    assert f'Tier.of("{cpu}", "{memory}")' in line


def test_memory_of_another_tier_is_refused_with_the_one_that_fits() -> None:
    """Case 61."""
    assert "cpu 2 requires 4Gi" in the_problem("memory", cpu="2", memory="2Gi")


def test_a_newer_tier_is_accepted_when_named_with_of() -> None:
    """Case 61."""
    newer = Tier.of("4", "8Gi")
    assert problems_with(cpu=newer.cpu, memory=newer.memory, accept_new_tier=newer.accept_new) == []


def test_a_plain_tier_is_checked() -> None:
    assert Tier("4", "8Gi").accept_new is False


@pytest.mark.parametrize("cpu", ["", "much", "1 core", 0, -1, True, [], "nan", "inf"])
def test_a_cpu_that_is_no_number_of_cores_is_one_problem(cpu: object) -> None:
    """One mistake is one line: the memory given with it is right."""
    the_problem("cpu", cpu=cpu, memory="4Gi")


@pytest.mark.parametrize("memory", ["", "2", "2GB", "2 Gi", "2gi", "Gi", "-2Gi", 2, []])
def test_a_memory_without_gi_is_one_problem(memory: object) -> None:
    """One mistake is one line: the cpu given with it is right."""
    the_problem("memory", cpu="2", memory=memory)


# --- Protocols -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_each_protocol_is_fine(protocol: str) -> None:
    assert problems_with(protocols={protocol: "2.0.0"}) == []


def test_without_protocols_it_speaks_responses() -> None:
    assert values()["protocols"] == {"responses": "2.0.0"}


@pytest.mark.parametrize("version", ["v1", "2", "2.0", "2.0.0.0", "v2.0.0", "", 2, 2.0, None])
def test_a_protocol_version_without_three_parts_is_refused(version: object) -> None:
    """Case 68."""
    assert '"2.0.0"' in the_problem("protocols.responses", protocols={"responses": version})


def test_a_protocol_that_is_not_known_is_refused_with_those_that_are() -> None:
    assert "responses" in the_problem("protocols.grpc", protocols={"grpc": "1.0.0"})


@pytest.mark.parametrize("raw", ["responses", ["responses"], 2])
def test_protocols_that_are_no_map_are_refused_with_an_example(raw: object) -> None:
    assert '{"responses": "2.0.0"}' in the_problem("protocols", protocols=raw)


@pytest.mark.parametrize("version", ["1.0.0", "2026-11-01", "v1"])
def test_a_newer_protocol_passes_when_it_is_named_as_such_and_so_does_its_version(version: str) -> None:
    """This release does not know how its versions are written."""
    made = values(protocols={"responses": "2.0.0", "grpc": version}, accept_new=["grpc"])
    assert made["protocols"] == {"grpc": version, "responses": "2.0.0"}


def test_accepting_one_new_value_does_not_accept_another() -> None:
    """A typo is still an error."""
    detail = the_problem("protocols.respones", protocols={"grpc": "1", "respones": "2.0.0"}, accept_new=["grpc"])
    assert 'a newer one: AgentProtocol.of("respones")' in detail


def test_a_known_protocol_keeps_its_rules_whatever_is_accepted() -> None:
    """Case 68."""
    the_problem("protocols.responses", protocols={"responses": "v1"}, accept_new=["responses"])


def test_a_newer_word_is_one_that_was_made_by_of_and_no_other() -> None:
    words = [
        AgentProtocol.of("grpc"),
        AgentProtocol("typo"),
        "plain",
        None,
        Runtime.of("python_3_15"),
        AgentProtocol.RESPONSES,
    ]
    assert new_among(words) == ["grpc", "python_3_15"]
    assert all(type(word) is str for word in new_among(words))


# --- Code -----------------------------------------------------------------------------------------------------------


def test_a_version_is_of_an_image_or_of_code_and_never_of_both_or_neither() -> None:
    assert problems({**GOOD, "image": None, "code": CODE}) == []
    assert problems({**GOOD, "code": CODE}) == [Problem("code", "exactly one of image and code is given, not both")]
    assert problems({**GOOD, "image": None}) == [
        Problem("image", "is required; exactly one of image and code is given")
    ]


def test_a_registry_connection_requires_an_image() -> None:
    found = problems({**OF_CODE, "registry_connection": "private"})
    assert found == [Problem("registry_connection", "requires image, which is not given")]


@pytest.mark.parametrize(
    ("change", "path", "words"),
    [
        ({"runtime": "python_3_11"}, "code.runtime", 'a newer one: Runtime.of("python_3_11")'),
        ({"runtime": None}, "code.runtime", "is required"),
        ({"entry_point": []}, "code.entry_point", "is required"),
        ({"entry_point": "python main.py"}, "code.entry_point", "must be a list of texts: a command and its arguments"),
        ({"entry_point": ["python", ""]}, "code.entry_point[1]", "must be text that is not empty"),
        ({"dependency_resolution": "pip"}, "code.dependency_resolution", "bundled, remote_build"),
        ({"sha256": "C" * 64}, "code.sha256", "64 hexadecimal digits"),
        ({"zip": "x"}, "code.zip", "is not an input of code"),
    ],
)
def test_an_unfit_code_package_is_refused_by_the_path_of_what_is_wrong(
    change: dict[str, object], path: str, words: str
) -> None:
    (problem,) = problems({**OF_CODE, "code": {**CODE, **change}})
    assert problem.path == path
    assert words in problem.detail


def test_a_newer_runtime_passes_when_it_is_named_as_such() -> None:
    props = {**OF_CODE, "code": {**CODE, "runtime": "python_3_15"}}
    assert problems({**props, "accept_new": ["python_3_15"]}) == []
    assert len(problems({**props, "accept_new": ["python_3_16"]})) == 1


def test_a_code_package_without_a_way_to_get_dependencies_brings_them_along() -> None:
    made = values({**OF_CODE, "code": {**CODE, "dependency_resolution": None}})
    assert made["code"] == CODE


# --- Telemetry and moderation ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"endpoint": "otel.example.com:4317"}, "telemetry[0].endpoint"),
        ({"endpoint": "https://[::1"}, "telemetry[0].endpoint"),
        ({"endpoint": f"https://u:{CANARY}@otel.example.com"}, "telemetry[0].endpoint"),
        ({"endpoint": f"https://u:{CANARY}@"}, "telemetry[0].endpoint"),
        ({"protocol": "http"}, "telemetry[0].protocol"),
        ({"data": ["Logs"]}, "telemetry[0].data[0]"),
        ({"data": None}, "telemetry[0].data"),
        ({"header": {"name": "x-api-key", "secret_id": "otel"}}, "telemetry[0].header.secret_key"),
        ({"header": {"name": "", "secret_id": "otel", "secret_key": "k"}}, "telemetry[0].header.name"),
    ],
)
def test_an_unfit_collector_is_refused_by_the_path_of_what_is_wrong(change: dict[str, object], path: str) -> None:
    assert CANARY not in the_problem(path, telemetry=[{**TELEMETRY[0], **change}])


def test_a_collector_that_gets_nothing_is_not_one_that_was_left_out() -> None:
    made = values(telemetry=[{**TELEMETRY[0], "data": []}])
    assert made["telemetry"] == [{**TELEMETRY[0], "data": []}]
    assert the_problem("telemetry[0]", telemetry=[{}]) == "is empty"


def test_moderation_requires_a_policy() -> None:
    assert "rai_policy" in the_problem("rai_moderation", rai_moderation=MODERATION)
    assert problems_with(rai_moderation=MODERATION, rai_policy="strict") == []


@pytest.mark.parametrize(
    ("mode", "input_type", "output_type", "missing"),
    [
        ("non_streaming", None, None, ["input_paths", "output_paths"]),
        ("streaming", "json", "json", ["input_paths", "stream_selectors"]),
        ("both", "text", "json", ["output_paths", "stream_selectors"]),
        ("both", "text", "text", []),
        ("streaming", "json", "text", ["input_paths"]),
    ],
)
def test_what_is_needed_to_find_the_text_depends_on_its_shape(
    mode: str, input_type: str | None, output_type: str | None, missing: list[str]
) -> None:
    """As the SDK's model says."""
    shape = {"response_mode": mode, "input_content_type": input_type, "output_content_type": output_type}
    found = problems_with(rai_policy="strict", rai_moderation=shape)
    assert [problem.path for problem in found] == [f"rai_moderation.{name}" for name in missing]


# --- Environment -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["A", "_", "_a1", "GREETING", "greeting", "MY_AGENT_MODE", "PORTS", "port"])
def test_a_variable_name_is_fine(name: str) -> None:
    assert problems_with(environment={name: "x"}) == []


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("FOUNDRY_PROJECT_ENDPOINT", "the prefix FOUNDRY_ is reserved by the platform"),
        ("FOUNDRY_", "the prefix FOUNDRY_ is reserved by the platform"),
        ("AGENT_MODE", "the prefix AGENT_ is reserved by the platform"),
        ("PORT", "is set by the platform"),
        (
            "APPLICATIONINSIGHTS_CONNECTION_STRING",
            "is set by the platform",
        ),
    ],
)
def test_a_name_that_the_platform_sets_is_refused(name: str, reason: str) -> None:
    """Case 60."""
    remedy = "remove it, or give the variable another name"
    assert the_problem(f"environment.{name}", environment={name: CANARY}) == f"{reason}; {remedy}"


@pytest.mark.parametrize("name", ["", "1ST", "A-B", "A B", "A=B", "ä", "${NAME}"])
def test_a_malformed_variable_name_is_refused(name: str) -> None:
    assert CANARY not in the_problem(f"environment.{name}", environment={name: CANARY})


@pytest.mark.parametrize("value", [8080, 8080.0, True, [CANARY], {"value": CANARY}])
def test_a_variable_that_is_no_text_is_refused_without_showing_it(value: object) -> None:
    """Case 54."""
    detail = the_problem("environment.GREETING", environment={"GREETING": value})
    assert detail == "must be text: put the value in quotes"


@pytest.mark.parametrize("raw", [CANARY, [CANARY], 4711])
def test_an_environment_that_is_no_map_is_refused_without_showing_it(raw: object) -> None:
    """Case 54."""
    assert the_problem("environment", environment=raw) == "must map names to text"


def test_an_empty_variable_is_a_variable() -> None:
    assert values(environment={"GREETING": ""})["environment"] == {"GREETING": ""}


def test_a_connection_placeholder_passes_byte_for_byte() -> None:
    """Case 56."""
    placeholder = "${{connections.search.credentials.key}}"
    assert values(environment={"KEY": placeholder})["environment"] == {"KEY": placeholder}


# --- Metadata, description, idle timeout ------------------------------------------------------------------------------


def test_ownership_metadata_leaves_room_for_12_pairs() -> None:
    """Case 63."""
    assert METADATA_PAIRS - OWN_METADATA_PAIRS == 12
    assert problems_with(metadata={f"k{number}": "v" for number in range(12)}) == []


def test_the_13th_pair_is_refused_with_the_count() -> None:
    """Case 63."""
    detail = the_problem("metadata", metadata={f"k{number}": "v" for number in range(13)})
    assert detail == "has 13 entries; at most 12 are allowed, as this library needs 4 of the service's 16"


def test_a_metadata_name_of_64_characters_is_fine_and_one_of_65_is_not() -> None:
    assert problems_with(metadata={"k" * 64: "v"}) == []
    assert "has 65 characters; at most 64" in the_problem(f"metadata.{'k' * 65}", metadata={"k" * 65: "v"})


def test_a_metadata_value_of_512_characters_is_fine_and_one_of_513_is_not() -> None:
    assert problems_with(metadata={"k": "v" * 512}) == []
    assert "has 513 characters; at most 512" in the_problem("metadata.k", metadata={"k": "v" * 513})


@pytest.mark.parametrize("name", ["owner", "fingerprint", "attempt", "managed-by", "future"])
def test_a_metadata_name_under_our_prefix_is_refused(name: str) -> None:
    key = f"{RESERVED_METADATA_PREFIX}{name}"
    assert "reserved" in the_problem(f"metadata.{key}", metadata={key: "v"})


@pytest.mark.parametrize("value", [1, True, ["v"]])
def test_a_metadata_value_that_is_no_text_is_refused(value: object) -> None:
    assert "must be text" in the_problem("metadata.k", metadata={"k": value})


def test_a_description_of_512_characters_is_fine_and_one_of_513_is_not() -> None:
    assert problems_with(description="d" * 512) == []
    assert "has 513 characters; at most 512" in the_problem("description", description="d" * 513)


@pytest.mark.parametrize("seconds", [300, 300.0, "300", 3600])
def test_an_idle_timeout_from_5_minutes_to_an_hour_is_fine(seconds: object) -> None:
    assert problems_with(session_idle_timeout_s=seconds) == []


@pytest.mark.parametrize("seconds", [299, 3601, 0, -1, 900.5, "soon", True])
def test_any_other_idle_timeout_is_refused_with_the_limits(seconds: object) -> None:
    assert "300 to 3600 s" in the_problem("session_idle_timeout_s", session_idle_timeout_s=seconds)


@pytest.mark.parametrize("key", ["short", "x" * 15, 4711, ["x" * 20]])
def test_a_fingerprint_key_that_can_be_guessed_is_refused_without_showing_it(key: object) -> None:
    """Case 55."""
    assert the_problem("fingerprint_key", fingerprint_key=key) == (
        "must be text of at least 16 characters, such as a random password"
    )
    assert problems_with(fingerprint_key="x" * 16) == []


# --- How we work ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "raw"),
    [("timeout_s", 0), ("timeout_s", "long"), ("poll_interval_s", 0.05), ("poll_interval_s", 61)],
)
def test_a_waiting_time_out_of_range_is_refused(name: str, raw: object) -> None:
    the_problem(name, **{name: raw})


@pytest.mark.parametrize("name", ["force_delete", "take_over", "accept_new_tier", "check_image", "start_image"])
@pytest.mark.parametrize("raw", ["true", 1, 0.0])
def test_a_switch_is_true_or_false_and_nothing_else(name: str, raw: object) -> None:
    assert the_problem(name, **{name: raw}) == "must be true or false"


@pytest.mark.parametrize("owner", ["dev", "acme/dev", "a/b/c/d", "a/ b/c", ""])
def test_an_owner_is_organization_project_and_stack(owner: str) -> None:
    the_problem("owner", owner=owner)


def test_a_very_long_value_is_cut_in_the_text() -> None:
    assert len(the_problem("agent_name", agent_name="a" * 5000)) < 250


# --- The definition --------------------------------------------------------------------------------------------------


def test_the_definition_holds_what_was_set_and_nothing_of_how_we_work() -> None:
    made = AgentDefinition.from_values(values(FULL, timeout_s=60))
    assert made == AgentDefinition(
        image=IMAGE,
        cpu="1",
        memory="2Gi",
        protocols={"responses": "2.0.0", "invocations": "2.0.0"},
        environment={"GREETING": "Hello", "TOKEN": "s3cret"},
        session_idle_timeout_s=900,
        description="Answers questions.",
        metadata={"team": "support"},
    )


def test_the_definition_of_the_required_settings_alone_has_the_defaults() -> None:
    made = AgentDefinition.from_values(values())
    assert made == AgentDefinition(image=IMAGE, cpu="1", memory="2Gi", protocols={"responses": "2.0.0"}, environment={})


def test_every_field_says_what_it_means_and_where_its_rule_comes_from() -> None:
    assert [row.name for row in VERSION_FIELDS.fields if not row.summary or not row.source] == []


# --- The definition itself -------------------------------------------------------------------------------------------


def test_a_switch_that_is_not_set_is_off_in_the_definition() -> None:
    assert AgentDefinition.from_values(values()).memory_snapshot is False


def test_the_open_zip_is_neither_shown_nor_compared() -> None:
    """It is there only while a version is posted, and says nothing that its digest does not."""
    definition = AgentDefinition.from_values(values())
    posted = replace(definition, archive=io.BytesIO(b"zip"))
    assert posted == definition
    assert "archive" not in repr(posted)

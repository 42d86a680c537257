"""Tools of agents: what HostedAgent, Toolbox, ProjectConnection and VectorStore declare."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pulumi
import pytest

import foundry_agents as fa
from foundry_agents.lifecycle.inputs.rules import RESERVED_ENVIRONMENT
from tests.support.program import (
    ASSIGNMENT,
    CONNECTION,
    ENDPOINT,
    IDENTITY,
    ROLLOUT,
    STORE,
    TOOLBOX,
    VERSION,
    Run,
    Secret,
    run,
)
from tests.support.sdk_models import problems_of

PROJECT_ID = "/subscriptions/0/resourceGroups/rg/providers/Microsoft.CognitiveServices/accounts/acme/projects/demo"
IMAGE = fa.AgentImage.pinned("acme.io/support@sha256:" + "a" * 64)
FOUNDRY_USER = "53ca6127-db72-4b80-b1b0-d745d6d5456d"
TOOLS = [fa.CodeInterpreter(), fa.Mcp("docs", "https://learn.example.com/mcp")]


def project() -> fa.ExistingProject:
    return fa.FoundryProject.existing(endpoint=ENDPOINT, resource_id=PROJECT_ID)


def declare(**agent: Any) -> Run:
    def program() -> Mapping[str, pulumi.Input[object]]:
        made = fa.HostedAgent("support", project=project(), image=IMAGE, **agent)
        return {"principal": made.principal_id}

    return run(program)


# --- HostedAgent(tools=…) --------------------------------------------------------------------------------------------


def test_an_agent_with_tools_has_a_toolbox_an_identity_and_a_role_of_its_own() -> None:
    assert declare(tools=TOOLS).names == {
        "support": "",
        "support-toolbox": "support",
        "support-version": "support",
        "support-identity": "support",
        "support-toolbox-role": "support",
        "support-rollout": "support",
    }


@pytest.mark.parametrize("tools", [None, []])
def test_an_agent_without_tools_has_none_of_them(tools: Any) -> None:
    made = declare(tools=tools)
    assert set(made.names) == {"support", "support-version", "support-rollout"}
    assert "environment" not in made.one(VERSION).inputs


def test_the_type_tokens_are_those_in_users_state() -> None:
    made = declare(tools=TOOLS)
    assert made.one(TOOLBOX).name == "support-toolbox"
    assert made.one(IDENTITY).name == "support-identity"


def test_the_toolbox_is_named_after_the_agent_and_has_each_tool_under_its_name() -> None:
    inputs = declare(tools=TOOLS, agent_name="helper").one(TOOLBOX).inputs
    assert (inputs["toolbox_name"], inputs["owner"]) == ("helper", "acme/foundry-agents/dev")
    assert inputs["tool:code_interpreter"] == {"type": "code_interpreter"}
    assert inputs["tool:docs"]["server_url"] == "https://learn.example.com/mcp"


def test_the_container_gets_the_endpoint_of_exactly_its_version_of_the_tools() -> None:
    environment = declare(tools=TOOLS, environment={"GREETING": "Hello"}).one(VERSION).inputs["environment"]
    assert environment == {
        "TOOLBOX_ENDPOINT": f"{ENDPOINT}/toolboxes/support/versions/3/mcp?api-version=v1",
        "TOOLBOX_NAME": "support",
        "GREETING": "Hello",
    }


def test_the_platform_sets_none_of_the_variables_of_a_toolbox() -> None:
    environment = declare(tools=TOOLS).one(VERSION).inputs["environment"]
    assert len(environment) == 2
    assert [name for name in environment if RESERVED_ENVIRONMENT.fullmatch(name)] == []


def test_the_error_for_a_raw_payload_or_another_type_says_what_to_write() -> None:
    with pytest.raises(pulumi.RunError) as caught:
        declare(tools=[fa.CodeInterpreter(), {"type": "web_search"}, "docs"])
    assert str(caught.value).splitlines() == [
        "2 problems in the tools of a toolbox",
        "  tools[1]: expected a tool, got dict; Tool.of({…}) accepts the raw API payload",
        "  tools[2]: expected a tool, got str; for example CodeInterpreter() or Mcp(…)",
    ]


def test_exclusive_settings_of_a_tool_are_reported_with_the_other_problems() -> None:
    with pytest.raises(pulumi.RunError) as caught:
        declare(tools=[fa.OpenApi("orders", {}, connection="a", audience="b"), fa.WebSearch])
    assert str(caught.value).splitlines() == [
        "2 problems in the tools of a toolbox",
        "  tools[0]: OpenApi 'orders': give either connection or audience, not both",
        "  tools[1]: expected a tool, got type; for example CodeInterpreter() or Mcp(…)",
    ]


@pytest.mark.parametrize("tools", ["code_interpreter", fa.CodeInterpreter()])
def test_tools_that_are_not_a_list_are_one_problem(tools: object) -> None:
    with pytest.raises(
        pulumi.RunError,
        match=f"1 problem in the tools.*\n  tools: expected a list, got {type(tools).__name__}; for example",
    ):
        declare(tools=tools)


def test_an_existing_project_without_its_arm_id_ends_the_program_with_a_sentence() -> None:
    """No caller can catch an error in an Output, and Pulumi prints only a RunError without a traceback."""

    def agent() -> None:
        fa.HostedAgent("support", project=fa.FoundryProject.existing(endpoint=ENDPOINT), image=IMAGE, tools=TOOLS)

    def connection() -> None:
        there = fa.FoundryProject.existing(endpoint=ENDPOINT)
        fa.ProjectConnection.with_keys("orders", {"key": "value"}, project=there, target="https://orders.example.com")

    for program, who in ((agent, 'HostedAgent "support"'), (connection, 'ProjectConnection "orders"')):
        with pytest.raises(pulumi.RunError, match=f"{who}.* needs the project's ARM id; pass resource_id"):
            run(program)


def test_a_variable_that_the_program_sets_itself_wins() -> None:
    environment = declare(tools=TOOLS, environment={"TOOLBOX_ENDPOINT": "x"}).one(VERSION).inputs["environment"]
    assert environment["TOOLBOX_ENDPOINT"] == "x"


def test_the_agents_own_identity_gets_foundry_user_on_the_project_before_the_smoke_test() -> None:
    made = declare(tools=TOOLS)
    role = made.one(ASSIGNMENT).inputs
    assert role["scope"] == PROJECT_ID
    assert role["principalId"] == "agent-principal"
    assert role["principalType"] == "ServicePrincipal"
    assert role["roleDefinitionId"].endswith(FOUNDRY_USER)
    assert "support-toolbox-role" in made.one(ROLLOUT).depends_on


def test_the_role_is_granted_to_the_principal_of_the_identity_so_that_a_planned_version_replaces_no_role() -> None:
    made = declare(tools=TOOLS)
    assert made.one(IDENTITY).inputs["principal_id"] == "agent-principal"
    assert "support-identity" in made.one(ASSIGNMENT).depends_on
    assert made.outputs["principal"] == "agent-principal"


def test_a_deployer_who_may_not_assign_roles_switches_the_grant_off() -> None:
    """Case 67."""
    assert ASSIGNMENT not in {made.type for made in declare(tools=TOOLS, grant_toolbox_role=False).declared}


@pytest.mark.parametrize(("force_delete", "deleted_with"), [(True, "shop-project"), (False, "")])
def test_a_toolbox_is_deleted_with_its_project_if_its_agent_is(*, force_delete: bool, deleted_with: str) -> None:
    """Else its delete would find the agent still there, and keep it for that."""

    def program() -> None:
        shop = fa.FoundryProject("shop", location="eastus2")
        fa.HostedAgent("support", project=shop, image=IMAGE, tools=TOOLS, force_delete=force_delete)

    assert run(program).one(TOOLBOX).deleted_with == deleted_with


# --- Toolbox ---------------------------------------------------------------------------------------------------------


def test_agents_share_a_toolbox_and_each_is_granted_access() -> None:
    def program() -> None:
        shared = fa.Toolbox("tools", project=project(), tools=TOOLS, promote=False)
        for name in ("one", "two"):
            fa.HostedAgent(name, project=project(), image=IMAGE, tools=shared)

    made = run(program)
    assert made.one(TOOLBOX).parent == "tools"
    assert made.one(TOOLBOX).inputs["promote"] is False
    assert {one.name for one in made.declared if one.type == ASSIGNMENT} == {"one-toolbox-role", "two-toolbox-role"}
    for name in ("one-version", "two-version"):
        assert made.one(VERSION, name).inputs["environment"]["TOOLBOX_NAME"] == "tools"


def test_one_toolbox_declared_twice_is_refused() -> None:
    def program() -> None:
        for name in ("one", "two"):
            fa.Toolbox(name, project=fa.FoundryProject.existing(endpoint=ENDPOINT), tools=TOOLS, toolbox_name="tools")

    # The endpoint is an output here, and two outputs are not known to be one.
    run(program)

    def plain() -> None:
        for name in ("one", "two"):
            fa.ToolboxVersion(name, project_endpoint=ENDPOINT, toolbox_name="tools", tools=[{"type": "web_search"}])

    with pytest.raises(pulumi.RunError, match='"two" and "one" both declare the toolbox "tools"'):
        run(plain)


def test_an_agent_and_a_toolbox_may_have_one_name() -> None:
    def program() -> None:
        fa.ToolboxVersion("t", project_endpoint=ENDPOINT, toolbox_name="support", tools=[{"type": "web_search"}])
        fa.HostedAgentVersion("v", project_endpoint=ENDPOINT, agent_name="support", image="acme.io/a@sha256:…")

    made = run(program)
    assert made.one(TOOLBOX).inputs["toolbox_name"] == made.one(VERSION).inputs["agent_name"] == "support"


# --- ProjectConnection -----------------------------------------------------------------------------------------------


def connection(make: Callable[[], fa.ProjectConnection]) -> tuple[Run, Mapping[str, Any]]:
    """What was run, and the inputs, which Azure's own SDK must know.

    With a secret in them, azure-native's properties are secret as a whole.
    """

    def program() -> Mapping[str, pulumi.Input[object]]:
        made = make()
        return {"id": made.connection_id, "name": made.connection_name, "secret": made.secret("Authorization")}

    done = run(program)
    inputs = dict(done.one(CONNECTION).inputs)
    if isinstance(inputs["properties"], Secret):
        inputs["properties"] = inputs["properties"].value
    else:
        assert "s3cret" not in str(inputs)
    kind = "Microsoft.CognitiveServices/accounts/projects/connections"
    assert problems_of(kind, {"properties": inputs["properties"]}) == []
    return done, inputs


def test_a_connection_with_keys_is_the_projects_and_its_keys_are_secret() -> None:
    made, inputs = connection(
        lambda: fa.ProjectConnection.with_keys(
            "learn", {"Authorization": "Bearer s3cret"}, project=project(), target="https://learn.example.com/mcp"
        )
    )
    assert (inputs["accountName"], inputs["projectName"], inputs["resourceGroupName"]) == ("acme", "demo", "rg")
    assert inputs["connectionName"] == "learn"
    properties = inputs["properties"]
    assert (properties["authType"], properties["category"]) == ("CustomKeys", "RemoteTool")
    assert properties["target"] == "https://learn.example.com/mcp"
    assert properties["credentials"]["keys"] == {"Authorization": "Bearer s3cret"}
    assert isinstance(made.one(CONNECTION).inputs["properties"], Secret)
    assert made.outputs["name"] == "learn"
    assert made.outputs["secret"] == "${{connections.learn.credentials.Authorization}}"


def test_an_agent_comes_after_the_connection_whose_credential_it_is_given() -> None:
    """A placeholder of a connection that is not there yet is an empty variable, and no error."""

    def program() -> None:
        orders = fa.ProjectConnection.with_keys("orders", {"key": "value"}, project=project(), target="https://o.io")
        environment = {"ORDERS_KEY": orders.secret("key")}
        fa.HostedAgent("support", project=project(), image=IMAGE, environment=environment)

    version = run(program).one(VERSION)
    assert "orders-connection" in version.depends_on
    assert version.inputs["environment"] == {"ORDERS_KEY": "${{connections.orders.credentials.key}}"}


def test_a_connection_with_oauth_keeps_its_secrets() -> None:
    made, inputs = connection(
        lambda: fa.ProjectConnection.with_oauth(
            "orders",
            project=project(),
            target="https://orders.example.com",
            client_id="c",
            client_secret="s3cret",
            auth_url="https://login.example.com/token",
            refresh_token="r3fresh",
        )
    )
    credentials = inputs["properties"]["credentials"]
    assert inputs["properties"]["authType"] == "OAuth2"
    assert (credentials["clientSecret"], credentials["refreshToken"]) == ("s3cret", "r3fresh")
    assert isinstance(made.one(CONNECTION).inputs["properties"], Secret)
    assert credentials["authUrl"] == "https://login.example.com/token"


def test_a_connection_with_a_managed_identity_has_no_credential() -> None:
    _, inputs = connection(
        lambda: fa.ProjectConnection.with_managed_identity(
            "search", project=project(), target="https://s.example.com", client_id="c", category="CognitiveSearch"
        )
    )
    assert inputs["properties"]["authType"] == "ManagedIdentity"
    assert inputs["properties"]["credentials"] == {"clientId": "c"}


def test_a_tool_names_the_connection_by_its_arm_id_and_waits_for_it() -> None:
    def program() -> None:
        learn = fa.ProjectConnection.with_keys("learn", {"key": "v"}, project=project(), target="https://x.example")
        fa.Toolbox("tools", project=project(), tools=[fa.Mcp("docs", "https://x.example/mcp", connection=learn)])

    made = run(program).one(TOOLBOX)
    assert made.inputs["tool:docs"]["project_connection_id"].endswith("/learn-connection")
    assert "learn-connection" in made.depends_on


def test_a_program_that_reads_tools_from_a_file_gets_the_problems_of_the_preview() -> None:
    def program() -> None:
        later = pulumi.Output.from_input("https://known-later.example/mcp")
        tools = [
            fa.Mcp("later", later, require_approval="sometimes"),
            fa.Mcp("docs", "http://x.example/mcp"),
            fa.Tool.of({"type": "file_search", "vector_store_ids": ["vs_1"], "max_num_results": 99}),
        ]
        assert [line.split()[0].rstrip(":") for line in fa.Tool.problems(tools)] == [
            "tools.docs.server_url",
            "tools.file_search.max_num_results",
            "tools.later.require_approval",
        ]
        assert fa.Tool.problems([fa.WebSearch(), fa.CodeInterpreter()]) == []

    run(program)


# --- VectorStore -----------------------------------------------------------------------------------------------------


def test_a_store_is_known_by_what_is_in_its_files(tmp_path: Path) -> None:
    for name in ("faq.md", "terms.txt"):
        (tmp_path / name).write_text(name, encoding="utf-8")

    def program() -> None:
        store = fa.VectorStore("docs", project=project(), files=[tmp_path / "faq.md", tmp_path / "terms.txt"])
        fa.Toolbox("tools", project=project(), tools=[fa.FileSearch(vector_store_ids=[store.vector_store_id])])

    made = run(program)
    assert set(made.one(STORE).inputs["files"]) == {"faq.md", "terms.txt"}
    assert made.one(STORE).inputs["store_name"] == "docs"
    assert made.one(TOOLBOX).inputs["tool:file_search"]["vector_store_ids"] == ["vs_1"]
    assert "docs" in made.one(TOOLBOX).depends_on


def _store_in(tmp_path: Path, **where: Any) -> Run:
    (tmp_path / "faq.md").write_text("", encoding="utf-8")

    def program() -> None:
        fa.VectorStore("faq", files=[tmp_path / "faq.md"], **where)

    return run(program)


def test_a_store_takes_a_project_as_its_siblings_do_or_the_endpoint_alone(tmp_path: Path) -> None:
    for where in ({"project": project()}, {"project_endpoint": ENDPOINT}):
        assert _store_in(tmp_path, **where).one(STORE).inputs["project_endpoint"] == ENDPOINT


def test_a_store_of_two_projects_or_of_none_is_refused(tmp_path: Path) -> None:
    for where in ({}, {"project": project(), "project_endpoint": ENDPOINT}):
        with pytest.raises(
            pulumi.RunError, match='VectorStore "faq": give exactly one of project and project_endpoint'
        ):
            _store_in(tmp_path, **where)


def test_a_pipe_among_the_files_of_a_store_is_named_and_not_waited_for(tmp_path: Path) -> None:
    """Finding B2, elsewhere: the preview hung."""
    os.mkfifo(tmp_path / "faq.md")

    def program() -> None:
        fa.VectorStore("piped", project_endpoint=ENDPOINT, files=[tmp_path / "faq.md"])

    with pytest.raises(pulumi.RunError, match=r"can't be read: it is not a file"):
        run(program)


def test_files_that_are_not_there_are_named_all_at_once(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    for folder in (tmp_path, tmp_path / "a"):
        (folder / "faq.md").write_text("", encoding="utf-8")
    files = [tmp_path / "faq.md", tmp_path / "a" / "faq.md", tmp_path / "gone.md"]

    def program() -> None:
        fa.VectorStore("broken", project_endpoint=ENDPOINT, files=files)

    with pytest.raises(pulumi.RunError) as caught:
        run(program)
    lines = str(caught.value).splitlines()
    assert lines[0] == "broken: 2 problems in the vector store's settings"
    assert lines[1].endswith("another file has the name faq.md, too")
    assert lines[2].endswith("can't be read: No such file or directory")


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ("faq.md", "  files: must be a list of paths, not one text: put it in brackets"),
        (Path("faq.md"), "  files: must be a list of paths, got PosixPath"),
        (pulumi.Output.from_input(["faq.md"]), "  files: must be a list of paths, got Output"),
        ({"faq.md": "x"}, "  files: must be a list of paths, got dict"),
        ([pulumi.Output.from_input("faq.md")], "  files[0]: must be a path, got Output"),
        ([], "  files: is required: at least one path"),
    ],
    ids=["text", "path", "output", "mapping", "list of outputs", "empty list"],
)
def test_files_that_are_not_a_list_of_paths_are_refused_in_words(files: Any, says: str) -> None:
    """Finding A4: a text was read letter by letter."""

    def program() -> None:
        fa.VectorStore(f"broken-{len(says)}", project_endpoint=ENDPOINT, files=files)

    with pytest.raises(pulumi.RunError) as caught:
        run(program)
    assert str(caught.value).splitlines()[1:] == [says]


def test_the_files_of_a_store_may_come_from_a_search_in_a_folder(tmp_path: Path) -> None:
    (tmp_path / "faq.md").write_text("", encoding="utf-8")

    def program() -> None:
        fa.VectorStore("found", project_endpoint=ENDPOINT, files=tmp_path.glob("*.md"))  # type: ignore[arg-type]

    assert set(run(program).one(STORE).inputs["files"]) == {"faq.md"}


# --- What everyone could read ----------------------------------------------------------------------------------------

S3CRET = "s3cret-4711"


def later(value: object) -> pulumi.Output[Any]:
    """Return a secret whose value a preview does not know."""

    async def known() -> bool:
        return False

    async def secret() -> bool:
        return True

    async def future() -> object:
        return value

    return pulumi.Output(set(), future(), known(), secret())


SECRET_TOOLS: Mapping[str, Callable[[pulumi.Output[str]], Any]] = {
    "tools.docs.headers.x-team": lambda it: [fa.Mcp("docs", "https://x.example/mcp", headers={"x-team": it})],
    "tools.docs.headers": lambda it: [
        fa.Mcp("docs", "https://x.example/mcp", headers=it.apply(lambda v: {"a": v}))  # type: ignore[arg-type]
    ],
    "tools.docs.server_url": lambda it: [fa.Mcp("docs", pulumi.Output.concat("https://x.example/", it))],
    "tools.code_interpreter.description": lambda it: [fa.CodeInterpreter(description=it)],
    "tools.x.deep[1].x": lambda it: [fa.Tool.of({"type": "x", "deep": [1, {"x": it}]})],
    "tools.openapi.openapi.spec.servers[0].url": lambda it: [fa.OpenApi("orders", {"servers": [{"url": it}]})],
    "tools.file_search.vector_store_ids[0]": lambda it: [fa.FileSearch(vector_store_ids=[it])],
}


@pytest.mark.parametrize("known", [True, False], ids=["known", "not known yet"])
@pytest.mark.parametrize("path", SECRET_TOOLS)
@pytest.mark.parametrize("way", ["toolbox", "agent", "version"])
def test_a_secret_in_a_tool_is_refused_by_its_path_and_never_shown(path: str, way: str, *, known: bool) -> None:
    """Finding B5: it was posted in plain text, and everyone with a role on the project could read it."""

    def program() -> None:
        tools = SECRET_TOOLS[path](pulumi.Output.secret(S3CRET) if known else later(S3CRET))
        if way == "toolbox":
            fa.Toolbox("secret", project=project(), tools=tools)
        elif way == "agent":
            fa.HostedAgent("secret", project=project(), image=IMAGE, tools=tools)
        else:
            fa.ToolboxVersion("secret", project_endpoint=project().endpoint, toolbox_name="secret", tools=tools)

    with pytest.raises(pulumi.RunError) as caught:
        run(program, preview=True)
    first, line = str(caught.value).splitlines()
    assert first.startswith("1 problem in toolbox ")
    assert line.startswith(
        f"  {path}: is a secret, and the service stores it readable: put it into a ProjectConnection"
    )
    assert line.endswith("(connection=…); if it is not a credential: pulumi.Output.unsecret(value)")
    assert S3CRET not in str(caught.value)


def test_all_secrets_of_a_toolbox_are_refused_at_once() -> None:
    """Finding B5: description and metadata are as readable as the tools."""

    def program() -> None:
        secret = pulumi.Output.secret(S3CRET)
        tools = [fa.WebSearch(description=secret), fa.Mcp("docs", "https://x.example", headers={"x-team": secret})]
        fa.Toolbox("full", project=project(), tools=tools, description=secret, metadata={"team": secret})

    with pytest.raises(pulumi.RunError) as caught:
        run(program)
    assert [line.strip().split(":")[0] for line in str(caught.value).splitlines()[1:]] == [
        "description",
        "metadata.team",
        "tools.docs.headers.x-team",
        "tools.web_search.description",
    ]


SECRET_OPTIONS: Mapping[str, Callable[[Any], dict[str, Any]]] = {
    "description": lambda it: {"description": it},
    "metadata.team": lambda it: {"metadata": {"team": it}},
    "telemetry[0].endpoint": lambda it: {"telemetry": [{"endpoint": it, "protocol": "Http", "data": []}]},
}


@pytest.mark.parametrize("path", SECRET_OPTIONS)
def test_a_secret_in_what_an_agent_says_of_itself_is_refused(path: str) -> None:
    """Finding B5, elsewhere: these are read by everyone who may read the agent."""

    def program() -> None:
        options = SECRET_OPTIONS[path](pulumi.Output.secret(S3CRET))
        fa.HostedAgent("support", project=project(), image=IMAGE, **options)

    with pytest.raises(pulumi.RunError, match="is a secret, and the service stores it readable") as caught:
        run(program)
    assert str(caught.value).splitlines()[1].startswith(f"  {path}: ")
    assert S3CRET not in str(caught.value)


def test_a_value_that_is_no_credential_is_taken_when_the_program_says_so() -> None:
    def program() -> None:
        team = pulumi.Output.unsecret(pulumi.Output.secret("shop"))
        fa.Toolbox("plain", project=project(), tools=[fa.Mcp("docs", "https://x.example", headers={"x-team": team})])

    assert run(program).one(TOOLBOX).inputs["tool:docs"]["headers"] == {"x-team": "shop"}


def test_texts_that_may_be_read_reach_the_version() -> None:
    paths = ["tools.docs.headers.x-key"]

    def program() -> None:
        tools = [fa.Mcp("docs", "https://x.example", headers={"x-key": "k-47"})]
        fa.Toolbox("plain", project=project(), tools=tools, readable=paths)
        assert len(fa.Tool.problems(tools)) == 1
        assert fa.Tool.problems(tools, readable=paths) == []

    assert run(program).one(TOOLBOX).inputs["readable"] == paths


# --- Tools as objects and as payloads --------------------------------------------------------------------------------


def test_a_version_takes_tools_and_payloads_as_its_reference_says() -> None:
    """It ended in an AttributeError of a private class."""
    tools: list[Any] = [fa.CodeInterpreter(), fa.Tool.of({"type": "toolbox_search"}), {"type": "web_search"}]

    def program() -> None:
        fa.ToolboxVersion("mixed", project_endpoint=ENDPOINT, toolbox_name="mixed", tools=tools)

    inputs = run(program).one(TOOLBOX).inputs
    assert {name for name in inputs if name.startswith("tool:")} == {
        "tool:code_interpreter",
        "tool:toolbox_search",
        "tool:web_search",
    }


@pytest.mark.parametrize("tools", ["web_search", {"type": "web_search"}, [fa.WebSearch], ["web_search"], [4]], ids=str)
def test_a_version_refuses_what_is_no_tool_in_words(tools: Any) -> None:
    def program() -> None:
        fa.ToolboxVersion("wrong", project_endpoint=ENDPOINT, toolbox_name="wrong", tools=tools)

    with pytest.raises(pulumi.RunError, match=r"1 problem in the tools of a toolbox\n  tools.*: expected a"):
        run(program)


@pytest.mark.parametrize(
    ("tool", "path", "noun"),
    [
        (lambda: fa.CodeInterpreter(file_ids="x"), "code_interpreter.container.file_ids", "file ids"),
        (lambda: fa.FileSearch(vector_store_ids="vs_1"), "file_search.vector_store_ids", "vector store ids"),
        (lambda: fa.WebSearch(allowed_domains="x"), "web_search.filters.allowed_domains", "domains"),
        (
            lambda: fa.OpenApi("a", {"paths": 1}, default_params="x"),
            "openapi.openapi.default_params",
            "parameter names",
        ),
        (lambda: fa.Mcp("d", "https://x.example", allowed_tools="x"), "d.allowed_tools", "tool names"),
        (lambda: fa.Mcp("d", "https://x.example", allowed_callers="x"), "d.allowed_callers", "callers"),
    ],
    ids=["file_ids", "vector_store_ids", "allowed_domains", "default_params", "allowed_tools", "allowed_callers"],
)
def test_a_text_where_a_tool_takes_a_list_is_refused_in_words(tool: Any, path: str, noun: str) -> None:
    """Finding A4: `vector_store_ids="vs_1"` posted v, s, _ and 1."""
    assert fa.Tool.problems([tool()]) == [f"tools.{path}: must be a list of {noun}, not one text: put it in brackets"]

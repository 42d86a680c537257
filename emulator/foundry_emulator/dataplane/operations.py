"""The table of the data plane's operations: what is served, and what answers 501."""

from starlette.routing import BaseRoute, Route

from foundry_emulator.dataplane.access import Access, Right
from foundry_emulator.dataplane.agent_operations import AgentOperations
from foundry_emulator.dataplane.call import Endpoint, Operation
from foundry_emulator.dataplane.invoke import Invoke
from foundry_emulator.dataplane.session_operations import SessionOperations

PREFIX = "/api/projects/"
_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]

_MISSING = (
    # service-contract 2.1
    ("agents.create_version_from_manifest", "POST", "/agents/{agent}/versions:import", Right.WRITE),
    ("agents.create", "POST", "/agents", Right.WRITE),
    ("agents.update", "POST", "/agents/{agent}", Right.WRITE),
    ("agents.download_code", "GET", "/agents/{agent}/code:download", Right.READ),
    # 5.2
    ("agents.upload_session_file", "PUT", "/agents/{agent}/endpoint/sessions/{session}/files/content", Right.WRITE),
    ("agents.download_session_file", "GET", "/agents/{agent}/endpoint/sessions/{session}/files/content", Right.READ),
    ("agents.list_session_files", "GET", "/agents/{agent}/endpoint/sessions/{session}/files", Right.READ),
    ("agents.delete_session_file", "DELETE", "/agents/{agent}/endpoint/sessions/{session}/files", Right.WRITE),
    (
        "agents.get_session_log_stream",
        "GET",
        "/agents/{agent}/versions/{version}/sessions/{session}:logstream",
        Right.READ,
    ),
    ("the newer log stream", "GET", "/agents/{agent}/sessions/{session}:logstream", Right.READ),
    # 5.3
    ("responses.retrieve", "GET", "/agents/{agent}/endpoint/protocols/openai/responses/{response}", Right.INVOKE),
    ("responses.delete", "DELETE", "/agents/{agent}/endpoint/protocols/openai/responses/{response}", Right.INVOKE),
    (
        "responses.cancel",
        "POST",
        "/agents/{agent}/endpoint/protocols/openai/responses/{response}/cancel",
        Right.INVOKE,
    ),
    (
        "responses.input_items.list",
        "GET",
        "/agents/{agent}/endpoint/protocols/openai/responses/{response}/input_items",
        Right.INVOKE,
    ),
    ("conversations.create", "POST", "/agents/{agent}/endpoint/protocols/openai/conversations", Right.INVOKE),
    ("invocations", "POST", "/agents/{agent}/endpoint/protocols/invocations", Right.INVOKE),
    ("invocations.get", "GET", "/agents/{agent}/endpoint/protocols/invocations/{invocation}", Right.INVOKE),
    (
        "invocations.cancel",
        "POST",
        "/agents/{agent}/endpoint/protocols/invocations/{invocation}/cancel",
        Right.INVOKE,
    ),
    (
        "invocations' OpenAPI document",
        "GET",
        "/agents/{agent}/endpoint/protocols/invocations/docs/openapi.json",
        Right.INVOKE,
    ),
    ("the a2a protocol", "POST", "/agents/{agent}/endpoint/protocols/a2a", Right.INVOKE),
    # 6.1, 6.2
    ("toolboxes.create_version", "POST", "/toolboxes/{toolbox}/versions", Right.WRITE),
    ("toolboxes.get", "GET", "/toolboxes/{toolbox}", Right.READ),
    ("toolboxes.list", "GET", "/toolboxes", Right.READ),
    ("toolboxes.get_version", "GET", "/toolboxes/{toolbox}/versions/{version}", Right.READ),
    ("toolboxes.list_versions", "GET", "/toolboxes/{toolbox}/versions", Right.READ),
    ("toolboxes.update", "PATCH", "/toolboxes/{toolbox}", Right.WRITE),
    ("toolboxes.delete", "DELETE", "/toolboxes/{toolbox}", Right.WRITE),
    ("toolboxes.delete_version", "DELETE", "/toolboxes/{toolbox}/versions/{version}", Right.WRITE),
    ("toolboxes.invoke_latest_toolbox_mcp", "POST", "/toolboxes/{toolbox}:invoke_mcp", Right.INVOKE),
    ("the toolbox MCP endpoint", "POST", "/toolboxes/{toolbox}/mcp", Right.INVOKE),
    ("the toolbox version MCP endpoint", "POST", "/toolboxes/{toolbox}/versions/{version}/mcp", Right.INVOKE),
    # 6.4
    ("connections.list", "GET", "/connections", Right.READ),
    ("connections.get", "GET", "/connections/{connection}", Right.READ),
    ("connections.get_with_credentials", "POST", "/connections/{connection}/getConnectionWithCredentials", Right.READ),
)


def operations(agents: AgentOperations, sessions: SessionOperations, invoke: Invoke) -> list[Operation]:
    """Every operation of the contract, the most asked for first."""
    one, versions = "/agents/{agent}", "/agents/{agent}/versions"
    kept = "/agents/{agent}/endpoint/sessions"
    responses = "/agents/{agent}/endpoint/protocols/openai/responses"
    built = [
        Operation("agents.get_version", "GET", f"{versions}/{{version}}", Right.READ, agents.get_version),
        Operation("agents.list_versions", "GET", versions, Right.READ, agents.list_versions),
        Operation("responses.create", "POST", responses, Right.INVOKE, invoke.responses),
        Operation("agents.get", "GET", one, Right.READ, agents.get),
        Operation("agents.list", "GET", "/agents", Right.READ, agents.list),
        Operation("agents.create_version", "POST", versions, Right.WRITE, agents.create_version),
        Operation("agents.delete_version", "DELETE", f"{versions}/{{version}}", Right.WRITE, agents.delete_version),
        Operation("agents.update_details", "PATCH", one, Right.WRITE, agents.update_details),
        Operation("agents.delete", "DELETE", one, Right.WRITE, agents.delete),
        Operation("agents.enable", "POST", f"{one}:enable", Right.WRITE, agents.enable),
        Operation("agents.disable", "POST", f"{one}:disable", Right.WRITE, agents.disable),
        # Sessions are a caller's own business; that Foundry Agent Consumer may make them is [modelled].
        Operation("agents.create_session", "POST", kept, Right.INVOKE, sessions.create),
        Operation("agents.list_sessions", "GET", kept, Right.INVOKE, sessions.list),
        Operation("agents.get_session", "GET", f"{kept}/{{session}}", Right.INVOKE, sessions.get),
        Operation("agents.stop_session", "POST", f"{kept}/{{session}}:stop", Right.INVOKE, sessions.stop),
        Operation("agents.delete_session", "DELETE", f"{kept}/{{session}}", Right.INVOKE, sessions.delete),
    ]
    return built + [Operation(name, method, path, right) for name, method, path, right in _MISSING]


def routes(table: list[Operation], access: Access) -> list[BaseRoute]:
    """The routes below ``/api/projects/{project}``; whatever no operation matches answers 501 too.

    Paths with a colon come first: ``/agents/{agent}:enable`` is also an agent's name as far as a pattern knows.
    """
    ordered = sorted(table, key=lambda operation: ":" not in operation.path.rpartition("}")[2])
    listed: list[BaseRoute] = [
        Route(f"{PREFIX}{{project}}{operation.path}", Endpoint(operation, access), methods=[operation.method])
        for operation in ordered
    ]
    unknown = Operation("this path and method", "*", "", Right.READ)
    listed.append(Route(f"{PREFIX}{{project}}/{{rest:path}}", Endpoint(unknown, access), methods=_METHODS))
    return listed

"""The rules of a toolbox's tools: what each type demands, and what a set of them is in canonical form.

Names and types are those of the wire: the models ``…ToolboxTool`` of azure-ai-projects [sdk]. A type or a field that
this release does not know is passed on as it is: the service has more of them every month.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from urllib.parse import urlsplit

from foundry_agents.lifecycle.schema.fields import Report, as_number, shown

SECOND = re.compile(r"(?P<name>.*) \(\d+\)")
"""How `by_name` calls a tool whose name is taken."""

APPROVALS = ("always", "never")
SEARCH_CONTEXT_SIZES = ("low", "medium", "high")
QUERY_TYPES = ("simple", "semantic", "vector", "vector_simple_hybrid", "vector_semantic_hybrid")
OPENAPI_AUTH_TYPES = ("anonymous", "project_connection", "managed_identity")
MCP_SERVERS = ("server_url", "connector_id", "tunnel_id")

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""Ours: what the OpenAI models accept as the name of a tool; labels stand before tool names, `docs.search` [docs]."""
_CONNECTION = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}|/subscriptions/.+/connections/[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_CREDENTIAL_HEADER = re.compile(r"authorization|cookie|.*(api[-_]?key|token|secret|password).*", re.IGNORECASE)

Tool = dict[str, object]

_Check = Callable[[str, object, Report], None]


def name_of(tool: Mapping[str, object]) -> str:
    """What a tool is called: its name, an MCP server's label, else its type."""
    for key in ("name", "server_label", "type"):
        if isinstance(name := tool.get(key), str) and name:
            return name
    return "tool"


def by_name(tools: Iterable[Mapping[str, object]]) -> dict[str, Mapping[str, object]]:
    """Tools by name, so that a preview names the one that changed; a second one of a name is a problem in check."""
    named: dict[str, Mapping[str, object]] = {}
    for tool in tools:
        name = key = name_of(tool)
        number = 1
        while key in named:
            number += 1
            key = f"{name} ({number})"
        named[key] = tool
    return named


def tools(path: str, raw: object, report: Report) -> dict[str, Tool] | None:
    """Tools by name, each as the wire wants it."""
    if not isinstance(raw, Mapping):
        report.add(path, "must be tools: [CodeInterpreter(), Mcp(…), Tool.of({…})]")
        return None
    canonical: dict[str, Tool] = {}
    for key, tool in sorted(raw.items()):
        where = f"{path}.{key}"
        if report.is_unknown(tool) and not isinstance(tool, Mapping):
            canonical[key] = tool
        elif not isinstance(tool, Mapping) or not isinstance(tool.get("type"), str) or not tool["type"]:
            report.add(where, 'must be a tool with a type, for example Tool.of({"type": "code_interpreter"})')
        else:
            canonical[key] = found = _tool(where, tool, report)
            if second := SECOND.fullmatch(key):
                report.add(f"{path}.{second['name']}", _taken(second["name"], found))
    _check_labels(path, canonical, report)
    return canonical or None


def _taken(name: str, tool: Tool) -> str:
    if name == tool["type"]:
        return f"two tools of type {name} have no name; at most one may [docs]: give each a name of its own"
    return "two tools are called so: each needs a name (of an mcp tool: a server_label) of its own"


def _check_labels(path: str, canonical: Mapping[str, Tool], report: Report) -> None:
    """Labels stand before the names of their tools, so two servers can't share one, whatever the tools are called."""
    labels: dict[str, str] = {}
    for key, tool in canonical.items():
        # A label may be unknown, and so may a whole tool.
        label = tool.get("server_label") if type(tool) is dict else None
        if not isinstance(label, str) or SECOND.fullmatch(key):
            continue
        if label in labels:
            report.add(f"{path}.{key}.server_label", f"{shown(label)} is the label of {labels[label]} already")
        labels.setdefault(label, key)


def _tool(path: str, raw: Mapping[str, object], report: Report) -> Tool:
    tool = {key: value for key, value in _plain(raw).items() if value not in ({}, [], "")}
    kind = str(tool["type"])
    _check(path, tool, _COMMON | _TYPES.get(kind, {}), report)
    if kind == "mcp":
        _check_mcp(path, tool, report)
    for field in _REQUIRED.get(kind, ()):
        if field not in tool:
            report.add(f"{path}.{field}", "is required")
    return tool


def _check(path: str, values: Mapping[str, object], checks: Mapping[str, _Check], report: Report) -> None:
    for field, check in checks.items():
        value = values.get(field)
        if value is not None and not (report.is_unknown(value) and not isinstance(value, (Mapping, list))):
            check(f"{path}.{field}", value, report)


def _plain(value: Mapping[str, object]) -> Tool:
    return {str(key): _canonical(inner) for key, inner in sorted(value.items()) if inner is not None}


def _canonical(value: object) -> object:
    """One spelling of a JSON value: whole numbers are ints, as before Pulumi's floats, and Nones are not there."""
    if isinstance(value, Mapping):
        return _plain(value)
    if isinstance(value, (list, tuple)):
        return [_canonical(item) for item in value if item is not None]
    return int(value) if isinstance(value, float) and value.is_integer() else value


# --- Checks of single values -----------------------------------------------------------------------------------------


def _is_name(path: str, raw: object, report: Report) -> None:
    if not isinstance(raw, str) or not _NAME.fullmatch(raw):
        report.add(path, f"{shown(raw)}: 1 to 64 letters, digits, _ and -")


def _is_text(path: str, raw: object, report: Report) -> None:
    if not isinstance(raw, str):
        report.add(path, "must be text")


def _is_flag(path: str, raw: object, report: Report) -> None:
    if not isinstance(raw, bool):
        report.add(path, "must be true or false")


def _is_object(path: str, raw: object, report: Report) -> None:
    if not isinstance(raw, Mapping):
        report.add(path, "must be an object")


def _is_url(path: str, raw: object, report: Report) -> None:
    try:
        url = urlsplit(raw) if isinstance(raw, str) else None
        host = url.hostname if url else None
    except ValueError:
        url = host = None
    if url is None or not host:
        report.add(path, "is not a URL" if "@" in str(raw) else f"{shown(raw)} is not a URL")
    elif url.username or url.password:
        report.add(path, "holds a credential, which everybody could read in the toolbox: use a ProjectConnection")
    elif url.scheme != "https" and not (url.scheme == "http" and host in _LOOPBACK):
        report.add(
            path, f"{shown(raw)} must begin with https://: what a tool is asked and answers is not for all to read"
        )


def _is_connection(path: str, raw: object, report: Report) -> None:
    if not isinstance(raw, str) or not _CONNECTION.fullmatch(raw):
        report.add(path, f"{shown(raw)}: the name of one of the project's connections, or its ARM id")


def _is_headers(path: str, raw: object, report: Report) -> None:
    if not isinstance(raw, Mapping):
        report.add(path, "must map names to text")
        return
    for name, value in raw.items():
        if _CREDENTIAL_HEADER.fullmatch(name):
            report.add(f"{path}.{name}", _NO_CREDENTIAL)
        elif not report.is_unknown(value) and not isinstance(value, str):
            report.add(f"{path}.{name}", "must be text")


_NO_CREDENTIAL = "is a credential, which everybody could read in the toolbox: use a ProjectConnection (connection=…)"


def _no_credential(path: str, _raw: object, report: Report) -> None:
    report.add(path, _NO_CREDENTIAL)


def _is_list(of: _Check, *, most: int | None = None) -> _Check:
    def check(path: str, raw: object, report: Report) -> None:
        if not isinstance(raw, list):
            report.add(path, "must be a list")
            return
        if most is not None and len(raw) > most:
            report.add(path, f"has {len(raw)} entries; at most {most} allowed")
        for position, item in enumerate(raw):
            if not report.is_unknown(item) or isinstance(item, (Mapping, list)):
                of(f"{path}[{position}]", item, report)

    return check


def _is_whole(least: int, most: int) -> _Check:
    def check(path: str, raw: object, report: Report) -> None:
        value = as_number(raw)
        if value is None or value != int(value) or not least <= value <= most:
            report.add(path, f"{shown(raw)} must be a whole number, {least} to {most}")

    return check


def _is_one_of(*words: str) -> _Check:
    def check(path: str, raw: object, report: Report) -> None:
        if raw not in words:
            report.add(path, f"{shown(raw)} is none of {', '.join(words)}")

    return check


def _parts(required: tuple[str, ...] = (), /, **checks: _Check) -> _Check:
    def check(path: str, raw: object, report: Report) -> None:
        if not isinstance(raw, Mapping):
            report.add(path, "must be an object")
            return
        for field in required:
            if field not in raw:
                report.add(f"{path}.{field}", "is required")
        _check(path, raw, checks, report)

    return check


def _is_approval(path: str, raw: object, report: Report) -> None:
    if isinstance(raw, Mapping):
        filters = _parts(tool_names=_is_list(_is_text), read_only=_is_flag)
        _parts(always=filters, never=filters)(path, raw, report)
    elif raw not in APPROVALS:
        report.add(path, f'{shown(raw)}: "always", "never", or tools by either: {{"never": {{"tool_names": [...]}}}}')


def _is_allowed(path: str, raw: object, report: Report) -> None:
    if isinstance(raw, Mapping):
        _parts(tool_names=_is_list(_is_text), read_only=_is_flag)(path, raw, report)
    else:
        _is_list(_is_text)(path, raw, report)


def _is_container(path: str, raw: object, report: Report) -> None:
    if isinstance(raw, Mapping):
        _parts(file_ids=_is_list(_is_text), memory_limit=_is_text)(path, raw, report)
    else:
        _is_text(path, raw, report)


def _is_auth(path: str, raw: object, report: Report) -> None:
    _parts(("type",), type=_is_one_of(*OPENAPI_AUTH_TYPES))(path, raw, report)
    scheme = raw.get("security_scheme") if isinstance(raw, Mapping) else None
    if isinstance(scheme, Mapping):
        _check(f"{path}.security_scheme", scheme, {"project_connection_id": _is_connection}, report)


def _check_mcp(path: str, tool: Mapping[str, object], report: Report) -> None:
    given = [name for name in MCP_SERVERS if name in tool]
    if len(given) != 1:
        said = f"{' and '.join(given)} are" if given else "none is"
        report.add(path, f"exactly one of {', '.join(MCP_SERVERS)} says where the server is; {said} given")


_COMMON: dict[str, _Check] = {"name": _is_name, "description": _is_text, "tool_configs": _is_object}

_TYPES: Mapping[str, dict[str, _Check]] = {
    "code_interpreter": {"container": _is_container},
    "file_search": {
        "vector_store_ids": _is_list(_is_text),
        "max_num_results": _is_whole(1, 50),
        "ranking_options": _is_object,
        "filters": _is_object,
    },
    "mcp": {
        "server_label": _is_name,
        "server_url": _is_url,
        "server_description": _is_text,
        "require_approval": _is_approval,
        "allowed_tools": _is_allowed,
        "project_connection_id": _is_connection,
        "headers": _is_headers,
        "authorization": _no_credential,
    },
    "web_search": {
        "external_web_access": _is_flag,
        "search_context_size": _is_one_of(*SEARCH_CONTEXT_SIZES),
        "filters": _parts(allowed_domains=_is_list(_is_text)),
        "user_location": _is_object,
        "custom_search_configuration": _parts(
            ("project_connection_id", "instance_name"), project_connection_id=_is_connection, instance_name=_is_text
        ),
    },
    "azure_ai_search": {
        "azure_ai_search": _parts(
            ("indexes",),
            indexes=_is_list(
                _parts(
                    project_connection_id=_is_connection,
                    index_name=_is_text,
                    query_type=_is_one_of(*QUERY_TYPES),
                    top_k=_is_whole(1, 50),
                    filter=_is_text,
                ),
                most=1,
            ),
        )
    },
    "openapi": {
        "openapi": _parts(
            ("name", "spec", "auth"),
            name=_is_name,
            description=_is_text,
            spec=_is_object,
            auth=_is_auth,
            default_params=_is_list(_is_text),
        )
    },
    "a2a": {
        "base_url": _is_url,
        "agent_card_path": _is_text,
        "project_connection_id": _is_connection,
        "send_credentials_for_agent_card": _is_flag,
        "a2a_version": _is_text,
    },
}
"""Checks by type and field [sdk]; figures: file_search 1 to 50 results [sdk], at most 1 search index [sdk]."""

_REQUIRED: Mapping[str, tuple[str, ...]] = {
    "mcp": ("server_label",),
    "azure_ai_search": ("azure_ai_search",),
    "openapi": ("openapi",),
    "a2a": ("a2a_version",),
}


def connections_of(wanted: Mapping[str, Mapping[str, object]]) -> dict[str, str]:
    """Names of the connections that tools use, by the path that names each."""
    found: dict[str, str] = {}
    for key, tool in wanted.items():
        _collect(f"tools.{key}", tool, found)
    return found


def _collect(path: str, value: object, found: dict[str, str]) -> None:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key == "project_connection_id" and isinstance(inner, str):
                found[f"{path}.{key}"] = inner.rpartition("/")[2]
            elif key != "spec":
                _collect(f"{path}.{key}", inner, found)
    elif isinstance(value, list):
        for position, item in enumerate(value):
            _collect(f"{path}[{position}]", item, found)

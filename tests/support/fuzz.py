"""Random requests, most of them invalid, from a seed."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from foundry_emulator.parity import ledger

Json = Any
_NAMES = ("support", "kept", "tools", "1", "2", "@latest", "s-1", "caresp_x", "draft-1")
_ODD = ("", " ", ".", "..", "%", "a/b", "a:enable", "ä", "\0", "x" * 300, "-1", "9" * 40, "null", "'\"<>", "🎉", "\r\n")
_QUERY = ("limit", "order", "after", "before", "kind", "force", "path", "recursive", "tail", "follow", "agent_version")
_TYPES = (
    "application/json",
    "application/merge-patch+json",
    "multipart/form-data; boundary=b",
    "text/plain",
    "",
    "x/ä",
)


@dataclass(frozen=True, slots=True)
class Odd:
    """A request.

    Attributes:
        method: HTTP method.
        target: Path and query, escaped.
        headers: Without the token.
        body: Its bytes.
    """

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


def requests(seed: int, count: int, image: str, made: Mapping[str, str]) -> Iterator[Odd]:
    """Return ``count`` requests to every operation: valid, nearly valid and invalid ones.

    Args:
        seed: Of all that is drawn.
        count: How many.
        image: That agents can run.
        made: Ids of what is there, by the name of the part of a path.
    """
    source = random.Random(seed)
    operations = ledger()
    for _ in range(count):
        entry = source.choice(operations)
        parts = [_part(source, part, made) for part in entry.path.strip("/").split("/")]
        query = {"api-version": "v1"} if source.random() < 0.97 else {}
        for _ in range(source.choice((0, 0, 1, 3))):
            query[source.choice(_QUERY)] = _word(source)
        fitting = _TYPES[2:3] if entry.name == "files.create" else _TYPES[:2]
        headers = {"accept": "*/*", "content-type": source.choice(fitting if source.random() < 0.7 else _TYPES)}
        yield Odd(
            entry.method
            if source.random() < 0.9
            else source.choice(("GET", "PUT", "PATCH", "DELETE", "HEAD", "TRACE")),
            "/" + "/".join(parts) + "?" + urlencode(query, errors="replace"),
            {name: value.encode().decode("latin-1") for name, value in headers.items()},
            _body(source, entry.name, image, made),
        )


def _part(source: random.Random, part: str, made: Mapping[str, str]) -> str:
    name, _, verb = part.partition("}")
    if name.removeprefix("{") in made and source.random() < 0.8:
        return made[name.removeprefix("{")]
    if not part.startswith("{"):
        return part if source.random() < 0.98 else quote(_word(source), safe="")
    return quote(_word(source), safe=":@") + verb if name else part


def _word(source: random.Random) -> str:
    return source.choice(_NAMES if source.random() < 0.8 else _ODD)


def _body(source: random.Random, operation: str, image: str, made: Mapping[str, str]) -> bytes:
    drawn = source.random()
    if drawn < 0.05:
        return source.randbytes(source.randrange(200))
    if drawn < 0.08:
        return b"[" * 5000
    if drawn < 0.1:
        return (
            b'--b\r\ncontent-disposition: form-data; name="metadata"\r\n\r\n' + source.randbytes(50) + b"\r\n--b--\r\n"
        )
    if operation == "files.create" and drawn < 0.7:
        return _UPLOAD if source.random() < 0.5 else _UPLOAD[: source.randrange(len(_UPLOAD))]
    document = _FITTING.get(operation, lambda _image: {"input": "hello"})(image)
    if "file_id" in document:
        document["file_id"] = made["file"]
    if "file_ids" in document:
        document["file_ids"] = [made["file"]]
    for _ in range(source.choice((0, 1, 1, 2, 4))):
        document = _changed(source, document)
    text = json.dumps(document)
    return text.encode() if source.random() < 0.97 else text.encode()[: source.randrange(len(text) + 1)]


def _changed(source: random.Random, document: Json) -> Json:
    """Return the document with one value somewhere in it replaced, removed or duplicated."""
    if isinstance(document, dict) and document and source.random() < 0.9:
        key = source.choice(sorted(document))
        changed = {**document, key: _changed(source, document[key])}
        if source.random() < 0.15:
            del changed[key]
        return changed
    if isinstance(document, list) and document and source.random() < 0.8:
        place = source.randrange(len(document))
        return [*document[:place], _changed(source, document[place]), *document[place : place + source.randrange(2)]]
    return source.choice(
        (None, True, 0, -1, 1e300, 10**30, "", "x" * 5000, "\ud800", "\0", [], {}, [{}], {"": None}, "1")
    )


def _version(image: str) -> Json:
    return {
        "definition": {
            "kind": "hosted",
            "cpu": "0.5",
            "memory": "1Gi",
            "container_configuration": {"image": image},
            "protocol_versions": [{"protocol": "responses", "version": "2.0.0"}],
            "environment_variables": {"A": "b"},
            "session_configuration": {"idle_timeout_seconds": 300},
        },
        "description": "d",
        "metadata": {"a": "b"},
    }


def _patch(_image: str) -> Json:
    rule = {"type": "FixedRatio", "agent_version": "1", "traffic_percentage": 100}
    endpoint = {"version_selector": {"version_selection_rules": [rule]}, "protocol_configuration": {"responses": {}}}
    return {"agent_endpoint": endpoint, "agent_card": {"version": "1", "skills": []}}


def _message(_image: str) -> Json:
    parameters = {"name": "news", "arguments": {"query": "q"}, "_meta": {"progressToken": 1}}
    return {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": parameters}


_UPLOAD = (
    b'--b\r\ncontent-disposition: form-data; name="purpose"\r\n\r\nassistants\r\n'
    b'--b\r\ncontent-disposition: form-data; name="file"; filename="\xc3\xa4.md"\r\n\r\nhello\r\n--b--\r\n'
)
# Port 9 refuses connections; a changed address must not be reachable either.
_MCP_TOOL = {
    "type": "mcp",
    "server_label": "a",
    "server_url": "http://127.0.0.1:9/mcp",
    "headers": {"a": "b"},
    "allowed_tools": ["c"],
    "project_connection_id": "d",
}
_FITTING: dict[str, Callable[[str], Json]] = {
    "agents.create_version": _version,
    "agents.create_version_from_code": _version,
    "agents.update_details": _patch,
    "agents.create_session": lambda _: {
        "version_indicator": {"type": "version_ref", "agent_version": "1"},
        "agent_session_id": "s-1",
    },
    "toolboxes.create_version": lambda _: {"tools": [_MCP_TOOL, {"type": "file_search", "name": "news"}]},
    "toolboxes.update": lambda _: {"default_version": "1"},
    "vector_stores.create": lambda _: {
        "name": "faq",
        "file_ids": [],
        "metadata": {"a": "b"},
        "expires_after": {"anchor": "last_active_at", "days": 1},
        "chunking_strategy": {"type": "static", "static": {"max_chunk_size_tokens": 800, "chunk_overlap_tokens": 400}},
    },
    "vector_stores.update": lambda _: {"name": "faq", "metadata": {}, "expires_after": None},
    "vector_stores.search": lambda _: {
        "query": ["hello"],
        "max_num_results": 5,
        "filters": {"type": "or", "filters": [{"type": "gt", "key": "year", "value": 1}]},
        "ranking_options": {"score_threshold": 0.1},
    },
    "vector_stores.files.create": lambda _: {"file_id": "", "attributes": {"year": 2026}},
    "vector_stores.files.update": lambda _: {"attributes": {"year": 2026}},
    "vector_stores.file_batches.create": lambda _: {"file_ids": [], "attributes": {"year": 2026}},
    "toolboxes.invoke_latest_toolbox_mcp": _message,
    "the toolbox MCP endpoint": _message,
    "the toolbox version MCP endpoint": _message,
}

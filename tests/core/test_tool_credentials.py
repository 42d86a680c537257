"""No text of a toolbox may be a credential, at any depth of any type of tool. Finding B5."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import pytest

import foundry_agents as fa
from foundry_agents.lifecycle.inputs.tool_rules import by_name, tools
from foundry_agents.lifecycle.inputs.toolbox import TOOLBOX_FIELDS
from foundry_agents.lifecycle.schema.report import Report
from tests.support.settings import ENDPOINT, OWNER

CANARY = "canary4711"
SERVER = "https://x.example/mcp"
TITLED: Mapping[str, Any] = {"openapi": "3.1.0", "info": {"title": "Orders", "version": "1.0.0"}, "paths": {}}


def _found(*given: fa.AnyTool, readable: frozenset[str] = frozenset()) -> dict[str, str]:
    report = Report(readable=readable)
    tools("tools", by_name(tool.inputs() for tool in given), report)
    return {problem.path: problem.detail for problem in report.problems}


def _api(spec: Mapping[str, Any], name: str = "orders") -> fa.AnyTool:
    return fa.OpenApi(name, {**TITLED, **spec})


def _operation(**operation: Any) -> Mapping[str, Any]:
    return {"paths": {"/orders": {"get": {"operationId": "listOrders", **operation}}}}


def _parameter(name: str, place: str, **schema: Any) -> Mapping[str, Any]:
    return _operation(parameters=[{"name": name, "in": place, "schema": {"type": "string", **schema}}])


_SPEC = "tools.openapi.openapi.spec"

HELD: Mapping[str, fa.AnyTool] = {
    "tools.docs.server_url": fa.Mcp("docs", f"{SERVER}?api_key={CANARY}"),
    "tools.code.server_url": fa.Mcp("code", f"{SERVER}?code={CANARY}"),
    "tools.signed.server_url": fa.Mcp("signed", f"{SERVER}?sv=1&sig={CANARY}"),
    "tools.docs.headers.x-functions-key": fa.Mcp("docs", SERVER, headers={"x-functions-key": CANARY}),
    "tools.docs.headers.Ocp-Apim-Subscription-Key": fa.Mcp(
        "docs", SERVER, headers={"Ocp-Apim-Subscription-Key": "abc"}
    ),
    "tools.docs.headers.Authorization": fa.Mcp("docs", SERVER, headers={"Authorization": f"Bearer {CANARY}"}),
    "tools.docs.headers.Cookie": fa.Mcp("docs", SERVER, headers={"Cookie": "sid"}),
    "tools.docs.headers.x-team": fa.Mcp("docs", SERVER, headers={"x-team": f"ghp_{CANARY}{CANARY}"}),
    "tools.docs.server_description": fa.Mcp("docs", SERVER, server_description=f"use {SERVER}?api_key={CANARY}"),
    "tools.web_search.description": fa.WebSearch(description=f"-----BEGIN PRIVATE KEY-----{CANARY}"),
    "tools.code_interpreter.description": fa.CodeInterpreter(description=f"sign in with password={CANARY}"),
    "tools.a2a.base_url": fa.A2A(base_url=f"https://x.example?token={CANARY}"),
    "tools.a2a.agent_card_path": fa.A2A(base_url="https://x.example", agent_card_path=f"/card?key={CANARY}"),
    "tools.new.api_key": fa.Tool.of({"type": "new", "api_key": CANARY}),
    "tools.new.deep[0].auth.clientSecret": fa.Tool.of({"type": "new", "deep": [{"auth": {"clientSecret": CANARY}}]}),
    "tools.new.api_keys[1]": fa.Tool.of({"type": "new", "api_keys": ["", CANARY]}),
    "tools.new.settings[0].value": fa.Tool.of({"type": "new", "settings": [{"name": "api-key", "value": CANARY}]}),
    "tools.web_search.api_key": fa.Tool.of({"type": "web_search", "api_key": CANARY}),
    "tools.code_interpreter.tool_configs.*.token": fa.CodeInterpreter(tool_configs={"*": {"token": CANARY}}),
    f"{_SPEC}.servers[0].url": _api({"servers": [{"url": f"https://me:{CANARY}@x.example"}]}),
    f"{_SPEC}.servers[0].variables.apiKey.default": _api(
        {"servers": [{"url": "https://x.example", "variables": {"apiKey": {"default": CANARY}}}]}
    ),
    f"{_SPEC}.paths./orders.get.parameters[0].schema.default": _api(_parameter("api-key", "header", default=CANARY)),
    f"{_SPEC}.paths./orders.get.parameters[0].schema.enum[0]": _api(_parameter("api-key", "header", enum=[CANARY])),
    f"{_SPEC}.paths./orders.get.description": _api(_operation(description=f"Bearer {CANARY}{CANARY}")),
    f"{_SPEC}.paths./orders.get.x-api-key": _api(_operation(**{"x-api-key": CANARY})),
    f"{_SPEC}.paths": _api({"paths": {f"/orders?code={CANARY}": {}}}),
    f"{_SPEC}.components.schemas.Login.properties.example.properties.password.default": _api(
        {
            "components": {
                "schemas": {
                    "Login": {
                        "properties": {"example": {"properties": {"password": {"type": "string", "default": CANARY}}}}
                    }
                }
            }
        }
    ),
    f"{_SPEC}.components.schemas.Login.properties.password.default": _api(
        {"components": {"schemas": {"Login": {"properties": {"password": {"type": "string", "default": CANARY}}}}}}
    ),
}


@pytest.mark.parametrize("path", HELD)
def test_a_credential_is_refused_by_its_path_with_what_to_do_and_is_not_shown(path: str) -> None:
    """Finding B5."""
    found = _found(HELD[path])
    assert list(found) == [path]
    assert "credential" in found[path]
    assert "use a ProjectConnection (connection=…)" in found[path]
    assert CANARY not in str(found)


def test_the_code_of_a_function_is_refused_as_the_default_of_its_query_parameter() -> None:
    """`code` is an ordinary name everywhere else: a country, an error."""
    path = f"{_SPEC}.paths./orders.get.parameters[0].schema.default"
    assert list(_found(_api(_parameter("code", "query", default=CANARY)))) == [path]
    assert _found(_api(_parameter("code", "query", default="SE"))) == {}
    assert _found(_api(_parameter("code", "path", default="ORDER_CREATED"))) == {}
    assert _found(_api(_parameter("code", "query", enum=["ORDER_CREATED", "ORDER_CANCELLED"]))) == {}
    assert _found(_api(_parameter("token", "query", enum=["short", "long"]))) == {}


@pytest.mark.parametrize("path", HELD)
def test_a_text_that_is_no_credential_can_be_declared_as_readable(path: str) -> None:
    """The error says how, with the path to write."""
    assert f'Toolbox(…, readable=["{path}"])' in _found(HELD[path])[path]
    assert _found(HELD[path], readable=frozenset({path})) == {}


def test_readable_texts_are_an_input_of_the_version_that_makes_no_other_version() -> None:
    tool = fa.Mcp("docs", SERVER, headers={"x-key": "k-47"})
    props = {
        "project_endpoint": ENDPOINT,
        "toolbox_name": "support",
        "owner": OWNER,
        "tools": by_name([tool.inputs()]),
    }
    readable = {**props, "readable": ["tools.docs.headers.x-key"]}
    assert [problem.path for problem in TOOLBOX_FIELDS.normalise(props)[1]] == ["tools.docs.headers.x-key"]
    values, problems = TOOLBOX_FIELDS.normalise(readable)
    assert problems == []
    assert TOOLBOX_FIELDS.changes(props, readable) == []
    assert "readable" not in TOOLBOX_FIELDS.described(values)


def test_description_and_metadata_of_a_toolbox_are_judged_too() -> None:
    """Finding B5: they are as readable."""
    props = {
        "project_endpoint": ENDPOINT,
        "toolbox_name": "support",
        "owner": OWNER,
        "tools": by_name([fa.WebSearch().inputs()]),
        "description": f"see https://x.example?api_key={CANARY}",
        "metadata": {"api_key": CANARY, "commit": "9f2c1e7a4b8d3056c1f9e2a7b4d80365f1c2e9a7"},
    }
    problems = TOOLBOX_FIELDS.normalise(props)[1]
    assert [problem.path for problem in problems] == ["description", "metadata.api_key"]
    assert CANARY not in str(problems)
    allowed = {**props, "readable": ["description", "metadata.api_key"]}
    assert TOOLBOX_FIELDS.normalise(allowed)[1] == []


# --- No false alarm --------------------------------------------------------------------------------------------------

PETSTORE = _api(
    {
        "servers": [{"url": "https://petstore3.example.com/api/v3"}],
        "paths": {
            "/pet": {
                "post": {
                    "operationId": "addPet",
                    "security": [{"petstore_auth": ["write:pets", "read:pets"]}, {"api_key": []}],
                    "parameters": [
                        {"name": "api_key", "in": "header", "required": False, "schema": {"type": "string"}}
                    ],
                }
            },
            "/user/login": {
                "get": {
                    "parameters": [
                        {"name": "username", "in": "query", "schema": {"type": "string"}},
                        {"name": "password", "in": "query", "description": "The password for login in clear text"},
                    ],
                    "responses": {"200": {"headers": {"X-Expires-After": {"schema": {"format": "date-time"}}}}},
                }
            },
        },
        "components": {
            "schemas": {
                "User": {
                    "properties": {"password": {"type": "string", "example": "12345"}, "format": {"type": "string"}}
                }
            },
            "securitySchemes": {
                "petstore_auth": {
                    "type": "oauth2",
                    "flows": {
                        "implicit": {
                            "authorizationUrl": "https://petstore3.example.com/oauth/authorize",
                            "tokenUrl": "https://petstore3.example.com/oauth/token",
                            "scopes": {"write:pets": "modify pets", "read:token": "Read tokens"},
                        }
                    },
                },
                "api_key": {"type": "apiKey", "name": "api_key", "in": "header"},
            },
        },
    }
)

FUNCTIONS = _api(
    {
        "servers": [{"url": "https://orders.azurewebsites.net/api"}],
        "paths": {
            "/orders/{id}": {
                "get": {
                    "operationId": "GetOrder",
                    "parameters": [
                        {
                            "name": "code",
                            "in": "query",
                            "description": "The function's key",
                            "schema": {"type": "string"},
                        },
                        {"name": "id", "in": "path", "required": True, "schema": {"type": "string", "default": "4711"}},
                    ],
                    "security": [{"function_key": []}],
                }
            }
        },
        "components": {"securitySchemes": {"function_key": {"type": "apiKey", "name": "code", "in": "query"}}},
    }
)

CODE_HOST = _api(
    {
        "servers": [{"url": "https://api.{region}.example.com", "variables": {"region": {"default": "eu"}}}],
        "paths": {
            "/repos/{owner}/actions/runners/registration-token": {
                "post": {
                    "summary": "Create a registration token",
                    "description": "Authenticate with a token: `Authorization: Bearer <token>`. See the api_key guide.",
                    "responses": {
                        "201": {
                            "content": {
                                "application/json": {
                                    "schema": {"$ref": "#/components/schemas/authentication-token"},
                                    "examples": {
                                        "default": {"value": {"token": "ghp_16C7e42F292c6912E7710c838347Ae178B4a"}}
                                    },
                                }
                            }
                        }
                    },
                }
            }
        },
        "components": {
            "schemas": {
                "authentication-token": {
                    "required": ["token", "expires_at"],
                    "properties": {
                        "token": {"type": "string", "example": "v1.1f699f1069f60xxx", "pattern": "^[A-Za-z0-9]{40}$"},
                        "sha": {"type": "string", "default": "9f2c1e7a4b8d3056c1f9e2a7b4d80365f1c2e9a7"},
                        "secret_type": {"type": "string", "enum": ["api_key", "token", "password"], "default": "token"},
                        "next_page_token": {"type": "string", "default": ""},
                    },
                    "discriminator": {"propertyName": "token", "mapping": {"token": "#/components/schemas/a"}},
                }
            },
            "securitySchemes": {"bearerAuth": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        },
    }
)

MANAGED_API = _api(
    {
        "servers": [{"url": "https://acme.azure-api.net/orders"}, {"url": "/v2"}],
        "paths": {
            "/orders": {
                "get": {
                    "x-ms-visibility": "important",
                    "x-api-key-header": "Ocp-Apim-Subscription-Key",
                    "parameters": [
                        {"name": "api-version", "in": "query", "schema": {"type": "string", "default": "2025-06-01"}},
                        {"name": "max_tokens", "in": "query", "schema": {"type": "integer", "default": 4096}},
                        {"name": "country_code", "in": "query", "schema": {"type": "string", "default": "SE"}},
                    ],
                }
            }
        },
        "components": {
            "securitySchemes": {
                "apiKeyHeader": {"type": "apiKey", "name": "Ocp-Apim-Subscription-Key", "in": "header"},
                "apiKeyQuery": {"type": "apiKey", "name": "subscription-key", "in": "query"},
            }
        },
        "security": [{"apiKeyHeader": []}, {"apiKeyQuery": []}],
    }
)

SIGN_IN = _api(
    {
        "servers": [{"url": "https://id.example.com"}],
        "paths": {
            "/token": {
                "post": {
                    "requestBody": {
                        "content": {
                            "application/x-www-form-urlencoded": {
                                "schema": {
                                    "properties": {
                                        "grant_type": {"type": "string", "default": "client_credentials"},
                                        "client_secret": {"type": "string", "format": "password", "writeOnly": True},
                                        "token_type": {"type": "string", "const": "Bearer"},
                                        "use_token": {"type": "boolean", "default": True},
                                        "use_secret": {"type": "string", "default": "true"},
                                    }
                                },
                                "example": "grant_type=client_credentials&client_secret=Abc123Def456",
                            }
                        }
                    },
                    "responses": {
                        "200": {
                            "description": "The token",
                            "headers": {"X-Request-Token": {"schema": {"type": "string"}}},
                            "content": {
                                "application/json": {"example": {"access_token": "eyJhbGciOiJub25lIn0.eyJhIjoxfQ.x"}}
                            },
                        }
                    },
                }
            }
        },
    }
)

HARMLESS: Mapping[str, fa.AnyTool] = {
    "petstore, an apiKey in a header": PETSTORE,
    "Azure Functions, code in the query without a default": FUNCTIONS,
    "a code host, with examples of tokens": CODE_HOST,
    "API Management": MANAGED_API,
    "an authorization server": SIGN_IN,
    "headers": fa.Mcp("docs", SERVER, headers={"x-team": "support", "x-max-tokens": "4096", "x-commit": "9f2c1e7" * 5}),
    "a placeholder": fa.Mcp("docs", SERVER, headers={"x-api-key": "${{connections.docs.credentials.key}}"}),
    "a query": fa.Mcp("docs", f"{SERVER}?code=SE&lang=en&api-version=2025-06-01&token_limit=4096"),
    "names": fa.Mcp("api_key", SERVER, name="token-secret", allowed_tools=["create_token", "rotate_api_key"]),
    "filters": fa.FileSearch(
        vector_store_ids=["vs_68d1f2a3b4c59e8791a2"], filters={"type": "eq", "key": "T2", "value": "a9"}
    ),
    "prose": fa.WebSearch(description="Never put a password or an api key into a query; the token is in Key Vault."),
    "a connection": fa.AzureAISearch("api-keys-2", connection="search-key", filter="token eq 'abc'"),
    "settings by tool": fa.CodeInterpreter(tool_configs={"get_token": {"pin": True}, "*": {"max_tokens": 5}}),
    "an audience": fa.OpenApi("orders", TITLED, audience="api://72f988bf-86f1-41af-91ab-2d7cd011db47"),
    "a new type": fa.Tool.of(
        {"type": "new", "api_key_header": "x-api-key", "auth": {"token_url": "https://x.example/token"}}
    ),
}


@pytest.mark.parametrize("what", HARMLESS)
def test_tools_as_people_have_them_are_accepted(what: str) -> None:
    """Finding B5: documents of APIs are full of words about credentials."""
    assert _found(HARMLESS[what]) == {}


def test_a_header_of_a_credential_is_refused_before_its_value_is_known() -> None:
    unknown = object()
    report = Report(is_unknown=lambda value: value is unknown)
    payload = {
        "type": "mcp",
        "server_label": "docs",
        "server_url": SERVER,
        "headers": {"x-api-key": unknown, "x-a": unknown},
    }
    tools("tools", {"docs": payload}, report)
    assert [problem.path for problem in report.problems] == ["tools.docs.headers.x-api-key"]


def test_a_tool_whose_type_is_not_known_yet_is_judged() -> None:
    unknown = object()
    report = Report(is_unknown=lambda value: value is unknown)
    tools("tools", {"new": {"type": unknown, "api_key": CANARY}}, report)
    assert [problem.path for problem in report.problems] == ["tools.new.api_key"]


def test_a_large_document_takes_no_time() -> None:
    """A thousand operations: check and diff read the tools several times."""
    operation = _operation(description="Return orders. " * 20, parameters=[{"name": "a", "in": "query"}] * 5)["paths"][
        "/orders"
    ]
    spec = {"paths": {f"/orders/{number}": operation for number in range(1_000)}}
    started = time.process_time()
    assert _found(_api(spec)) == {}
    assert time.process_time() - started < 5

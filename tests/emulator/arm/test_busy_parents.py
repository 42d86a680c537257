"""Case 52: requests that Azure refuses for a moment after something below a parent was deleted."""

from __future__ import annotations

from tests.emulator.arm.azure import PROJECT, Azure

CONNECTION = f"{PROJECT}/connections/search"
BODY = {"properties": {"authType": "AAD", "category": "AzureBlob"}}


def _busy(azure: Azure) -> None:
    azure.project()
    azure.put(CONNECTION, BODY)
    azure.parent_busy = 2


def test_deleting_a_connection_conflicts_with_its_projects_etag_as_often_as_configured(azure: Azure) -> None:
    """The code and text are those of pulumi-azure-native#4693."""
    _busy(azure)
    assert [azure.code("DELETE", CONNECTION) for _ in range(2)] == [(409, "TransientError")] * 2
    assert azure.send("DELETE", CONNECTION)[0] == 200


def test_a_project_is_busy_after_one_of_its_connections_was_deleted(azure: Azure) -> None:
    """The code and text are those of terraform-provider-azurerm#32614."""
    _busy(azure)
    while azure.send("DELETE", CONNECTION)[0] != 200:
        pass
    assert [azure.code("DELETE", PROJECT) for _ in range(2)] == [(412, "IfMatchPreconditionFailed")] * 2
    assert azure.send("DELETE", PROJECT)[0] == 200


def test_deleting_a_project_deletes_its_connections_without_a_refusal(azure: Azure) -> None:
    """[modelled] Nothing published says whether Azure refuses it."""
    _busy(azure)
    assert azure.send("DELETE", PROJECT)[0] == 200
    assert azure.send("DELETE", CONNECTION)[0] == 204, "it went with its project"


def test_a_missing_resource_is_not_busy(azure: Azure) -> None:
    _busy(azure)
    assert azure.send("DELETE", f"{PROJECT}/connections/other")[0] == 204

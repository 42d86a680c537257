import pytest

from tests.emulator.api import Api

UNBUILT = [
    ("POST", "/agents", "agents.create"),
    ("POST", "/agents/support/versions:import", "agents.create_version_from_manifest"),
    ("GET", "/agents/support/code:download", "agents.download_code"),
    ("PUT", "/agents/support/endpoint/sessions/s/files/content", "agents.upload_session_file"),
    ("GET", "/agents/support/versions/1/sessions/s:logstream", "agents.get_session_log_stream"),
    ("POST", "/agents/support/endpoint/protocols/invocations", "invocations"),
    ("GET", "/agents/support/endpoint/protocols/openai/responses/r", "responses.retrieve"),
    ("POST", "/toolboxes/t/versions", "toolboxes.create_version"),
    ("GET", "/toolboxes", "toolboxes.list"),
    ("GET", "/connections", "connections.list"),
    ("POST", "/evaluations/runs", "this path and method"),
    ("PUT", "/agents/support", "this path and method"),
]


@pytest.mark.parametrize(("method", "path", "name"), UNBUILT)
def test_what_is_not_built_answers_501_and_names_the_operation(api: Api, method: str, path: str, name: str) -> None:
    answer = api.http.request(method, path)
    assert answer.status_code == 501
    assert answer.json()["error"]["code"] == "not_implemented"
    assert f"does not implement {name}" in answer.json()["error"]["message"]


def test_zips_and_drafts_answer_501_and_make_nothing(api: Api) -> None:
    zipped = api.http.post("/agents/support/versions", files={"code": ("a.zip", b"", "application/octet-stream")})
    draft = api.post("support", draft=True)
    code = {"runtime": "python_3_14", "entry_point": ["python", "main.py"], "dependency_resolution": "bundled"}
    coded = api.post("support", api.definition(container_configuration=None, code_configuration=code))
    assert [answer.status_code for answer in (zipped, draft, coded)] == [501, 501, 501]
    assert api.http.get("/agents/support").status_code == 404


def test_a_path_outside_of_every_plane_is_a_404(api: Api) -> None:
    assert api.http.get(f"{api.azure.data_plane}/nothing").status_code in {400, 404}

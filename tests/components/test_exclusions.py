"""What is left out of images and code packages, what stops a preview, and how a user says otherwise."""

from __future__ import annotations

import json
import os
import socket
import stat
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from foundry_agents.lifecycle.failure.errors import InputError
from foundry_agents.sources.build_context import BuildContext
from foundry_agents.sources.code_package import packed
from foundry_agents.sources.reading import ContextError
from foundry_emulator.registry import pack

Reader = Callable[[Path], set[str]]


def in_build(folder: Path) -> set[str]:
    return set(BuildContext.read(folder, None, limit_mb=1).files)


def in_code(folder: Path) -> set[str]:
    with packed(folder) as (archive, _):
        return set(zipfile.ZipFile(archive).namelist())


WAYS = pytest.mark.parametrize(("read", "ignore_file"), [(in_build, ".dockerignore"), (in_code, ".agentignore")])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "agent"
    write(root, "Dockerfile", "FROM scratch\n")
    write(root, "main.py", "print(1)\n")
    return root


def write(root: Path, name: str, text: str | bytes = "x") -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_bytes(text.encode() if isinstance(text, str) else text)


def refusal(read: Reader, folder: Path) -> str:
    with pytest.raises((ContextError, InputError)) as caught:
        read(folder)
    return str(caught.value)


LITTER = (
    *(".git/config", ".git", "lib/.git", ".hg/x", "__pycache__/a.pyc", "lib/__pycache__/a.pyc", ".venv/bin/python"),
    *("virtual/pyvenv.cfg", "virtual/lib/x.py", "node_modules/a/index.js", ".mypy_cache/x", ".ruff_cache/x"),
    *(".env", ".env.local", "lib/.env", ".envrc", ".azure/dev/.env", "state/.pulumi/stacks/a.json", ".terraform/x"),
    *(".DS_Store", "lib/.DS_Store", "._main.py", "Thumbs.db", ".idea/x.xml", ".vscode/settings.json", "main.py~"),
    *(".env-prod", ".env_local"),
    *(".main.py.swp", ".foundry-agents/contexts/ctx-0/main.py"),
)


@WAYS
@pytest.mark.parametrize("name", LITTER)
def test_what_machines_make_is_not_content(folder: Path, read: Reader, ignore_file: str, name: str) -> None:
    """Findings B1, B4, F3, F4 and security 12."""
    del ignore_file
    if name == "virtual/lib/x.py":
        write(folder, "virtual/pyvenv.cfg")
    write(folder, name)
    assert read(folder) == {"Dockerfile", "main.py"}


@WAYS
@pytest.mark.parametrize(
    "name", [".env.example", ".env.sample", ".gitignore", "environment", ".github/x.yml", "venv.py"]
)
def test_what_only_looks_alike_is_content(folder: Path, read: Reader, ignore_file: str, name: str) -> None:
    del ignore_file
    write(folder, name)
    assert name in read(folder)


@WAYS
def test_a_line_that_names_it_gets_it_back_and_a_wildcard_does_not(
    folder: Path, read: Reader, ignore_file: str
) -> None:
    write(folder, ".env", "MODE=demo")
    write(folder, "lib/.env.local", "MODE=demo")
    for rules, kept in (
        ("!*", set()),
        ("*\n!*", set()),
        ("!.env", {".env"}),
        ("!**/.env*", {".env", "lib/.env.local"}),
    ):
        write(folder, ignore_file, rules)
        assert read(folder) & {".env", "lib/.env.local"} == kept, rules


@WAYS
def test_a_list_of_what_is_wanted_brings_no_credential_back(folder: Path, read: Reader, ignore_file: str) -> None:
    """An exception counts for what is never content, or a credential, only if it holds what makes it one."""
    for name in (".env.json", "src/.env.prod.yaml", "._main.py", ".#main.py", ".ENV", ".Git/config"):
        write(folder, name)
    write(folder, ignore_file, "*\n!*/\n!**/*.py\n!**/*.json\n!**/*.yaml\n!Dockerfile\n!**/.*\n!**/*.p*")
    assert read(folder) == {"Dockerfile", "main.py"}
    write(folder, "account.json", json.dumps({"private_key": KEY}))
    assert "account.json looks like a credential" in refusal(read, folder)


def test_what_is_this_librarys_own_never_comes_back(folder: Path) -> None:
    """A file of the archived Dockerfile's name was built instead of it."""
    write(folder, ".foundry-agents.Dockerfile", "FROM evil")
    write(folder, ".dockerignore", "!.foundry-agents.Dockerfile\n!.foundry-agents*")
    assert in_build(folder) == {"Dockerfile", "main.py"}


@pytest.mark.parametrize("rules", ["!*\ntests", "!*\ntests/", "!*\n/tests", "!**\ntests"])
def test_a_folder_stays_out_of_a_package_after_a_line_that_takes_everything_back(folder: Path, rules: str) -> None:
    write(folder, "tests/data.txt")
    write(folder, "src/tests.txt")
    write(folder, ".agentignore", rules)
    assert in_code(folder) == {"Dockerfile", "main.py", "src/tests.txt"}


@pytest.mark.parametrize(
    ("rules", "kept"),
    [
        ("*\n!*/\n!*.py", {"main.py", "a/x.py", "a/b/y.py"}),
        ("a/\n!a/x.py", {"Dockerfile", "main.py"}),
        ("a/*\n!a/x.py", {"Dockerfile", "main.py", "a/x.py"}),
        ("b/", {"Dockerfile", "main.py", "a/x.py"}),
        ("*.py\n!a/", {"Dockerfile"}),
        ("x.py/", {"Dockerfile", "main.py", "a/x.py", "a/b/y.py"}),
    ],
)
def test_git_and_this_library_read_an_ignore_file_alike(folder: Path, rules: str, kept: set[str]) -> None:
    """Each answer is git's own."""
    write(folder, "a/x.py")
    write(folder, "a/b/y.py")
    write(folder, ".agentignore", rules)
    assert in_code(folder) == kept
    (folder / ".gitignore").write_text(rules, encoding="utf-8")
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    listed = ["git", "ls-files", "--others", "--exclude-standard"]
    done = subprocess.run(listed, cwd=folder, capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) - {".agentignore", ".gitignore"} == kept


def test_one_file_of_a_folder_that_is_left_out_comes_back_by_its_path(folder: Path) -> None:
    write(folder, ".venv/lib/wanted.txt")
    write(folder, ".venv/lib/other.txt")
    write(folder, ".dockerignore", "!.venv/lib/wanted.txt")
    assert in_build(folder) == {"Dockerfile", "main.py", ".venv/lib/wanted.txt"}


BODY = "MIIEowIBAAKCAQEAw7Zdfmece8iaB0kiTY8pCtiBtzbptJmP28nSWwtdjRu0f2GFpajvWE4VhfJAjEsOcwYzay7XGN0b+X84Bf"
KEY = f"-----BEGIN RSA PRIVATE KEY-----\n{BODY}\n-----END RSA PRIVATE KEY-----\n"
CREDENTIALS = (
    ("id_rsa", KEY, "an SSH private key"),
    ("keys/id_ed25519", KEY, "an SSH private key"),
    ("tls/server.pem", KEY, "a private key"),
    ("server.key", KEY, "a private key"),
    ("account.json", json.dumps({"private_key": KEY}), "a private key"),
    ("client.pfx", "x", "a certificate with its private key"),
    (".npmrc", "//registry.npmjs.org/:_authToken=npm_x", "a token of a package registry"),
    (".pypirc", "[pypi]\npassword = x", "a token of a package index"),
    ("pip.conf", "index-url = https://u:secret@example.org/simple", "a password of a package index"),
    ("NuGet.Config", '<add key="ClearTextPassword" value="x" />', "a password of a package feed"),
    (".netrc", "machine a login b password c", "passwords of hosts"),
    (".git-credentials", "https://u:p@example.org", "Git's stored passwords"),
    ("terraform.tfstate", "{}", "Terraform's state"),
    ("infra/terraform.tfstate.backup", "{}", "Terraform's state"),
    (".kube/config", "x", "a login to a Kubernetes cluster"),
    (".aws/credentials", "x", "keys of AWS"),
    (".docker/config.json", '{"auths": {"a": {"auth": "eA=="}}}', "logins to registries"),
    ("msal_token_cache.json", "{}", "cached tokens of Azure"),
    ("id_rsa.bak", KEY, "an SSH private key"),
    ("id_rsa_work", KEY, "an SSH private key"),
    ("deploy-key", KEY, "a private key"),
    ("server.key.1", KEY, "a private key"),
    ("host.key.orig", KEY, "a private key"),
    ("prod.env", "MODE=demo\nexport DB_PASSWORD='hunter2hunter2'\n", "settings with a credential"),
    (".config/gh/hosts.yml", "github.com:\n    oauth_token: gho_x\n", "a token of GitHub"),
    ("server.key.txt", KEY, "a private key"),
    ("deploy_key", KEY, "a private key"),
    ("requirements-dev.txt", "--index-url https://u:secret@example.org/simple", "a password of a package index"),
    (".docker/config.json", '{"auths": {"a": {"identitytoken": "x"}}}', "logins to registries"),
    ("local.settings.json", '{"Values": {"OPENAI_API_KEY": "x"}}', "keys of Azure Functions"),
    ("local.settings.json", '{"Values": {"X": "AccountName=a;AccountKey=b"}}', "keys of Azure Functions"),
)


@WAYS
@pytest.mark.parametrize(("name", "text", "what"), CREDENTIALS)
def test_a_credential_stops_the_preview_unless_a_line_excludes_or_names_it(  # noqa: PLR0917 (parameters)
    folder: Path, read: Reader, ignore_file: str, name: str, text: str, what: str
) -> None:
    """Finding security 12: by path and reason, with both ways out; both work."""
    write(folder, name, text)
    said = refusal(read, folder)
    assert f"{name} looks like a credential ({what}" in said
    assert f"exclude it in {ignore_file}, or write !{name} there if it is meant" in said
    write(folder, ignore_file, name)
    assert name not in read(folder)
    write(folder, ignore_file, f"!{name}")
    assert name in read(folder)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("ca.pem", "-----BEGIN CERTIFICATE-----\nMII\n"),
        (".npmrc", "//registry.npmjs.org/:_authToken=${NPM_TOKEN}"),
        ("pip.conf", "index-url = https://pypi.org/simple"),
        ("config.json", '{"auths": {}}'),
        ("docs.json", '{"text": "-----BEGIN RSA PRIVATE KEY----- <body>"}'),
        ("requirements.txt", "uvicorn==0.30"),
        ("key.py", KEY),
        ("data.json", "{}"),
        ("id_rsa.pub", "ssh-rsa AAAA"),
        ("id_rsa_work.pub", "ssh-rsa AAAA"),
        ("prod.env", "MODE=demo\nAPI_TOKEN=${API_TOKEN}\nDB_PASSWORD=\nMAX_TOKENS=100000\nKEY=<yours>\n"),
        ("local.settings.json", '{"Values": {"MODE": "demo"}}'),
    ],
)
def test_what_holds_no_credential_is_content(folder: Path, name: str, text: str) -> None:
    write(folder, name, text)
    assert name in in_build(folder)


# --- Files as machines have them --------------------------------------------------------------------------------------


@WAYS
def test_pipes_sockets_and_names_in_other_encodings_are_named_all_at_once(
    folder: Path, read: Reader, ignore_file: str
) -> None:
    """Finding B2: one sentence each, in the preview; no hang and no traceback."""
    os.mkfifo(folder / "debug")
    (folder / "lib").mkdir()
    os.mkfifo(folder / "lib" / "pipe")
    write(folder, os.fsdecode(b"gr\xfcezi.txt"))
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(folder / "s"))
        said = refusal(read, folder)
    assert f"debug is a named pipe; exclude it in {ignore_file}" in said
    assert f"lib/pipe is a named pipe; exclude it in {ignore_file}" in said
    assert f"s is a socket; exclude it in {ignore_file}" in said
    assert "gr\\xfcezi.txt has a name that is not UTF-8: rename it" in said
    assert "4 problems" in said


@WAYS
def test_what_is_excluded_is_not_looked_at(folder: Path, read: Reader, ignore_file: str) -> None:
    os.mkfifo(folder / "debug")
    write(folder, ignore_file, "debug")
    assert read(folder) == {"Dockerfile", "main.py"}


def test_a_device_is_refused_in_words(folder: Path) -> None:
    """Finding B2; only root can make one."""
    try:
        os.mknod(folder / "null", 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    except PermissionError:
        os.mkfifo(folder / "null")
    assert "null is a" in refusal(in_build, folder)


def test_a_folder_that_may_not_be_read_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Finding B2: it was left out silently. Root may read everything, so the system's answer is replaced here."""
    (folder / "closed").mkdir()
    scandir = os.scandir

    def closed(path: str) -> object:
        if path.endswith("closed"):
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", closed)
    assert "closed can't be read: Permission denied" in refusal(in_build, folder)
    write(folder, ".dockerignore", "closed")
    assert in_build(folder) == {"Dockerfile", "main.py"}, "what is excluded is not looked at"
    for rules in ("*\n!main.py\n!Dockerfile", "*\n!/main.py\n!Dockerfile\n!./src/a.py", "closed\n!closer/*"):
        write(folder, ".dockerignore", rules)
        assert in_build(folder) == {"Dockerfile", "main.py"}, "no exception is about anything in it"
    for rules in ("*\n!closed/keep", "closed\n!*/keep", "closed\n!**/keep"):
        write(folder, ".dockerignore", rules)
        assert "closed can't be read: Permission denied" in refusal(in_build, folder), rules


def test_links_to_themselves_are_links_in_an_image_and_refused_in_a_package(folder: Path) -> None:
    """Finding B2: it was a raw RuntimeError."""
    (folder / "loop").symlink_to("loop")
    assert "loop" in in_build(folder)
    assert "loop is a link to nothing, or to itself: remove it, or exclude it in .agentignore" in refusal(
        in_code, folder
    )


def test_a_link_does_not_take_along_what_is_left_out(folder: Path) -> None:
    write(folder, ".env", "KEY=1")
    (folder / "settings").symlink_to(".env")
    assert "settings is a link to .env, which is not packed" in refusal(in_code, folder)


@WAYS
@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ("gr\u00fcezi\n".encode("latin-1"), "line 1: it is not in UTF-8; save the file as UTF-8"),
        ("# ok\ndata\n".encode("utf-16"), "line 1: it is not in UTF-8; save the file as UTF-8"),
        ("data\n".encode("utf-16-le"), "is not a text in UTF-8"),
    ],
)
def test_an_ignore_file_in_another_encoding_is_refused_by_line(
    folder: Path, read: Reader, ignore_file: str, raw: bytes, said: str
) -> None:
    """Findings B2 and K5."""
    write(folder, ignore_file, raw)
    assert f"{ignore_file}" in refusal(read, folder)
    assert said in refusal(read, folder)


@WAYS
def test_a_bom_does_not_hide_the_first_line(folder: Path, read: Reader, ignore_file: str) -> None:
    """Finding B3: the file that line 1 excludes was uploaded."""
    write(folder, "secret.txt")
    write(folder, ignore_file, b"\xef\xbb\xbfsecret.txt\r\n")
    assert "secret.txt" not in read(folder)


@pytest.mark.parametrize("pattern", ["[a", "data/[", "!", "x[]"])
def test_a_pattern_that_buildkit_refuses_is_refused_with_its_line(folder: Path, pattern: str) -> None:
    """Finding A6: it excluded nothing."""
    write(folder, ".dockerignore", f"data\n{pattern}\n")
    assert ".dockerignore, line 2: " in refusal(in_build, folder)


def test_an_ignore_file_that_is_a_folder_or_pipe_is_refused(folder: Path) -> None:
    os.mkfifo(folder / ".dockerignore")
    assert ".dockerignore is not a file" in refusal(in_build, folder)


def test_the_local_azure_packs_by_the_same_rules(folder: Path) -> None:
    """Finding security 12: its packer took `.env` along."""
    plain = pack(folder).digest
    write(folder, ".env")
    write(folder, "lib/__pycache__/x.pyc")
    assert pack(folder).digest == plain
    write(folder, "id_rsa")
    with pytest.raises(ValueError, match="id_rsa looks like a credential"):
        pack(folder)

"""What a plugin process finds out about its run: the engine's command line, and the notes of other processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from foundry_agents.lifecycle.ownership import Answer
from foundry_agents.resources._plugin import engine_process, notes, run_record
from foundry_agents.resources._plugin.engine_process import Command, Engine, Neighbour, command_of, home_in

ADDRESS = "127.0.0.1:4711"
ENDPOINT = "https://acme.services.ai.azure.com/api/projects/p"
AGENT: Mapping[str, object] = {"project_endpoint": ENDPOINT, "agent_name": "support"}
OURS = frozenset({"guid:1"})
HOLDS = "import sys; f = open(sys.argv[1], 'a'); print('open', flush=True); sys.stdin.read()"


@pytest.mark.parametrize(
    ("line", "verb", "limited"),
    [
        ("up", "up", ""),
        ("up --yes --skip-preview --stack dev", "up", ""),
        ("update -y -f", "up", ""),
        ("--cwd destroy up", "up", ""),
        ("-C destroy -s down up --yes", "up", ""),
        ("up --message destroy", "up", ""),
        ("up -m destroy -yf", "up", ""),
        ("destroy --yes", "destroy", ""),
        ("--non-interactive down", "destroy", ""),
        ("dn", "destroy", ""),
        ("destroy --run-program", "destroy", ""),
        ("up --target urn:a", "up", "--target"),
        ("up --target=urn:a", "up", "--target"),
        ("up -t urn:a", "up", "--target"),
        ("up -yturn:a", "up", "--target"),
        ("up -fyt urn:a --target-dependents", "up", "--target"),
        ("up --target-replace urn:a", "up", "--target-replace"),
        ("up --exclude urn:a", "up", "--exclude"),
        ("destroy -x urn:a", "destroy", "--exclude"),
        ("destroy --exclude-protected", "destroy", "--exclude-protected"),
        ("destroy --exclude-protected=false", "destroy", ""),
        ("up -stest", "up", ""),
        ("up -ptest", "up", ""),
        ("preview", "", ""),
        ("refresh --yes", "", ""),
        ("up destroy", "", ""),
        ("", "", ""),
    ],
)
def test_the_engines_command_line_says_what_a_run_does_and_what_limits_it(line: str, verb: str, limited: str) -> None:
    """Case 85."""
    assert command_of(line.split(), {}) == Command(verb, limited)


@pytest.mark.parametrize("name", ["PULUMI_OPTION_TARGET", "PULUMI_OPTION_EXCLUDE", "PULUMI_OPTION_EXCLUDE_PROTECTED"])
def test_variables_that_stand_for_options_limit_a_run_too(name: str) -> None:
    """Case 85: Pulumi takes every option from the environment as well."""
    assert command_of(["up"], {name: "urn:a"}).limited == name
    assert command_of(["up"], {name: "false"}).limited == ""


@pytest.mark.parametrize("line", ["up --replace urn:a", "up --replace=urn:a"])
def test_a_forced_replacement_is_seen_and_limits_nothing(line: str) -> None:
    assert command_of(line.split(), {}) == Command("up", "", forced=True)
    assert command_of(["up"], {"PULUMI_OPTION_REPLACE": "urn:a"}).forced


def test_the_engine_is_found_among_the_processes_above(tmp_path: Path) -> None:
    """What has started the launcher of plugins, whatever it is called; its options count in any case."""
    script = tmp_path / "ask.py"
    script.write_text(
        "import json, sys\n"
        "from foundry_agents.resources._plugin.engine_process import engine\n"
        "seen = engine()\n"
        "print(json.dumps([seen.command.verb, seen.command.limited, seen.unseen]))\n"
    )
    launcher = tmp_path / "pulumi-resource-pulumi-python"
    launcher.write_text(f"#!/bin/sh\n{sys.executable} {script}\n:\n")
    launcher.chmod(0o755)
    code = f"import subprocess; subprocess.run(['{launcher}'])"

    def asked(name: str, *arguments: str, **variables: str) -> list[str]:
        ran = subprocess.run(
            [name, "-c", code, *arguments],
            executable=sys.executable,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **variables},
            capture_output=True,
            text=True,
            check=True,
        )
        return list(json.loads(ran.stdout))

    assert asked("pulumi", "destroy", "--target", "urn:a") == ["destroy", "--target", ""]
    assert asked("p", "up", "--yes", FOUNDRY_AGENTS_RUN="destroy") == ["up", "", ""]
    assert asked("built-in") == ["", "", "its command line names neither"]
    assert asked("built-in", FOUNDRY_AGENTS_RUN="up") == ["up", "", ""]
    assert asked("built-in", "--target", "urn:a", FOUNDRY_AGENTS_RUN="up") == ["up", "--target", ""]
    assert asked("built-in", FOUNDRY_AGENTS_RUN="up", PULUMI_OPTION_TARGET="urn:a")[1] == "PULUMI_OPTION_TARGET"


def test_without_any_engine_above_the_variable_says_what_the_run_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_process, "_above", lambda _ancestors: None)
    monkeypatch.delenv("FOUNDRY_AGENTS_RUN", raising=False)
    seen = engine_process.engine()
    assert (seen.command.verb, seen.unseen, seen.seen) == ("", "no process of `pulumi` is above this one", False)
    monkeypatch.setenv("FOUNDRY_AGENTS_RUN", "destroy")
    assert engine_process.engine() == Engine(Command("destroy"), seen=False)


# --- Notes -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Pulumi home, and a process of a run: this one."""
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path))
    monkeypatch.setattr(sys, "argv", ["pulumi.dynamic", ADDRESS])
    monkeypatch.setattr(run_record, "_memory", run_record.Memory())
    return tmp_path / "foundry-agents"


def run_beside(monkeypatch: pytest.MonkeyPatch, *neighbours: Neighbour, verb: str = "up") -> None:
    monkeypatch.setattr(engine_process, "engine", lambda: Engine(Command(verb), neighbours))


def another(monkeypatch: pytest.MonkeyPatch) -> Neighbour:
    """Another plugin process of the run, with the same environment: the parent of this one, which surely runs."""
    del monkeypatch
    return Neighbour(os.getppid(), home_in(os.environ))


def answer_in_this_run() -> tuple[Answer, str]:
    decided = run_record.claim(AGENT, OURS, "").on(OURS)
    return decided.answer, decided.reason


def test_without_another_process_no_file_is_needed(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Case 88."""
    home.write_text("a file where the folder should be")
    run_record.begin()
    run_beside(monkeypatch)
    assert answer_in_this_run()[0] is Answer.GOES


def test_what_another_process_declares_lives(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cases 87 and 88: a resource that has moved to another instance of the provider."""
    run_record.begin()
    run_beside(monkeypatch, another(monkeypatch))
    notes = home / f"run-{os.getppid()}.jsonl"
    notes.write_text(
        f'["{ADDRESS}"]\n["live", "urn:b", "https://127.0.0.1/api/projects/p", "agent", "support", "", "guid:1"]\n'
    )
    notes.chmod(0o600)
    assert answer_in_this_run()[0] is Answer.LIVES


def test_a_process_whose_file_was_deleted_may_declare_anything(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Case 88: by a run in another container that has the same home, which does not see the process."""
    run_record.begin()
    with subprocess.Popen(
        [sys.executable, "-c", HOLDS, str(home / "run-1.jsonl")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as beside:
        assert beside.stdout is not None
        beside.stdout.readline()
        (home / "run-1.jsonl").unlink()
        run_beside(monkeypatch, Neighbour(beside.pid, home_in(os.environ)))
        assert answer_in_this_run()[0] is Answer.STAYS
        beside.communicate()


def test_a_folder_that_becomes_a_link_while_the_run_goes_on_is_not_read(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Case 88."""
    run_record.begin()
    run_beside(monkeypatch, another(monkeypatch))
    home.rename(home.parent / "moved")
    home.symlink_to(home.parent / "moved")
    assert answer_in_this_run()[0] is Answer.STAYS


def test_a_process_that_has_not_been_asked_anything_declares_nothing(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_record.begin()
    run_beside(monkeypatch, another(monkeypatch))
    assert home.stat().st_mode & 0o777 == 0o700
    assert answer_in_this_run()[0] is Answer.GOES


def _of_another_run(home: Path) -> None:
    (home / f"run-{os.getppid()}.jsonl").write_text('["127.0.0.1:1"]\n')


def _cut_off(home: Path) -> None:
    (home / f"run-{os.getppid()}.jsonl").write_text(f'["{ADDRESS}"]\n["decl')


def _a_link(home: Path) -> None:
    (home.parent / "elsewhere").write_text(f'["{ADDRESS}"]\n')
    (home / f"run-{os.getppid()}.jsonl").symlink_to(home.parent / "elsewhere")


def _writable_for_others(home: Path) -> None:
    (home / f"run-{os.getppid()}.jsonl").write_text(f'["{ADDRESS}"]\n')
    (home / f"run-{os.getppid()}.jsonl").chmod(0o666)


def _folder_for_others(home: Path) -> None:
    (home / f"run-{os.getppid()}.jsonl").write_text(f'["{ADDRESS}"]\n')
    home.chmod(0o777)


@pytest.mark.parametrize("lay", [_of_another_run, _cut_off, _a_link, _writable_for_others, _folder_for_others])
def test_notes_that_cant_be_trusted_keep_everything(home: Path, monkeypatch: pytest.MonkeyPatch, lay: object) -> None:
    """Case 88, security 1: a fact that authorises a delete has to be there."""
    assert callable(lay)
    run_record.begin()
    lay(home)
    run_beside(monkeypatch, another(monkeypatch))
    answer, reason = answer_in_this_run()
    assert answer is Answer.STAYS
    assert "another instance of the provider may declare it" in reason


def test_a_process_that_keeps_its_notes_elsewhere_may_declare_anything(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_record.begin()
    assert home.is_dir()
    run_beside(monkeypatch, Neighbour(os.getppid(), {"PULUMI_HOME": "/elsewhere"}))
    assert answer_in_this_run()[0] is Answer.STAYS
    run_beside(monkeypatch, Neighbour(os.getppid(), None))
    assert answer_in_this_run()[0] is Answer.STAYS


@pytest.mark.parametrize("laid", ["link", "file", "foreign"])
def test_a_folder_that_is_not_this_users_own_is_not_used_and_nothing_in_it_is_touched(
    home: Path, monkeypatch: pytest.MonkeyPatch, laid: str
) -> None:
    """Case 88, security 2: a link into a folder with precious files."""
    precious = home.parent / "precious"
    precious.mkdir()
    names = ["thesis.txt", "id_rsa.pem", ".bashrc", "a.b.c", "run.12", "run-1.jsonl", "Makefile"]
    for name in names:
        (precious / name).write_text(name)
    if laid == "link":
        home.symlink_to(precious)
    elif laid == "file":
        home.write_text("")
    else:
        home.mkdir()
        if os.getuid() != 0:
            pytest.skip("only root can give a folder to another user") if not os.environ.get("CI") else pytest.fail(
                "CI runs as root"
            )
        os.chown(home, 65534, 65534)
    run_record.begin()
    run_record.declare({**AGENT}, "Version", "urn:a")
    run_beside(monkeypatch, another(monkeypatch))
    other = {**AGENT, "agent_name": "other"}
    assert run_record.claim(other, OURS, "").on(OURS).answer is Answer.STAYS
    assert sorted(path.name for path in precious.iterdir()) == sorted(names)
    assert laid != "foreign" or list(home.iterdir()) == []


def test_files_of_processes_that_were_killed_go_and_no_other_file_does(home: Path) -> None:
    """Security 2."""
    home.mkdir(mode=0o700)
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    left, running = home / f"run-{ended.pid}.jsonl", home / f"run-{os.getppid()}.jsonl"
    mine, folder = home / "thesis.txt", home / f"run-{ended.pid}.jsonl.d"
    recent = home / "run-4194303.jsonl"
    for path in (left, running, mine, recent):
        path.write_text("")
    for path in (left, running, mine):
        os.utime(path, (0, 0))
    folder.mkdir()
    run_record.begin()
    assert not left.exists()
    assert running.exists()
    assert recent.exists(), "it may be of a process in another container"
    assert mine.exists()
    assert folder.is_dir()
    assert (home / f"run-{os.getpid()}.jsonl").stat().st_mode & 0o777 == 0o600


def test_outside_a_run_no_file_is_made(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["pytest"])
    run_record.begin()
    assert not home.exists()
    assert notes.address() == ""


def test_an_agent_of_the_same_name_whose_identity_is_not_known_yet_keeps_it(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Case 84: with `--continue-on-error` the create under another host name may have failed."""
    del home
    run_beside(monkeypatch)
    second = {**AGENT, "project_endpoint": "https://127.0.0.1/api/projects/p"}
    run_record.declare(second, "Version", "urn:pulumi:s::p::t:HostedAgentVersion::second")
    answer, reason = answer_in_this_run()
    assert answer is Answer.STAYS
    assert reason.startswith('"second" (HostedAgentVersion) may be the same')
    run_record.record_live(second, "urn:pulumi:s::p::t:HostedAgentVersion::second", "support:1", frozenset({"guid:2"}))
    assert answer_in_this_run()[0] is Answer.GOES


def test_capitals_make_two_agents_only_where_the_service_says_so(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    del home
    run_beside(monkeypatch)
    written = {**AGENT, "agent_name": "Support"}
    urn = "t:HostedAgentVersion::support"
    run_record.declare(written, "Version", urn)
    assert answer_in_this_run()[0] is Answer.STAYS
    run_record.record_live(written, urn, "Support:1", OURS)
    assert answer_in_this_run()[0] is Answer.LIVES
    run_record.record_live(written, urn, "Support:1", frozenset({"guid:2"}))
    assert answer_in_this_run()[0] is Answer.GOES
    assert run_record.declare(AGENT, "Version", "t:HostedAgentVersion::second") == urn


def test_what_a_tainted_resource_stood_for_under_another_name_stays(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Case 87: a component that was renamed with an alias, and then `pulumi state taint`: no state is seen."""
    del home
    run_beside(monkeypatch)
    urn, renamed = "t:HostedAgentVersion::helper", {**AGENT, "agent_name": "helper"}
    run_record.keep(urn, chosen=["owner", "agent_name"])
    run_record.declare(renamed, "Version", urn)
    run_record.record_live(renamed, urn, "helper:1", frozenset({"guid:2"}))
    decided = run_record.claim(AGENT, OURS, urn).on(OURS)
    assert decided.answer is Answer.STAYS
    assert 'give it agent_name="support"' in decided.reason
    assert run_record.claim(AGENT, OURS, "t:HostedAgentVersion::another").on(OURS).answer is Answer.GOES

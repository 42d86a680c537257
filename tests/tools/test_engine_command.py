"""``python3 tools/engine`` as a person or a Makefile runs it: a process of its own, on a bare Python."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.engine.package import ENGINE

from .conftest import Bench

REPOSITORY = Path(__file__).parents[2]
TIMEOUT_S = 60


@contextlib.contextmanager
def started(bench: Bench, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    # -S and -E: a Python without site-packages, as it is before anything is installed.
    with subprocess.Popen(
        [sys.executable, "-SE", "tools/engine", *arguments, "--releases", bench.releases],
        cwd=REPOSITORY,
        env=bench.environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:  # a test that fails must not wait for a build that is held
                os.killpg(process.pid, signal.SIGKILL)


def run(bench: Bench, *arguments: str) -> tuple[int, str, str]:
    with started(bench, *arguments) as process:
        out, err = process.communicate(timeout=TIMEOUT_S)
    return process.returncode, out, err


def wait_for(marker: Path, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while not marker.exists():
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=0.02)
            pytest.fail(f"it ended early: {process.communicate()}")
        assert time.monotonic() < deadline, "the build never began"


def test_stdout_is_the_folder_to_put_on_path_and_nothing_else(bench: Bench) -> None:
    bench.put_go()
    code, out, err = run(bench)
    folder = Path(out.removesuffix("\n"))
    assert (code, folder.is_absolute(), (folder / "pulumi").is_file()) == (0, True, True)
    assert all(line.startswith("engine: ") for line in err.splitlines())
    assert run(bench, "ensure")[:2] == (0, out)


def test_where_prints_the_same_folder_but_gets_nothing_and_ends_with_1_when_there_is_none(bench: Bench) -> None:
    bench.put_go()
    code, out, err = run(bench, "where")
    assert (code, out, bench.go_calls()) == (1, "", [])
    assert "run `python3 tools/engine ensure`" in err
    got = run(bench)[1]
    assert run(bench, "where")[:2] == (0, got)


def test_when_no_source_has_it_it_ends_with_1_and_a_text_not_a_traceback(bench: Bench) -> None:
    code, out, err = run(bench)
    assert (code, out) == (1, "")
    assert "could not get pulumi" in err
    assert "Traceback" not in err


def test_a_plugin_that_comes_with_the_engine_adds_no_second_folder(bench: Bench) -> None:
    folder = bench.put_pulumi("3.259.0")
    assert run(bench, "ensure", "--plugin", "language-python")[:2] == (0, f"{folder}\n")


def test_an_unknown_plugin_is_refused_with_the_list_of_known_ones(bench: Bench) -> None:
    code, out, err = run(bench, "ensure", "--plugin", "podman")
    assert (code, out) == (2, "")
    assert re.search(
        r"invalid choice: 'podman' \(choose from '?buildkitd'?, '?docker-build'?, '?language-python'?\)", err
    )


def test_a_cache_that_cannot_be_written_is_named_with_the_variable_that_moves_it(bench: Bench) -> None:
    bench.put_go()
    bench.cache.write_text("a file where a folder should be")
    code, _, err = run(bench)
    assert code == 1
    assert f"the cache folder {bench.cache}/engine cannot be used: Not a directory" in err
    assert "Set FOUNDRY_AGENTS_CACHE" in err
    assert "Traceback" not in err


def test_two_at_once_build_once_and_the_second_says_that_it_waits(bench: Bench) -> None:
    bench.put_go()
    holding = bench.hold_go()
    with started(bench) as first:
        wait_for(holding, first)
        with started(bench) as second:
            assert second.stderr is not None
            assert any("another process is getting the same; waiting" in line for line in second.stderr)
            bench.release_go()
            out, _ = first.communicate(timeout=TIMEOUT_S)
            assert (second.communicate(timeout=TIMEOUT_S)[0], second.returncode, first.returncode) == (out, 0, 0)
    assert len(bench.go_calls()) == len(ENGINE.programs)


def test_a_build_killed_in_the_middle_is_never_used_and_the_next_run_cleans_up(bench: Bench) -> None:
    bench.put_go()
    holding = bench.hold_go()
    with started(bench) as killed:
        wait_for(holding, killed)
        os.killpg(killed.pid, signal.SIGKILL)
        killed.communicate(timeout=TIMEOUT_S)
    assert [name for name in bench.left_in_cache() if ".part-" in name] != []
    assert run(bench, "where")[0] == 1
    (bench.folder / "hold").unlink()
    code, out, err = run(bench)
    assert code == 0
    assert "removing what an earlier run left unfinished" in err
    assert bench.left_in_cache() == [Path(out.strip()).parent.name]


@pytest.fixture
def _ctrl_c_is_received() -> Iterator[None]:
    """A run in the background ignores SIGINT, and its children inherit that; here it is as in a terminal."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("_ctrl_c_is_received")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_ctrl_c_and_sigterm_leave_no_incomplete_file(bench: Bench, number: signal.Signals, code: int) -> None:
    bench.put_go()
    holding = bench.hold_go()
    with started(bench) as stopped:
        wait_for(holding, stopped)
        stopped.send_signal(number)
        _, err = stopped.communicate(timeout=TIMEOUT_S)
    assert (stopped.returncode, bench.left_in_cache()) == (code, [])
    assert "Traceback" not in err

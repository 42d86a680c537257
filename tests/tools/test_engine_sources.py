"""Which source tools/engine uses, and what it reports about the others; in one process, with fake programs."""

import dataclasses
import errno
import re
from importlib import metadata
from pathlib import Path

import pytest

import offline_engine
from offline_engine import MODULES, PROGRAMS
from tools.engine.errors import NoEngine
from tools.engine.get import ensure, where
from tools.engine.machine import cache_folder
from tools.engine.offline import fingerprint
from tools.engine.package import BUILDKIT, DOCKER_BUILD, ENGINE, Package

from .conftest import ARCHIVE, CHECKSUMS, Bench, ReleaseServer, release_archive

# ---- PATH


def test_a_suitable_pulumi_on_path_is_used_as_it_is(bench: Bench, release_server: ReleaseServer) -> None:
    bench.put_go()
    folder = bench.put_pulumi("3.254.0")
    assert ensure(ENGINE, bench.machine(releases=release_server.url)) == folder
    assert (bench.go_calls(), release_server.asked, bench.left_in_cache()) == ([], [], [])


def test_the_language_host_may_be_elsewhere_on_path(bench: Bench) -> None:
    folder = bench.put_pulumi("3.300.1", folder="other", language_host=False)
    bench.put_pulumi("3.300.1")
    (bench.bin / "pulumi").unlink()
    machine = dataclasses.replace(bench.machine(), environ={"PATH": f"{folder}:{bench.bin}"})
    assert ensure(ENGINE, machine) == folder


@pytest.mark.parametrize("version", ["3.253.9", "2.300.0", "something"])
def test_a_pulumi_on_path_that_is_too_old_is_not_used_and_that_is_reported(bench: Bench, version: str) -> None:
    bench.put_go()
    folder = bench.put_pulumi(version)
    assert ensure(ENGINE, bench.machine()) != folder
    assert f"{folder / 'pulumi'} is {version}; 3.254 or later is needed" in bench.reported


def test_a_pulumi_on_path_without_its_python_language_host_is_not_used(bench: Bench) -> None:
    bench.put_go()
    folder = bench.put_pulumi("3.259.0", language_host=False)
    assert ensure(ENGINE, bench.machine()) != folder
    assert "has no pulumi-language-python beside it or on PATH" in bench.reported


def test_a_pulumi_on_path_that_does_not_run_is_not_used(bench: Bench) -> None:
    bench.put_go()
    program = bench.put_pulumi("3.259.0") / "pulumi"
    program.write_text("#!/bin/sh\nexit 3\n")
    assert ensure(ENGINE, bench.machine()) != program.parent
    assert f"`{program} version` does not work" in bench.reported


# ---- the cache


def test_the_second_time_it_comes_from_the_cache_and_nothing_is_built_or_downloaded(
    bench: Bench, release_server: ReleaseServer
) -> None:
    bench.put_go()
    first = ensure(ENGINE, bench.machine())
    built = len(bench.go_calls())
    assert ensure(ENGINE, bench.machine(releases=release_server.url)) == first
    assert (len(bench.go_calls()), release_server.asked) == (built, [])
    assert "from the cache (build from Go modules)" in bench.reported


def test_where_gets_nothing(bench: Bench) -> None:
    bench.put_go()
    assert where(ENGINE, bench.machine()) is None
    assert (bench.go_calls(), bench.cache.exists()) == ([], False)
    got = ensure(ENGINE, bench.machine())
    assert where(ENGINE, bench.machine()) == got


def test_a_cached_folder_that_lacks_a_file_is_filled_again(bench: Bench) -> None:
    bench.put_go()
    folder = ensure(ENGINE, bench.machine())
    (folder / "pulumi-resource-pulumi-python").unlink()
    assert ensure(ENGINE, bench.machine()) == folder
    assert (folder / "pulumi-resource-pulumi-python").is_file()


def test_the_folder_is_named_after_version_platform_and_build(bench: Bench) -> None:
    bench.put_go()
    folder = ensure(ENGINE, bench.machine()).parent
    assert folder.parent == bench.cache / "engine"
    assert folder.name == f"{ENGINE.version}-linux-x64-{fingerprint(ENGINE)}"


def test_a_changed_build_gets_a_folder_of_its_own() -> None:
    first, *others = PROGRAMS["pulumi"]
    changed = dataclasses.replace(first, build=dataclasses.replace(first.build, ldflags="-w"))
    slower = dataclasses.replace(first, takes="a day")
    assert offline_engine.fingerprint([changed, *others]) != fingerprint(ENGINE)
    assert offline_engine.fingerprint([slower, *others]) == fingerprint(ENGINE)


@pytest.mark.parametrize(
    ("environ", "folder"),
    [
        ({"HOME": "/h"}, "/h/.cache/foundry-agents"),
        ({"HOME": "/h", "XDG_CACHE_HOME": "/x"}, "/x/foundry-agents"),
        ({"HOME": "/h", "XDG_CACHE_HOME": "relative"}, "/h/.cache/foundry-agents"),
        ({"HOME": "/h", "XDG_CACHE_HOME": "/x", "FOUNDRY_AGENTS_CACHE": "/own"}, "/own"),
    ],
)
def test_the_cache_is_where_the_environment_says(environ: dict[str, str], folder: str) -> None:
    assert cache_folder(environ) == Path(folder)


# ---- the official release


def test_a_release_with_the_published_checksum_is_used_before_anything_is_built(
    bench: Bench, release_server: ReleaseServer
) -> None:
    bench.put_go()
    release_server.publish(release_archive())
    folder = ensure(ENGINE, bench.machine(releases=f"{release_server.url}/"))
    assert sorted(file.name for file in folder.iterdir()) == sorted((*ENGINE.programs, *ENGINE.files))
    assert all(file.stat().st_mode & 0o777 == 0o755 for file in folder.iterdir())
    assert release_server.asked == [CHECKSUMS, ARCHIVE]
    assert bench.go_calls() == []
    assert (folder.parent / "origin").read_text() == "official release"


def test_a_release_with_another_checksum_is_reported_deleted_and_not_used(
    bench: Bench, release_server: ReleaseServer
) -> None:
    bench.put_go()
    release_server.publish(release_archive(), digest="0" * 64)
    folder = ensure(ENGINE, bench.machine(releases=release_server.url))
    assert f"but {'0' * 64} was published; the file was deleted" in bench.reported
    assert (folder.parent / "origin").read_text() == "build from Go modules"
    assert bench.left_in_cache() == [folder.parent.name]


def test_a_release_that_breaks_off_is_reported_as_cut_off(bench: Bench, release_server: ReleaseServer) -> None:
    archive = release_archive()
    release_server.publish(archive)
    release_server.cut = ARCHIVE
    with pytest.raises(NoEngine, match=f"cut off after {len(archive) // 2} of {len(archive)} bytes"):
        ensure(ENGINE, bench.machine(releases=release_server.url))
    assert bench.left_in_cache() == []


def test_a_release_of_another_version_is_not_used(bench: Bench, release_server: ReleaseServer) -> None:
    release_server.publish(release_archive("3.258.0"))
    with pytest.raises(NoEngine, match=re.escape("it has pulumi 3.258.0 instead of 3.259.0")):
        ensure(ENGINE, bench.machine(releases=release_server.url))
    assert bench.left_in_cache() == []


def test_a_release_that_lacks_a_program_is_not_used(bench: Bench, release_server: ReleaseServer) -> None:
    release_server.publish(release_archive(without="pulumi-language-python"))
    with pytest.raises(NoEngine, match="it has no pulumi-language-python"):
        ensure(ENGINE, bench.machine(releases=release_server.url))
    assert bench.left_in_cache() == []


def test_a_published_list_without_this_platform_is_named(bench: Bench, release_server: ReleaseServer) -> None:
    release_server.files[CHECKSUMS] = b"0  something-else.tar.gz\n"
    with pytest.raises(NoEngine, match=f"lists no checksum for {ARCHIVE}"):
        ensure(ENGINE, bench.machine(releases=release_server.url))
    assert release_server.asked == [CHECKSUMS]


def test_a_release_that_is_not_there_is_named_with_the_response_of_the_server(
    bench: Bench, release_server: ReleaseServer
) -> None:
    with pytest.raises(NoEngine, match=f"{CHECKSUMS} cannot be read: .*Not Found"):
        ensure(ENGINE, bench.machine(releases=release_server.url))


def test_a_platform_without_releases_sends_no_request(bench: Bench, release_server: ReleaseServer) -> None:
    bench.put_go()
    ensure(ENGINE, bench.machine(releases=release_server.url, platform="freebsd-x64"))
    assert release_server.asked == []
    assert "there is no official release for freebsd-x64" in bench.reported


# ---- the build


def test_the_build_uses_the_committed_checksums_and_writes_nothing_into_the_repository(bench: Bench) -> None:
    bench.put_go()
    before = sorted(MODULES.rglob("*"))
    folder = ensure(ENGINE, bench.machine())
    calls = bench.go_calls()
    assert [call.split("in=")[0].split()[-3] for call in calls] == [
        program.build.package for program in PROGRAMS["pulumi"]
    ]
    for call in calls:
        assert " -mod=readonly " in call
        assert " CGO=0 TC=local " in call
        assert f"in={bench.cache}/engine/." in call
    assert sorted(MODULES.rglob("*")) == before
    assert sorted(file.name for file in folder.iterdir()) == sorted((*ENGINE.programs, *ENGINE.files))
    assert all(file.stat().st_mode & 0o777 == 0o755 for file in folder.iterdir())


def test_each_step_says_about_how_long_it_takes(bench: Bench) -> None:
    bench.put_go()
    ensure(ENGINE, bench.machine())
    assert "building pulumi from Go modules with go1.26.8 (about 6 min" in bench.reported
    assert "building pulumi-language-python from Go modules with go1.26.8 (about 1 min" in bench.reported
    assert "downloading" in bench.reported


def test_a_long_build_reports_that_it_still_works(bench: Bench) -> None:
    bench.put_go()
    holding = bench.hold_go()
    reported: list[str] = []

    def say(text: str) -> None:
        if "still building after" in text and holding.exists() and not reported:
            reported.append(text)
            bench.release_go()

    ensure(ENGINE, bench.machine(say=say))
    assert [re.sub(r"\d+", "N", text) for text in reported] == ["  still building after N s"]


def test_a_go_that_is_too_old_is_named_with_the_one_that_is_needed(bench: Bench) -> None:
    bench.put_go("go1.25.9")
    with pytest.raises(NoEngine, match=r"path/go is go1\.25\.9; Go 1\.26 or later is needed"):
        ensure(ENGINE, bench.machine())
    assert bench.go_calls() == []


def test_a_build_that_fails_shows_the_output_of_go_and_leaves_nothing(bench: Bench) -> None:
    bench.put_go(complaint="missing go.sum entry for a module")
    with pytest.raises(NoEngine, match=r"`go build` ended with 1:\n +missing go.sum entry for a module"):
        ensure(ENGINE, bench.machine())
    assert bench.left_in_cache() == []


def test_a_build_of_another_version_is_not_used(bench: Bench) -> None:
    bench.put_go(built="3.1.0")
    with pytest.raises(NoEngine, match=r"it has pulumi 3\.1\.0 instead of 3\.259\.0"):
        ensure(ENGINE, bench.machine())
    assert bench.left_in_cache() == []


@pytest.mark.parametrize("package", [DOCKER_BUILD, BUILDKIT])
def test_image_builders_are_only_built_from_go_modules(
    bench: Bench, release_server: ReleaseServer, package: Package
) -> None:
    """No release of these is requested; a program that cannot print its version is accepted by its name."""
    bench.put_go(built=package.version)
    folder = ensure(package, bench.machine(releases=release_server.url))
    assert sorted(path.name for path in folder.iterdir()) == sorted(package.programs)
    assert release_server.asked == []
    assert where(package, bench.machine()) == folder


@pytest.mark.parametrize(
    ("package", "module"),
    [
        (DOCKER_BUILD, "github.com/pulumi/pulumi-docker-build"),
        (BUILDKIT, "github.com/moby/buildkit"),
    ],
)
def test_the_modules_of_the_builders_require_the_version_of_the_package(package: Package, module: str) -> None:
    text = (MODULES / PROGRAMS[package.name][0].build.module / "go.mod").read_text()
    assert f"require {module} v{package.version}\n" in text


def test_the_plugin_has_the_version_of_the_package_that_programs_import() -> None:
    assert metadata.version("pulumi-docker-build") == DOCKER_BUILD.version


def test_the_go_modules_require_the_version_of_the_package() -> None:
    text = (MODULES / "pulumi" / "go.mod").read_text()
    assert re.findall(r"github.com/pulumi/pulumi/(?:pkg|sdk)/v3 v(\S+)", text) == [ENGINE.version] * 2
    assert re.findall(r"^go (\d+)\.(\d+)", text, re.MULTILINE) == [tuple(map(str, offline_engine.GO_MINIMUM))]


# ---- no source


def test_when_no_source_has_it_one_error_names_each_of_them_and_what_to_install(bench: Bench) -> None:
    folder = bench.put_pulumi("3.200.0")
    with pytest.raises(NoEngine) as error:
        ensure(ENGINE, bench.machine())
    text = str(error.value)
    assert text.startswith("could not get pulumi 3.259.0 for linux-x64 from any source. Nothing was changed.\n")
    for reason in (
        f"PATH: {folder / 'pulumi'} is 3.200.0; 3.254 or later is needed",
        f"cache: {bench.cache}/engine/3.259.0-linux-x64-{fingerprint(ENGINE)}/bin is not there",
        f"official release: {bench.releases}/{CHECKSUMS} cannot be read: [Errno {errno.ECONNREFUSED}] Connection",
        "build from Go modules: there is no go on PATH; Go 1.26 or later is needed",
        "- install pulumi 3.254 or later with pulumi-language-python and put it on PATH",
        "- let this machine reach https://get.pulumi.com/releases/sdk, or name a mirror of it with --releases URL",
        "- install Go 1.26 or later and let it fetch Go modules",
    ):
        assert f"  {reason}" in text

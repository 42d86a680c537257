"""The command line of the local Azure, ``foundry-emulator``."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import click
import httpx2

from foundry_emulator.data_folder import AlreadyRunning, DataFolder, Running

_START_S, _STOP_S = 30.0, 15.0
_POLL_S = 0.05
_DATA_DIR = Path(".local/azure")

Command = Callable[..., None]


def _data_dir(command: Command) -> Command:
    return click.option(
        "--data-dir",
        type=click.Path(path_type=Path, file_okay=False),
        default=_DATA_DIR,
        show_default=True,
        help="Folder that holds all state.",
    )(command)


def _port(name: str, default: int, what: str) -> Callable[[Command], Command]:
    return click.option(
        name,
        type=click.IntRange(0, 65535),
        metavar="PORT",
        default=default,
        show_default=True,
        help=f"{what}; 0 takes any free port.",
    )


def _serving(command: Command) -> Command:
    for option in reversed(
        (
            _port("--port", 8443, "Port of the data plane and ARM, TLS"),
            _port("--registry-port", 5443, "Port of the registry, TLS"),
            _port("--page-port", 8442, "Port of the page, tokens and the control API"),
            click.option(
                "--runtime",
                type=click.Choice(["process", "docker", "echo"]),
                default="process",
                show_default=True,
                help="What runs agents: 'process' starts the entrypoint, 'docker' starts the image as a container "
                "of this machine's Docker daemon, 'echo' returns the input.",
            ),
            click.option(
                "--provisioning-seconds",
                type=click.FloatRange(min=0),
                default=1.0,
                show_default=True,
                help="Minimum time that a new version stays 'creating'.",
            ),
            click.option(
                "--session-idle-seconds",
                type=click.FloatRange(min=0),
                default=None,
                help="Time without a call after which a session is idle and no longer blocks deletion of its version. "
                "Default: the version's own setting, else 900.",
            ),
            click.option(
                "--registry-tokens",
                type=click.BOOL,
                default=False,
                show_default=True,
                help="The registry requires tokens and checks roles. Off, any program on this machine may push.",
            ),
            click.option("--seed", type=int, default=None, help="Random seed for the traffic split."),
        )
    ):
        command = option(command)
    return command


# The environment can set every option: FOUNDRY_EMULATOR_START_PORT=0.
@click.group(context_settings={"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "FOUNDRY_EMULATOR"})
def main() -> None:
    """A local Azure for Microsoft Foundry hosted agents."""


@main.command()
@_data_dir
@_serving
def serve(
    *,
    data_dir: Path,
    port: int,
    registry_port: int,
    page_port: int,
    runtime: str,
    provisioning_seconds: float,
    session_idle_seconds: float | None,
    registry_tokens: bool,
    seed: int | None,
) -> None:
    """Serve in the foreground, until Ctrl-C or SIGTERM."""
    # Imported late: the other commands answer in a tenth of the time.
    from foundry_emulator.emulator import Ports, PortTaken, RuntimeKind  # noqa: PLC0415  (see above)
    from foundry_emulator.runtime import RuntimeUnavailable  # noqa: PLC0415  (see above)
    from foundry_emulator.server import serve as serve_forever  # noqa: PLC0415  (see above)
    from foundry_emulator.settings import Settings, SettingsProblem  # noqa: PLC0415  (see above)

    settings = Settings()
    try:
        settings.change(
            {
                "provisioning_s": provisioning_seconds,
                "session_idle_s": session_idle_seconds,
                "registry_tokens": registry_tokens,
            }
        )
        serve_forever(
            data_dir,
            ports=Ports(data=port, registry=registry_port, page=page_port),
            runtime=RuntimeKind(runtime),
            settings=settings,
            seed=seed,
            ready=_show,
        )
    except (AlreadyRunning, PortTaken, RuntimeUnavailable, SettingsProblem) as problem:
        raise click.ClickException(f"The local Azure was not started: {problem}.") from None


@main.command()
@_data_dir
@_serving
def start(*, data_dir: Path, **options: str | float | None) -> None:
    """Serve in the background; return when it takes requests."""
    folder = DataFolder(data_dir)
    running = folder.running()
    if running is not None:
        click.echo(f"The local Azure is already running in {folder.path} (process {running.pid}).")
        _show(running)
        _print_env_hint(data_dir)
        return
    folder.path.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "foundry_emulator", "serve", "--data-dir", str(folder.path)]
    for name, value in options.items():
        if value is not None:
            command += [f"--{name.replace('_', '-')}", str(value)]
    with folder.log.open("ab") as log:
        begin = log.tell()
        process = subprocess.Popen(  # noqa: S603  this very program
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline:
        running = folder.running()
        if running is not None and running.pid == process.pid:
            _show(running)
            _print_env_hint(data_dir)
            process.returncode = 0  # it outlives this process: there is nothing to wait for
            return
        if process.poll() is not None:
            raise click.ClickException(_last_error(folder.log, begin))
        time.sleep(_POLL_S)
    process.kill()
    process.wait()
    raise click.ClickException(
        f"The local Azure took no request within {_START_S:g} s and was stopped. {_last_error(folder.log, begin)}"
    )


@main.command(short_help="Show whether it runs and what it holds.")
@_data_dir
def status(*, data_dir: Path) -> None:
    """Show whether it runs and what it holds; exit code 1 when it does not run."""
    folder = DataFolder(data_dir)
    running = folder.running()
    if running is None:
        click.echo(f"No local Azure is running in {folder.path}.")
        sys.exit(1)
    _show(running)
    state = httpx2.get(f"{running.page}/_control/state", trust_env=False).json()
    counts = ("agent", "version", "session", "instance", "arm_resource")
    click.echo(", ".join(_counted(state[f"{name}s"], name.replace("arm_", "ARM ")) for name in counts))
    for agent in state["agent_list"]:
        shares = ", ".join(f"{rule['version']} {rule['percentage']} %" for rule in agent["rules"])
        off = "" if agent["enabled"] else ", disabled"
        click.echo(f"{agent['project']}/{agent['name']}: traffic to {shares}{off}")
        for version in reversed(agent["versions"]):
            error = f", {version['error']['code']}: {version['error']['message']}" if version["error"] else ""
            sessions = f", {_counted(version['sessions'], 'session')}" if version["sessions"] else ""
            click.echo(f"  {version['version']:>4}  {version['status']}{sessions}{error}")


@main.command(short_help="Stop it and the agents it runs; keep the state.")
@_data_dir
def stop(*, data_dir: Path) -> None:
    """Stop it and the agents it runs; keep the state."""
    folder = DataFolder(data_dir)
    stopped = _stop(folder)
    click.echo(
        f"The local Azure in {folder.path} is stopped; its state is kept."
        if stopped
        else f"No local Azure is running in {folder.path}."
    )


@main.command()
@_data_dir
def reset(*, data_dir: Path) -> None:
    """Stop it and delete all its state; keep the certificates."""
    folder = DataFolder(data_dir)
    _stop(folder)
    folder.clear()
    click.echo(f"The local Azure in {folder.path} is stopped and empty.")


@main.command(short_help="Print the variables that clients need to find it.")
@_data_dir
def env(*, data_dir: Path) -> None:
    """Print the variables that clients need to find it: eval "$(foundry-emulator env)"."""
    for name, value in _required(data_dir).environment.items():
        click.echo(f"export {name}={shlex.quote(value)}")


@main.command(short_help="Pack a folder into an image and push it.")
@click.argument("source", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--registry", required=True, help="The registry's name in ARM.")
@click.option("--repository", required=True, help="The repository in it.")
@click.option("--tag", default="latest", show_default=True, help="The tag of the pushed image.")
@_data_dir
def push(*, source: Path, registry: str, repository: str, tag: str, data_dir: Path) -> None:
    """Pack the folder SOURCE into an image, push it, and print its digest."""
    import ssl  # noqa: PLC0415  only here

    import httpx  # noqa: PLC0415  only here

    from foundry_emulator.registry import PushError, pack  # noqa: PLC0415  only here
    from foundry_emulator.registry import push as push_image  # noqa: PLC0415  only here

    running = _required(data_dir)
    trust = ssl.create_default_context(cafile=running.environment["SSL_CERT_FILE"])
    try:
        packed = pack(source)
        with httpx.Client(verify=trust, trust_env=False, timeout=60) as client:
            name = f"{registry.lower()}/{repository}"
            push_image(packed, f"https://{running.registry}", name, tag, client=client)
    except (PushError, httpx.TransportError, ValueError) as problem:
        raise click.ClickException(f"{source} was not pushed: {problem}") from None
    click.echo(packed.digest)


def _required(data_dir: Path) -> Running:
    folder = DataFolder(data_dir)
    running = folder.running()
    if running is None:
        raise click.ClickException(
            f"No local Azure is running in {folder.path}. Start one: foundry-emulator start --data-dir {data_dir}"
        )
    return running


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _stop(folder: DataFolder) -> bool:
    """Stop the process that holds the folder's lock: SIGTERM first, SIGKILL when that takes too long."""
    running = folder.running()
    if running is None:
        if folder.is_locked():
            raise click.ClickException(f"The local Azure in {folder.path} is starting; try again.")
        return False
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.kill(running.pid, number)
        except ProcessLookupError:
            return True
        deadline = time.monotonic() + _STOP_S
        while time.monotonic() < deadline:
            if not folder.is_locked():
                return True
            time.sleep(_POLL_S)
        click.echo(f"Process {running.pid} did not end within {_STOP_S:g} s of {number.name}.", err=True)
    raise click.ClickException(f"Process {running.pid} could not be stopped.")


def _show(running: Running) -> None:
    rows = {
        "data plane, ARM": running.data_plane,
        "registry": running.registry,
        "page": running.page,
        "process": str(running.pid),
    }
    for name, value in rows.items():
        click.echo(f"{name:<16} {value}")


def _print_env_hint(data_dir: Path) -> None:
    option = "" if data_dir == _DATA_DIR else f" --data-dir {shlex.quote(str(data_dir))}"
    click.echo(f'Clients find it with: eval "$(foundry-emulator env{option})"')


def _last_error(log: Path, begin: int) -> str:
    """Return the error of the background process, else its last line."""
    with log.open("rb") as file:
        file.seek(begin)
        lines = file.read().decode(errors="replace").strip().splitlines()
    own = [line.removeprefix("Error: ") for line in lines if line.startswith("Error: ")]
    return own[-1] if own else f"The local Azure ended at once; see {log}. Last line: {lines[-1] if lines else 'none'}"

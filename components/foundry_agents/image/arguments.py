"""The arguments of a build as programs write them: all problems at once, before anything is declared."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Iterator, Mapping
from pathlib import Path
from typing import get_args

import pulumi

from foundry_agents.image.sources import Cache, Sources
from foundry_agents.lifecycle.credentials import why_credential, why_form
from foundry_agents.lifecycle.failure.errors import Problem
from foundry_agents.lifecycle.schema.report import shown
from foundry_agents.resources._plugin.plain_arguments import reject_problems

_A_PATH = (str, os.PathLike)

_NOT_YET_KNOWN = (
    "is an Output, and the content of an image must be known in the preview: give a plain value "
    "(pulumi.Config().require(…), StackReference(…).get_output_details(…).value), or make it a variable of the agent"
)


_LOOKS_LIKE = "looks like a credential, {}, and stays in the image's history: use secrets="


def sources_from(who: str, arguments: Mapping[str, object]) -> Sources:
    """Return the sources of a build.

    Args:
        who: What has the problems, for the error.
        arguments: The arguments of AgentImage.build or AgentImage.remote_build, by name; others are not looked at.

    Raises:
        pulumi.RunError: Some are not what is meant; the text lists all problems.
    """
    reject_problems(who, _problems(arguments))
    build_args = arguments["build_args"]
    given = build_args if isinstance(build_args, Mapping) else {}
    for name, value in given.items():
        if why := why_credential(str(name), str(value)):  # a name alone is no proof: it may be a public key
            pulumi.log.warn(f"{who}: build_args.{name} {_LOOKS_LIKE.format(why)}")
    return Sources(
        context=_path(arguments["context"]) or Path(),
        dockerfile=_path(arguments["dockerfile"]),
        target=None if arguments["target"] is None else str(arguments["target"]),
        build_args={str(name): str(value) for name, value in given.items()},
        rebuild=str(arguments["rebuild"]),
        context_limit_mb=float(str(arguments["context_limit_mb"])),
    )


def _path(value: object) -> Path | None:
    return Path(value) if isinstance(value, (str, os.PathLike)) else None


def _problems(arguments: Mapping[str, object]) -> Iterator[Problem]:
    for name, kinds, what in (
        ("context", _A_PATH, "the path of a folder on this machine"),
        ("dockerfile", (*_A_PATH, type(None)), "a path"),
        ("target", (str, type(None)), "the name of a stage"),
        ("rebuild", (str,), "a text"),
        ("builder", (str, type(None)), "the name of a buildx builder"),
        ("repository", (str, type(None)), "a path in the registry"),
    ):
        if name in arguments:
            yield from _wrong_type(name, arguments[name], kinds, what)
    limit = arguments["context_limit_mb"]
    if isinstance(limit, bool) or not isinstance(limit, (int, float)) or not limit > 0:
        yield Problem("context_limit_mb", f"{shown(limit)}: a number of megabytes above 0")
    cache = arguments.get("cache", "none")
    if cache not in get_args(Cache):
        yield Problem("cache", f"{shown(cache)}: one of {', '.join(get_args(Cache))}")
    yield from _build_arg_problems(arguments["build_args"])
    secrets = arguments.get("secrets")
    if secrets is not None and not isinstance(secrets, Mapping):
        yield Problem("secrets", f"must map ids to values, got {type(secrets).__name__}")
    elif isinstance(secrets, Mapping):
        for name, value in secrets.items():
            if not isinstance(value, (str, pulumi.Output, Awaitable)):
                yield Problem(f"secrets.{name}", f"must be text, got {type(value).__name__}")


def _build_arg_problems(build_args: object) -> Iterator[Problem]:
    if build_args is None:
        return
    if isinstance(build_args, pulumi.Output):
        yield Problem("build_args", _NOT_YET_KNOWN)
    elif not isinstance(build_args, Mapping):
        yield Problem("build_args", f"must map names to values, got {type(build_args).__name__}")
    else:
        for name, value in build_args.items():
            where = f"build_args.{name}"
            if isinstance(value, pulumi.Output):
                yield Problem(where, f"{_NOT_YET_KNOWN}; a secret belongs in secrets=")
            elif isinstance(value, bool) or not isinstance(value, (str, int, float)):
                advice = "leave it out" if value is None else "put the value in quotes"
                yield Problem(where, f"must be text or a number, got {type(value).__name__}: {advice}")
            elif why := why_form(str(value)):
                yield Problem(where, _LOOKS_LIKE.format(why))


def _wrong_type(name: str, value: object, kinds: tuple[type, ...], what: str) -> Iterator[Problem]:
    if isinstance(value, pulumi.Output):
        yield Problem(name, _NOT_YET_KNOWN)
    elif not isinstance(value, kinds):
        yield Problem(name, f"must be {what}, got {type(value).__name__}")

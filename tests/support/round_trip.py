"""Case 15: inputs, through the SDK, over the wire, into the service, read back, and inputs again."""

from __future__ import annotations

import string
from collections.abc import Mapping

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as with_seed
from hypothesis import strategies as st

from foundry_agents.lifecycle.existing import inputs_of
from foundry_agents.lifecycle.fingerprint import fingerprint
from foundry_agents.lifecycle.inputs.rules import (
    PROTOCOLS,
    RESERVED_ENVIRONMENT,
    RESERVED_METADATA_PREFIX,
    TIERS,
)
from foundry_agents.lifecycle.inputs.version import VERSION_FIELDS
from foundry_agents.lifecycle.inputs.version_parts import TELEMETRY_DATA, TELEMETRY_PROTOCOLS
from tests.support.virtual_bench import OWNER, Bench, plan_of

# Every character that a process's environment and a JSON document can hold.
_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)
_WORD = st.text(string.ascii_lowercase + string.digits, min_size=1, max_size=12)
_VARIABLE = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,20}", fullmatch=True).filter(
    lambda name: RESERVED_ENVIRONMENT.fullmatch(name) is None
)

# Hypothesis also draws strings that stand in the library's own code, such as the names of ownership metadata.
_KEY = st.text(string.printable, min_size=1, max_size=64).filter(
    lambda name: not name.startswith(RESERVED_METADATA_PREFIX)
)


def _optional(strategy: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.none() | strategy


_COLLECTOR = st.fixed_dictionaries(
    {
        "endpoint": st.builds("https://{}.example.com:4318/{}".format, _WORD, _WORD),
        "protocol": st.sampled_from(TELEMETRY_PROTOCOLS),
        "data": st.lists(st.sampled_from(TELEMETRY_DATA)),
        "header": _optional(st.fixed_dictionaries(dict.fromkeys(("name", "secret_id", "secret_key"), _WORD))),
    }
)
_DESCRIBED: st.SearchStrategy[dict[str, object]] = st.fixed_dictionaries(
    {
        "image": st.builds(
            "{}.azurecr.io/{}@sha256:{}".format, _WORD, _WORD, st.text("0123456789abcdef", min_size=64, max_size=64)
        ),
        "size": st.sampled_from(TIERS),
        "protocols": st.dictionaries(
            st.sampled_from(PROTOCOLS), st.sampled_from(["1.0.0", "2.0.0", "2.10.3"]), min_size=1
        ),
        "environment": _optional(st.dictionaries(_VARIABLE, _TEXT, max_size=6)),
        "session_idle_timeout_s": _optional(st.integers(300, 3600)),
        "registry_connection": _optional(_TEXT),
        "memory_snapshot": _optional(st.booleans()),
        "rai_policy": _optional(_TEXT),
        "telemetry": st.lists(_COLLECTOR, max_size=3),
        "description": _optional(st.text(st.characters(exclude_categories=["Cs"]), max_size=512)),
        "metadata": _optional(st.dictionaries(_KEY, _TEXT, max_size=12)),
    }
)


def round_trips(bench: Bench, examples: int, seed: int = 0) -> int:
    """Create this many versions, each of an agent of its own, and read each one.

    Returns:
        How many came back as they were; the first one that did not is an AssertionError with what differs.
    """
    done = 0
    # What is asked is what is echoed; nothing needs to run.
    bench.azure.control.set(check_pull=False, provisioning_s=1_000_000)

    @with_seed(seed)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(_DESCRIBED)
    def check(drawn: Mapping[str, object]) -> None:
        nonlocal done
        wanted = _values(bench, drawn)
        plan = plan_of(wanted)
        metadata = {**(plan.definition.metadata or {}), **plan.ownership.as_metadata()}
        made = process.service.create_version(plan.agent, plan.definition, metadata)
        seen = process.service.get_version(made.agent, made.version)
        assert seen is not None
        found = inputs_of(seen, project_endpoint=bench.project.endpoint, owner=OWNER)
        assert found == wanted
        assert fingerprint(found) == plan.ownership.fingerprint
        done += 1

    with bench.process() as process:
        check()
    bench.reset()
    return done


def _values(bench: Bench, drawn: Mapping[str, object]) -> dict[str, object]:
    described = dict(drawn)
    size = described.pop("size")
    assert isinstance(size, tuple)
    values, problems = VERSION_FIELDS.normalise(
        {
            **described,
            "cpu": size[0],
            "memory": size[1],
            "project_endpoint": bench.project.endpoint,
            "agent_name": bench.name(),
            "owner": OWNER,
            "accept_new_tier": True,
        }
    )
    assert problems == []
    return values

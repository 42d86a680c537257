"""Identity: tokens, and who the caller of a request is."""

from __future__ import annotations

from foundry_emulator.identity.identity import DEPLOYER, Identity
from foundry_emulator.identity.tokens import ARM_AUDIENCE, FOUNDRY_AUDIENCE, TENANT, Principal, TokenProblem

__all__ = [
    "ARM_AUDIENCE",
    "DEPLOYER",
    "FOUNDRY_AUDIENCE",
    "TENANT",
    "Identity",
    "Principal",
    "TokenProblem",
]

"""Refusals in Resource Manager's envelope [docs]."""

from __future__ import annotations

from foundry_emulator.arm.documents import Json


class ArmError(Exception):
    """A request that Resource Manager refuses.

    Attributes:
        status: HTTP status.
        code: Azure's error code.
        message: What was wrong, where, and what to do.
    """

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message

    def body(self) -> Json:
        """Return the body of the response."""
        return {"error": {"code": self.code, "message": self.message}}


def not_modelled(what: str) -> ArmError:
    """Return a 501 for something that Azure has and this local Azure does not model."""
    return ArmError(501, "NotImplemented", f"The local Azure does not model {what} yet.")


def no_group(name: str) -> ArmError:
    """Return a 404 for a resource group."""
    return ArmError(404, "ResourceGroupNotFound", f"Resource group '{name}' could not be found.")


def no_subscription(name: str, *, there: str) -> ArmError:
    """Return a 404 for a subscription; ``there`` is the one that exists."""
    return ArmError(
        404, "SubscriptionNotFound", f"The subscription '{name}' could not be found. The local Azure has {there}."
    )

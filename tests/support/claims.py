"""Claims on things of the service, for tests of what happens once a claim is judged."""

from __future__ import annotations

from dataclasses import dataclass

from foundry_agents.lifecycle.ownership import Answer, Claim, Identity, Verdict


@dataclass(frozen=True)
class Judged(Claim):
    """A claim whose verdict is known, whatever is found."""

    answer: Answer = Answer.GOES
    reason: str = ""

    def on(self, found: Identity) -> Verdict:
        """Return the verdict."""
        del found
        return Verdict(self.answer, self.reason)


PROVED = Judged("it")
LIVES = Judged("it", answer=Answer.LIVES)
STAYS = Judged("it", answer=Answer.STAYS, reason="it may be another stack's")

"""How often Graph answers in the simulation, and how far its replicas are behind."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import timedelta


@dataclass
class Weather:
    """How often a call goes wrong, in shares of one; what the seed rolls decides which."""

    lost_after: float = 0.0  # applied, the answer never came
    lost_before: float = 0.0  # never arrived, and nobody can tell
    throttled: float = 0.0
    lag: timedelta = timedelta(0)
    processing: timedelta = timedelta(minutes=2)  # from a group's change to its people; up to twice as long

    def fate(self, dice: random.Random) -> str:
        """What becomes of one call."""
        roll = dice.random()
        for fate, share in (
            ("throttled", self.throttled),
            ("lost before", self.lost_before),
            ("lost after", self.lost_after),
        ):
            if roll < share:
                return fate
            roll -= share
        return "fine"

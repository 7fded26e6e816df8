"""What differs between an evaluator's run and one by the evaluator's bundle."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

DifferenceKind = Literal["harness", "file", "functions", "address", "platform", "seed", "workload", "criteria", "machine"]


@dataclass(frozen=True, slots=True)
class Differing:
    """One thing that is not as it was in the evaluator's run."""

    kind: DifferenceKind
    name: str  # of the file, the role of the host, or the figure of the machine; empty where the kind says all
    evaluators: str
    yours: str

    def __str__(self) -> str:
        return f"{self.kind}{f' {self.name}' if self.name else ''}: {self.yours}; the evaluator's: {self.evaluators}"

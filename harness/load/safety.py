"""When to stop loading a portal: what its authorisation allows, over the last few seconds."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field

from harness.load.plan import SafetyLimits


@dataclass
class SafetyWatch:
    """One portal's requests of the last ``limits.span_s`` seconds, held against its limits."""

    limits: SafetyLimits
    _seen: deque[tuple[float, int, int, int, int]] = field(default_factory=deque)

    def add(self, requests: int, failed: int, refused: int, elapsed_us: int) -> str:
        """Count some more; answers why loading has to stop, or an empty string."""
        now_s = time.monotonic()
        self._seen.append((now_s, requests, failed, refused, elapsed_us))
        while self._seen[0][0] < now_s - self.limits.span_s:
            self._seen.popleft()
        total, bad, away, elapsed = (sum(item[i] for item in self._seen) for i in range(1, 5))
        if total < self.limits.min_requests:
            return ""
        if bad / total > self.limits.error_share:
            return f"errors {bad}/{total} > {self.limits.error_share:.0%}"
        if away / total > self.limits.refused_share:
            return f"429/503 {away}/{total} > {self.limits.refused_share:.0%}"
        if elapsed / total > self.limits.latency_s * 1e6:
            return f"mean {elapsed / total / 1e6:.2f} s > {self.limits.latency_s:g} s"
        return ""

"""The thresholds of the rules. All are assumed; docs/diagnosis.md gives the reason of each."""

from __future__ import annotations

from typing import Final

LEAST_REQUESTS: Final = 50
"""Requests in valid windows. With fewer, the only finding is ``too_few_rows``."""
LEAST_OF_A_PLACE: Final = 5
"""Answers of one request of a step, before its median is compared with others."""
LEAST_ALONE: Final = 5
"""Places that a lone citizen and the loaded windows have in common, before they are compared."""
LEAST_FAILURES: Final = 5
"""Failures of one kind, before it is a finding."""
LEAST_FAILED_SHARE: Final = 0.05
"""Share of visits, or of the attempts at a step."""
LEAST_TIME_SHARE: Final = 0.10
"""Share of the time that visits waited, which one step, host, page, worker or phase explains."""
LEAST_PHASE_SHARE: Final = 0.25
"""The same for phases that every network has: waiting for a connection, connecting, transfer."""
LEAST_DELAY_S: Final = 0.1
"""A difference below it is no finding: a person does not notice less."""
STANDS_OUT: Final = 4.0
"""How many times as slow as the others one step or host is."""
MOMENT_STANDS_OUT: Final = 3.0
"""How many times as slow as the others a moment is."""
GROWTH: Final = 2.0
"""How many times as slow as before counts as growth with the load."""
SATURATED: Final = 3.0
"""How many times as slow as for a lone citizen answers are when requests queue up."""
LEVELS_FOR_A_FIT: Final = 3
"""Levels of load that are needed to say from which level on time grows."""
LARGE_PAGE_BYTES: Final = 1_000_000
"""On the wire, of one answer: 0.8 s on a line of 10 Mbit/s."""
PAGE_BYTES: Final = 200_000
"""On the wire, of one answer whose transfer takes LEAST_TIME_SHARE."""
SEPARATION: Final = 0.8
"""Youden's J: the share of failures after a session's age, minus the share of successes after it."""
MOMENT_S: Final = 5.0
"""Length of a moment within a window."""
SERVER_SHARE: Final = 0.5
"""Share of the waiting time that passes at the server. From this share on, a portal that lost points on times has a slow server."""

"""Who arrives when: schedules, stages, windows, the Locust fleet, safety stops, generator health.

What is exported here is free of Locust (importing Locust patches the whole process): plans and schedules. What runs
inside Locust is imported from its own module: ``agent``, ``arrivals``, ``citizen``, ``conductor``.
"""

from harness.load.plan import Plan, PlannedWindow, Round, SafetyLimits, Slot, TargetFacts, read_plan, run_id
from harness.load.schedule import Arrival, Schedule, schedule

__all__ = [
    "Arrival",
    "Plan",
    "PlannedWindow",
    "Round",
    "SafetyLimits",
    "Schedule",
    "Slot",
    "TargetFacts",
    "read_plan",
    "run_id",
    "schedule",
]

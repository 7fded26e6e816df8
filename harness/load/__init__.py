"""Who arrives when: schedules, stages, windows, the Locust fleet, safety stops, generator health.

What is exported here is free of Locust (importing Locust patches the whole process): schedules. What runs
inside Locust is imported from its own module: ``agent``, ``arrivals``, ``citizen``, ``conductor``.
"""

from harness.load.schedule import Arrival, Schedule, schedule

__all__ = ["Arrival", "Schedule", "schedule"]

"""Load: schedules of arrivals, rounds, master and workers, safety stops, generator health.

Importing Locust patches the whole process. Only ``arrivals``, ``chosen_journeys``, ``citizen``, ``citizens_tab`` and ``locust_channel`` import it.
"""

from harness.load.schedule import Schedule, schedule

__all__ = ["Schedule", "schedule"]

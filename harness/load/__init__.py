"""Who arrives when: schedules, stages, windows, the Locust fleet, safety stops, generator health."""

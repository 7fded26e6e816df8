"""Pure functions of numbers: percentiles, intervals, tests, metrics, and random numbers keyed by purpose."""

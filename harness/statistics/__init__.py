"""Pure numbers: percentiles, windows, intervals, tests, and randomness keyed by purpose."""

"""A sweep that was recorded once: what only reads evidence is tested on it, in milliseconds.

``demo`` is what ``harness demo --seed 7`` left of 25 November 2026, without what `harness score` writes anew
(report.html, scores.csv, scores.xlsx) and without locust.log. Its scores.json and faults.json are what the same
evidence must always give. Record it again only where rows or records get a new schema.
"""

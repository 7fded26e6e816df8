"""Pure: rows and a criteria set give a scorecard; the same rows give the same bytes."""

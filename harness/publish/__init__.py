"""What leaves the house: exports, pushes, reports, charts and the scoreboard."""

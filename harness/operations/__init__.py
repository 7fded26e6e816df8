"""What wires the rooms together: run, sweep, demo, calibrate, walk."""

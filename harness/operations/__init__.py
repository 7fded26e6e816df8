"""Connects the rooms for the commands: run, sweep, walk, score, calibrate and so on."""

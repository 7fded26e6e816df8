"""Figures side by side: interleaved runs, CPU by process, median and range. Run by ``make bench``."""

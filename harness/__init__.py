"""Citizens walk journeys through a portal; rows become a verdict, a verdict becomes points."""

__version__ = "0.1.0"

"""What the author of a scenario imports: ``from harness.scenario import Citizen, visit``.

The import also makes the Locust process that loads the scenario one of the harness.
"""

from __future__ import annotations

from harness.load.citizen import Citizen, visit
from harness.operations import locust_process

__all__ = ["Citizen", "visit"]

locust_process.listen()

"""The simulation of the gate runs, and tells a clear change from none; `python -m tests.acceptance.gate_power` has the numbers."""

from tests.acceptance.gate_power import Design, stopped


def test_a_change_far_above_the_noise_is_stopped_and_no_change_passes() -> None:
    found = stopped(Design(windows=12, visits=60, between=0.0, within=0.05), comparisons=2)
    assert (found.slower, found.unchanged) == (1.0, 0.0)

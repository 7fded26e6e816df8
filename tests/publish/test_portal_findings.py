"""Findings in words."""

from __future__ import annotations

import pytest

from harness.diagnosis import Finding
from harness.diagnosis.finding import FindingFigure
from harness.publish import finding_text


@pytest.mark.parametrize(
    ("share", "server_s", "said"),
    [
        (0.997, 0.0004, "99.7 % of the waiting time is the server's own, 0.0004 s a request"),
        (1.0, 0.0, "100 % of the waiting time is the server's own, 0 s a request"),
        (0.984, 0.38, "98 % of the waiting time is the server's own, 0.38 s a request"),
    ],
)
def test_nearly_all_is_not_all_and_very_little_is_not_nothing(share: float, server_s: float, said: str) -> None:
    found = Finding(
        code="slow_server", sureness="measured", share=share, share_of="time", figures=(FindingFigure("server", server_s, "s"),)
    )
    assert finding_text(found, "en").statement.startswith(said)

"""The colours of the charts."""

from __future__ import annotations

from typing import Final

# Okabe and Ito's palette, which colour-blind readers can tell apart; rust, ink and lines are ours.
BLUE: Final = "#0072B2"
SKY: Final = "#56B4E9"
GREEN: Final = "#009E73"
ORANGE: Final = "#E69F00"
VERMILION: Final = "#D55E00"
PURPLE: Final = "#CC79A7"
RUST: Final = "#A33F00"
INK: Final = "#1F2933"
MUTED: Final = "#5B6875"
LINE: Final = "#D5DBE1"
FAINT: Final = "#EEF1F4"

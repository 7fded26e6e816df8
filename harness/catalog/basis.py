"""What a number of the catalog stands on."""

from typing import Literal

Basis = Literal["official", "borrowed", "assumed"]
FigureBasis = Literal["official", "borrowed", "assumed", "calculated"]
"""Of a figure that may also have been calculated from others."""

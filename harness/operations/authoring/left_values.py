"""What left-to-do.md says of the values of a draft: first what visits would share, last what nobody has to look at."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from harness.operations.authoring.har import EntryRemark

_NAMED: Final = 8
"""Names of constants that are listed (assumed: they fit on two lines); the head of the profile has all."""


def typed_texts(constants: Sequence[EntryRemark], profile: str) -> list[str]:
    """Typed texts that came back, and are one text for all visits; ``profile`` is the file that has them."""
    lines = [str(remark) for remark in constants if remark.matter == "returns"]
    told = (
        "Typed texts. You typed these, the application showed them again, and every visit sends the same: visits may meet each other's"
        f" things although the walk passes. In `{profile}` write `let: {{mine: 'KiemThu{{{{ unique_hex(12) }}}}'}}` at the first request with"
        " the text, and `{{ mine }}` wherever it stands:\n"
    )
    return [told + _lines(lines)] if lines else []


def taken_by_looks(constants: Sequence[EntryRemark], profile: str) -> list[str]:
    """What the draft took for something, or could not find."""
    lines = [str(remark) for remark in constants if remark.matter == "look"]
    return [f"Taken by the looks. Say in `{profile}` where one is wrong or lacks something:\n" + _lines(lines)] if lines else []


def settled_and_kept(constants: Sequence[EntryRemark]) -> list[str]:
    """What needs no work: values that are each visit's own, and constants such as headers, by their names."""
    settled = dict.fromkeys(remark.said for remark in constants if remark.matter == "settled")
    routine = list(dict.fromkeys(remark.said.partition(" = ")[0] for remark in constants if remark.matter == "routine"))
    found = []
    if settled:
        found.append("For your information. The draft has written these anew; nothing is left to do:\n" + _lines(settled))
    if routine:
        names = ", ".join(f"`{name}`" for name in routine[:_NAMED]) + (" …" if routine[_NAMED:] else "")
        found.append(
            f"Constants. As they were recorded stay: {names}. Look at them only where a walk fails; the head of the profile has each."
        )
    return found


def _lines(items: Iterable[str]) -> str:
    return "\n".join(f"   - {item}" for item in items)

"""What the portal acknowledged in a visit, and what it showed again later."""

from __future__ import annotations

from harness.pages.values import as_text
from harness.profiles.executable import CompiledRequest
from harness.profiles.template import Value
from harness.visits.blanking import blank_given
from harness.visits.receipts import Receipt, ReceiptKind
from harness.visits.state import RequestPlace, VisitState

KEPT_MOST = 2_000
"""The most characters of a value that goes to the ledger with a receipt."""


def note_acknowledged(state: VisitState, request: CompiledRequest, place: RequestPlace) -> None:
    """Keep the receipt that the request gave, and hand it to the caller before the visit goes on."""
    if request.receipt is not None:
        code = as_text(request.receipt.code(state.scope))
        receipt = Receipt(code=code, kind=request.receipt.kind, step=place.step, when_us=state.last_end_us)
        if request.receipt.keep:
            receipt["kept"] = kept_values(state, request.receipt.keep)
        state.receipts.append(receipt)
        if state.callbacks.acknowledge is not None:
            state.callbacks.acknowledge(receipt)
    if request.confirms is not None:
        note_looked_up(state, request.confirms, "found", place)


def note_looked_up(state: VisitState, code: Value, kind: ReceiptKind, place: RequestPlace) -> None:
    """Keep whether the portal showed something acknowledged that was looked up."""
    state.tracked.append(Receipt(code=as_text(code(state.scope)), kind=kind, step=place.step, when_us=state.last_end_us))


def kept_values(state: VisitState, names: tuple[str, ...]) -> dict[str, str | int | float]:
    """The values that may stand in the ledger: short and plain, without a secret or a part of a test identity."""
    found = {name: state.scope.get(name) for name in names}
    return {
        name: value
        for name, value in found.items()
        if isinstance(value, str | int | float) and len(str(value)) <= KEPT_MOST and blank_given(state, str(value)) == str(value)
    }

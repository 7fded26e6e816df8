"""Functions that profiles may call by name: typed, pure, marked `@function`. For what the closed list cannot say."""

from __future__ import annotations

import hashlib
import hmac
import re

from harness.profiles import function


@function
def payment_check_sum(key: str, addition_fee: str, client_id: str, trans_amount: str, transaction_id: str, version: str = "3.0") -> str:
    """The national payment platform's check sum of a PAY request.

    Hexadecimal HMAC-SHA256 of `addition_fee|client_id|command|trans_amount|transaction_id|version` (seen in public code).
    """
    fields = (addition_fee, client_id, "PAY", trans_amount, transaction_id, version)
    return hmac.new(key.encode(), "|".join(fields).encode(), hashlib.sha256).hexdigest()


@function
def date_of_code(code: str) -> str:
    """The day, YYMMDD, in a dossier code of Circular 01/2018/TT-VPCP, Art. 19: `H08.12.03-230601-0042` gives 230601."""
    found = re.fullmatch(r"[A-Z]\d\d(?:\.\d+)*-(\d{6})-\d{4,}", code)
    if found is None:
        raise ValueError(f"{code!r} is not a dossier code")
    return found.group(1)

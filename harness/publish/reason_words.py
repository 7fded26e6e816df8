"""Reasons in words: of a verdict, of a criterion that was not assessed, and how an interval was computed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from harness.evidence.facts import Reason
from harness.evidence.reasons import CODES, Language, text
from harness.publish.wording import PHRASES, Phrase, phrase

_PERMISSION: Final = (
    (r" needs captcha_exemption or payment_sandbox", r" cần captcha_exemption hoặc payment_sandbox"),
    (r" needs payment_sandbox", r" cần payment_sandbox"),
    (r" needs to stand in journeys", r" cần có tên trong journeys"),
    (r" needs (\w+) (\S+) instead of (\S+)", r" cần \1 là \2 thay vì \3"),
)

# How scoring words the figures behind a code, and the same in Vietnamese; applied in this order.
_FIGURES: Final = tuple(
    (re.compile(pattern), vietnamese)
    for pattern, vietnamese in (
        *_PERMISSION,
        (r"share of a day, each hour alike, clustered by day", "tỷ lệ thời gian trong ngày, các giờ có trọng số như nhau, gộp theo ngày"),
        (
            r"(\d+) probes and (\d+) windows of (\d+) days, (\d+) of 24 hours",
            r"\1 lượt thăm dò và \2 khung thời gian đo trong \3 ngày, \4/24 giờ",
        ),
        (
            r"(\d+) in planned maintenance left out, (\d+) probes not counted",
            r"không tính \1 quan sát trùng với bảo trì có kế hoạch và \2 lượt thăm dò khác",
        ),
        (r"(\d+) of (\d+) probes and windows", r"\1/\2 lượt thăm dò và khung thời gian đo"),
        (r"(\d+) of (\d+) hours of the day", r"\1/\2 giờ trong ngày"),
        (r"(\d+) of (\d+)", r"\1/\2"),
        (r"(\w+) stopped at (\w+)", r"\1 dừng ở bước \2"),
        (r"(\d+) with fewer than (\d+) steps", r"\1 khung thời gian đo có ít hơn \2 bước"),
        (r" with at least (\d+) steps", r" có ít nhất \1 bước"),
        (r" with (\d+) figures of each role", r" có \1 số liệu của mỗi vai trò"),
        (r"minimum to maximum of (\d+) windows", r"nhỏ nhất đến lớn nhất của \1 khung thời gian đo"),
        (r"share of windows, clustered by night", "tỷ lệ khung thời gian đo, gộp theo ngày đo"),
        (r"(\d+) in planned maintenance left out", r"bỏ \1 khung thời gian đo trùng với bảo trì có kế hoạch"),
        (r" windows", " khung thời gian đo"),
    )
)


_WINDOW: Final = (r"\bround (\d+), window (\d+)", r"vòng \1, khung thời gian đo \2")
_VISITS: Final = (r"(\d+) of (\d+) visits", r"\1/\2 lượt")
_MAINTENANCE: Final = (
    (r", announced at (\S+), (\S+) h before; notice is (\S+) h", r", thông báo lúc \1, trước \2 giờ; thời hạn là \3 giờ"),
    (r"; windows ([\d, ]+)$", r"; khung thời gian đo \1"),
)
_LIMIT: Final = ((r" at p99$", " ở phân vị 99"), (r" at most$", " là lớn nhất"))

# What evidence words in English beside a reason's code. Texts of portals, profiles and operators stand in details too, and stay as they are.
_DETAILS: Final = {
    "path_doubt": (
        _WINDOW,
        (r"(\d+) of (\d+) portals slower, at the median (\S+) times and (\d+) ms", r"\1/\2 cổng chậm hơn, trung vị \3 lần và \4 ms"),
        (r"(\d+) of (\d+) portals out of reach", r"\1/\2 cổng không kết nối được"),
        (r"^lone walks$", "các lượt đơn lẻ"),
    ),
    "slow_by_day": ((r"^(\S+) s by day, (\S+) s at night, (\S+) times$", r"ban ngày \1 s, ban đêm \2 s, gấp \3 lần"),),
    "address_limit": (_WINDOW, _VISITS),
    "refused_under_load": (_WINDOW, _VISITS),
    "refusals_settled_as_portal": (_WINDOW, _VISITS),
    "refusals_settled_as_address": (_WINDOW, _VISITS),
    "shared_failure": (_WINDOW, (r"(\d+) of (\d+) visits at ", r"\1/\2 lượt tại "), (r"; (\d+) lone walks", r"; \1 lượt đơn lẻ")),
    "journey_unproven": ((r"; (\d+) lone walks$", r"; \1 lượt đơn lẻ"),),
    "announced_maintenance": _MAINTENANCE,
    "maintenance_announced_late": _MAINTENANCE,
    "maintenance_not_announced": _MAINTENANCE,
    "safety_stop": (
        (r"\bround (\d+): ", r"vòng \1: "),
        (r"(\d+) failures in a row", r"\1 lỗi liên tiếp"),
        (r"errors (\d+/\d+)", r"lỗi \1"),
        (r"slower than (\S+) ms", r"chậm hơn \1 ms"),
        (r"redirects: (.*) requests/s, (\d+) of (\d+) by redirects", r"chuyển hướng: \1 yêu cầu/s, \2/\3 do chuyển hướng"),
    ),
    "beyond_authorisation": (
        (r"^authorised rate: (.*) requests/s$", r"tốc độ được phép: \1 yêu cầu/s"),
        (r"^the authorisation has ended$", "văn bản cho phép đã hết hiệu lực"),
        (r"^the permitted hours have ended$", "đã hết khung giờ được phép"),
    ),
    "outside_hours": (
        (r"\bround (\d+): ", r"vòng \1: "),
        (r"(\d+) s, the drain included, do not fit into the permitted hours$", r"cần \1 s kể cả lúc chờ kết thúc, vượt khung giờ được phép"),
    ),
    "left_out": (
        (r"^attempt (\d+): ", r"lần chạy \1: "),
        (r"(\S+) ends at (.*); the sweep may last until (.*)$", r"\1 hết hiệu lực lúc \2; đợt đo có thể kéo dài đến \3"),
    ),
    "calibration_failed": ((r", largest error (\S+) %$", r", sai số lớn nhất \1 %"),),
    "worker_lost": ((r"^(\d+) of (\d+)$", r"\1/\2 tiến trình"),),
    "lease_lapsed": ((r"^(\d+) of (\d+) workers$", r"\1/\2 tiến trình"),),
    "rows_lost": (
        (r"^(\d+) of (\d+) workers", r"\1/\2 tiến trình"),
        (r"; (\d+) batches of nobody refused ", r"; loại \1 lô dữ liệu không rõ nguồn "),
        (r"; (\d+) batches of (\S+) refused ", r"; loại \1 lô dữ liệu của \2 "),
    ),
    "arrivals_dropped": ((r"^(\d+) of (\d+)$", r"\1/\2 lượt"),),
    "visits_cut_off": ((r"^(\d+) of (\d+)$", r"\1/\2 lượt"),),
    "visits_unaccounted": ((r"^(\d+) planned, (\d+) ended$", r"theo lịch \1, kết thúc \2"),),
    "only_our_client_rejects": ((r"^(\d+) answers$", r"\1 phản hồi"),),
    "scheduler_lag": _LIMIT,
    "late_arrivals": _LIMIT,
    "not_permitted": _PERMISSION,
}  # fmt: skip


def reason_text(reason: Reason, language: Language, names: Mapping[str, Phrase] | None = None) -> str:
    """The text of a verdict's reason; ``names``: of criteria, by id. A code from a newer version is printed as it is."""
    if reason.code in {"not_enough_windows", "not_enough_steps"}:
        criterion, _, why = reason.detail.partition(": ")
        named = (names or {}).get(criterion, Phrase(criterion, criterion)).into(language)
        reason = replace(reason, detail=f"{named}: {because(why).into(language)}" if why else named)
    elif reason.code in CODES and language == "vi":
        reason = replace(reason, detail=_vietnamese_detail(reason))
    if reason.code in CODES:
        return text(reason, language)
    return f"{reason.code} ({reason.detail})" if reason.detail else reason.code


def _vietnamese_detail(reason: Reason) -> str:
    """The figures of a reason, worded in Vietnamese."""
    detail = reason.detail
    for pattern, vietnamese in _DETAILS.get(reason.code, ()):
        detail = re.sub(pattern, vietnamese, detail)
    return detail


def because(reason: str) -> Phrase:
    """Why a criterion was not assessed: ``reason`` is a code, or a code and its figures after a colon. Other text is printed as it is."""
    code, colon, figures = reason.partition(": ")
    if code == "verdict":
        verdict = phrase(f"verdict.{figures}")
        return Phrase(f"kết luận của lần đo: {verdict.vi}", f"the run's verdict: {verdict.en}")
    words = PHRASES.get(f"because.{code}")
    if words is None:
        return Phrase(reason, reason)
    return Phrase(f"{words.vi} ({_in_vietnamese(figures)})", f"{words.en} ({figures})") if colon else words


def interval_text(kind: str) -> Phrase:
    """How an interval was computed."""
    return PHRASES.get(f"interval.{kind}") or Phrase(_in_vietnamese(kind), kind)


def _in_vietnamese(figures: str) -> str:
    for pattern, vietnamese in _FIGURES:
        figures = pattern.sub(vietnamese, figures)
    return figures

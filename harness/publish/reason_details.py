"""The details of a reason in Vietnamese. Evidence and scoring write these details in English, with figures.

Each pattern has named groups. How a group is written in Vietnamese follows from how its name begins: ``n`` is a number, ``t`` a date with its time;
``journey``, ``step``, ``outcome``, ``owner``, ``stage``, ``limit`` and ``cause`` are looked up in the phrases; any other stays as it is.
Texts of portals, profiles and operators, which details also contain, stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final, get_args

from harness.catalog.platform import StepName
from harness.publish.wording import moment_text, phrase, written_number

Patterns = tuple[tuple[str, str], ...]

_STEP: Final = "|".join(get_args(StepName))
_WINDOW: Final = (r"\bround (?P<n1>\d+), window (?P<n2>\d+)", "vòng {n1}, khung thời gian đo {n2}")
_ROUND: Final = (r"\bround (?P<n1>\d+): ", "vòng {n1}: ")
_VISITS: Final = (r"(?P<n1>\d+) of (?P<n2>\d+) visits", "{n1}/{n2} lượt")
_PERMISSION: Final = (
    (r"(?P<journey>\w+) of (?P<stage>[\w-]+) needs ", "hành trình {journey}, {stage}: cần "),
    (r"(?P<stage>typical|peak|ramp|soak|warm-up) needs ", "{stage}: cần "),
    (r"(?P<journey>\w+) needs ", "hành trình {journey}: cần "),
    (r"cần captcha_exemption or payment_sandbox", "cần văn bản miễn captcha hoặc môi trường thanh toán thử nghiệm"),
    (r"cần payment_sandbox", "cần môi trường thanh toán thử nghiệm"),
    (r"cần to stand in journeys", "cần được ghi trong các hành trình được phép"),
    (r"cần (?P<limit>\w+_max) (?P<n1>\S+) instead of (?P<n2>[^\s;]+)", "cần {limit} là {n1} thay vì {n2}"),
)
_ABSENT: Final = (r"journey (?P<journey>\w+) without goal (?P<goal>\w+)", "hành trình {journey} không có: {goal}")
_MAINTENANCE: Final = (
    (r"^(?P<t1>\S+) – (?P<t2>[^\s,;]+)", "từ {t1} đến {t2}"),
    (
        r", announced at (?P<t1>\S+), (?P<n1>\S+) h before; notice is (?P<n2>\S+) h",
        ", thông báo lúc {t1}, trước {n1} giờ; thời hạn quy định là {n2} giờ",
    ),
    (r"; windows (?P<numbers>[\d, ]+)$", "; khung thời gian đo {numbers}"),
)
_LIMIT: Final = (
    (r"^(?P<n1>\S+) > (?P<n2>\S+) ms at p99$", "phân vị 99 là {n1} ms, vượt giới hạn {n2} ms"),
    (r"^(?P<n1>\S+) > (?P<n2>\S+) ms at most$", "lớn nhất là {n1} ms, vượt giới hạn {n2} ms"),
    (r"^(?P<n1>\S+) > (?P<n2>\S+) ms$", "{n1} ms, vượt giới hạn {n2} ms"),
    (r"^(?P<n1>\S+) > (?P<n2>\S+)%$", "{n1} %, vượt giới hạn {n2} %"),
)
_WORKERS: Final = (r"^(?P<n1>\d+) of (?P<n2>\d+)(?: workers)?", "{n1}/{n2} tiến trình")
_OF_VISITS: Final = ((r"^(?P<n1>\d+) of (?P<n2>\d+)$", "{n1}/{n2} lượt"),)
_STOPPED_AT: Final = (
    rf"^(?P<journey>\w+): (?:\w+/)?(?P<step>{_STEP}), (?P<outcome>\w+)",
    "hành trình {journey} dừng ở bước {step}: {outcome}",
)
_LONE_WALKS: Final = (r"; (?P<n1>\d+) lone walks", "; {n1} lượt đơn lẻ")

# What evidence words beside a reason's code.
_DETAILS: Final[Mapping[str, Patterns]] = {
    "path_doubt": (
        _WINDOW,
        (r"(?P<n1>\d+) of (?P<n2>\d+) portals slower, at the median (?P<n3>\S+) times and (?P<n4>\d+) ms",
         "{n1}/{n2} hệ thống chậm hơn, trung vị gấp {n3} lần và thêm {n4} ms"),
        (r"(?P<n1>\d+) of (?P<n2>\d+) portals out of reach", "{n1}/{n2} hệ thống không kết nối được"),
        (r"^lone walks$", "các lượt đơn lẻ"),
    ),
    "slow_by_day": ((r"^(?P<n1>\S+) s by day, (?P<n2>\S+) s at night, (?P<n3>\S+) times$", "ban ngày {n1} s, ban đêm {n2} s, gấp {n3} lần"),),
    "address_limit": (_WINDOW, _VISITS),
    "refused_under_load": (_WINDOW, _VISITS),
    "refusals_settled_as_portal": (_WINDOW, _VISITS),
    "refusals_settled_as_address": (_WINDOW, _VISITS),
    "settlement_proposed": (
        (r"^address_limit: (?P<cause>\w+), (?P<who>.*)$", "giới hạn theo địa chỉ: {cause}; người đề nghị: {who}"),
        (r"^(?P<journey>\w+): (?P<cause>\w+), (?P<who>.*)$", "hành trình {journey}: {cause}; người đề nghị: {who}"),
    ),
    "settled_as_portal": ((r"^(?P<journey>\w+): ", "hành trình {journey}: "),),
    "settled_as_profile": ((r"^(?P<journey>\w+): ", "hành trình {journey}: "),),
    "shared_failure": (
        _STOPPED_AT, _LONE_WALKS, (r"; (?P<owner>\w+), (?P<host>\S+)$", "; {owner}, {host}"), _WINDOW,
        (r"(?P<journey>\w+): (?P<n1>\d+) of (?P<n2>\d+) visits at (?P<owner>\w+), ", "{journey}: {n1}/{n2} lượt tại {owner}, "),
    ),
    "journey_unproven": (
        _STOPPED_AT, _LONE_WALKS,
        (rf"^(?P<journey>\w+)/(?:\w+/)?(?P<step>{_STEP}), (?P<outcome>\w+)(?P<rest>.*), × (?P<n1>\d+)$",
         "hành trình {journey} dừng ở bước {step}: {outcome}{rest}; {n1} lượt đơn lẻ"),
    ),
    "announced_maintenance": _MAINTENANCE,
    "maintenance_announced_late": _MAINTENANCE,
    "maintenance_not_announced": _MAINTENANCE,
    "safety_stop": (
        _ROUND,
        (r"(?P<n1>\d+) failures in a row ≥ (?P<n2>\d+)", "{n1} lỗi liên tiếp, giới hạn {n2}"),
        (r"errors (?P<n1>\d+)/(?P<n2>\d+) > (?P<n3>\d+)%", "{n1}/{n2} yêu cầu lỗi, vượt {n3} %"),
        (r"429/503 (?P<n1>\d+)/(?P<n2>\d+) > (?P<n3>\d+)%", "{n1}/{n2} yêu cầu bị trả mã 429 hoặc 503, vượt {n3} %"),
        (r"slower than (?P<n1>\S+) ms (?P<n2>\d+)/(?P<n3>\d+) > (?P<n4>\d+)%", "{n2}/{n3} yêu cầu chậm hơn {n1} ms, vượt {n4} %"),
        (r"redirects: (?P<n1>\S+) > (?P<n2>\S+) requests/s, (?P<n3>\d+) of (?P<n4>\d+) by redirects",
         "chuyển hướng: {n1} yêu cầu/giây, vượt {n2} yêu cầu/giây; {n3}/{n4} do chuyển hướng"),
    ),
    "beyond_authorisation": (
        (r"^authorised rate: (?P<n1>\S+) > (?P<n2>\S+) requests/s$", "{n1} yêu cầu/giây, vượt mức được phép {n2} yêu cầu/giây"),
        (r"^the authorisation has ended$", "văn bản cho phép đã hết hiệu lực"),
        (r"^the permitted hours have ended$", "đã hết khung giờ được phép"),
    ),
    "outside_hours": (
        _ROUND,
        (r"(?P<n1>\d+) s, the drain included, do not fit into the permitted hours$", "cần {n1} s kể cả lúc chờ kết thúc, vượt khung giờ được phép"),
    ),
    "left_out": (
        (r"^attempt (?P<n1>\d+): ", "lần chạy {n1}: "),
        (r"(?P<letter>\S+) ends at (?P<t1>.*); the sweep may last until (?P<t2>.*)$", "{letter} hết hiệu lực lúc {t1}; đợt đo có thể kéo dài đến {t2}"),
    ),
    "calibration_failed": ((r"^(?P<t1>\S+), largest error (?P<n1>\S+) %$", "{t1}, sai số lớn nhất {n1} %"),),
    "worker_lost": (_WORKERS,),
    "lease_lapsed": (_WORKERS,),
    "worker_silent": ((r"^(?P<n1>\S+) s > (?P<n2>\S+) s$", "{n1} s, vượt giới hạn {n2} s"),),
    "clock_uncertain": ((r"^± (?P<n1>\S+) ms > (?P<n2>\S+) ms$", "± {n1} ms, vượt giới hạn {n2} ms"),),
    "rows_lost": (
        _WORKERS,
        (r"; (?P<n1>\d+) batches of nobody refused ", "; loại {n1} lô dữ liệu không rõ nguồn "),
        (r"; (?P<n1>\d+) batches of (?P<worker>\S+) refused ", "; loại {n1} lô dữ liệu của {worker} "),
    ),
    "arrivals_dropped": _OF_VISITS,
    "visits_cut_off": _OF_VISITS,
    "visits_unaccounted": ((r"^(?P<n1>\d+) planned, (?P<n2>\d+) ended$", "theo lịch {n1}, kết thúc {n2}"),),
    "only_our_client_rejects": ((r"^(?P<n1>\d+) answers$", "{n1} phản hồi"),),
    "our_own_files": (
        (rf"^(?P<journey>\w+): (?P<step>{_STEP}), ", "hành trình {journey}, bước {step}: "),
        (rf"^(?P<step>{_STEP}): ", "bước {step}: "),
    ),
    "generator_saturated": _LIMIT, "cpu_stolen": _LIMIT, "scheduler_lag": _LIMIT, "late_arrivals": _LIMIT, "gc_pause": _LIMIT, "reference_error": _LIMIT,
    "not_withdrawn": (
        (r"^never tried$", "chưa thử rút"),
        (r"^the platform has no withdrawal: .*$", "nền tảng không có chức năng rút hồ sơ"),
        (r"^the sweep's embedded portals are no longer up: .*$", "các cổng mẫu của đợt đo đã dừng"),
        (r"^not tried: (?P<n1>\d+) others failed one after another$", "chưa thử, vì {n1} hồ sơ liên tiếp không rút được"),
        (r"^not permitted now: .*$", "không được phép vào lúc đó theo văn bản cho phép"),
        (rf"^(?P<step>{_STEP}): .*? \((?P<outcome>\w+)\)", "bước {step}: {outcome}"),
        (r"; it may have been withdrawn all the same$", "; cũng có thể đã rút được"),
    ),
    "not_permitted": _PERMISSION,
    "journey_not_chosen": ((r"^(?P<journey>\w+)$", "hành trình {journey}"),),
}  # fmt: skip

# What scoring words behind a criterion's code, and of intervals.
_FIGURES: Final[Patterns] = (
    _ABSENT,
    *_PERMISSION,
    (r"share of a day, each hour alike, clustered by day", "tỷ lệ thời gian trong ngày, các giờ có trọng số như nhau, gộp theo ngày"),
    (
        r"(?P<n1>\d+) probes and (?P<n2>\d+) windows of (?P<n3>\d+) days, (?P<n4>\d+) of 24 hours",
        "{n1} lượt thăm dò và {n2} khung thời gian đo trong {n3} ngày, {n4}/24 giờ",
    ),
    (
        r"(?P<n1>\d+) in planned maintenance left out, (?P<n2>\d+) probes not counted",
        "không tính {n1} quan sát trùng với bảo trì có kế hoạch và {n2} lượt thăm dò khác",
    ),
    (r"(?P<n1>\d+) of (?P<n2>\d+) probes and windows", "{n1}/{n2} lượt thăm dò và khung thời gian đo"),
    (r"(?P<n1>\d+) of (?P<n2>\d+) hours of the day", "{n1}/{n2} giờ trong ngày"),
    (r"^no lone citizen got past a shared host on (?P<journeys>.+)$", "hành trình {journeys}"),
    (r"^nobody was sent on (?P<journeys>.+)$", "hành trình {journeys}"),
    (r"minimum to maximum of (?P<n1>\d+) windows", "nhỏ nhất đến lớn nhất của {n1} khung thời gian đo"),
    (r"(?P<n1>\d+) of (?P<n2>\d+)", "{n1}/{n2}"),
    (r"(?P<journey>\w+) stopped at (?P<step>\w+)", "{journey} dừng ở bước {step}"),
    (r"(?P<n1>\d+) with fewer than (?P<n2>\d+) steps", "{n1} khung thời gian đo có ít hơn {n2} bước"),
    (r" with at least (?P<n1>\d+) steps", " có ít nhất {n1} bước"),
    (r" with (?P<n1>\d+) figures of each role", " có {n1} số liệu của mỗi vai trò"),
    (r"share of windows, clustered by night", "tỷ lệ khung thời gian đo, gộp theo ngày đo"),
    (r"(?P<n1>\d+) in planned maintenance left out", "bỏ {n1} khung thời gian đo trùng với bảo trì có kế hoạch"),
    (r" windows", " khung thời gian đo"),
)


def detail_in_vietnamese(code: str, detail: str) -> str:
    """The figures of a reason."""
    return _worded(detail, _DETAILS.get(code, ()))


def figures_in_vietnamese(figures: str) -> str:
    """The figures of a criterion that was not assessed, or of an interval."""
    return _worded(figures, _FIGURES)


def _worded(text: str, patterns: Patterns) -> str:
    for pattern, vietnamese in patterns:
        text = re.sub(pattern, partial(_fill_in, vietnamese), text)
    return text


def _fill_in(vietnamese: str, found: re.Match[str]) -> str:
    return vietnamese.format(**{group: _written(group, text or "") for group, text in found.groupdict().items()})


def _written(group: str, text: str) -> str:
    kind = group.rstrip("0123456789")
    if kind in _NAMED:
        return phrase(f"{_NAMED[kind]}.{text}").vi
    return _CONVERSIONS[kind](text) if kind in _CONVERSIONS else text


def _number(text: str) -> str:
    return written_number(text).vi if re.fullmatch(r"\d+(\.\d+)?", text) else text


def _moment(text: str) -> str:
    try:
        return moment_text(text.replace(" +", "+")).vi
    except ValueError:
        return text


_NAMED: Final = {
    "journey": "journey",
    "goal": "goal",
    "step": "step",
    "outcome": "outcome",
    "owner": "owner",
    "stage": "stage",
    "limit": "permission",
    "cause": "settled",
}
_CONVERSIONS: Final[Mapping[str, Callable[[str], str]]] = {
    "n": _number, "t": _moment, "journeys": lambda text: ", ".join(phrase(f"journey.{name}").vi for name in text.split(", ")),
}  # fmt: skip

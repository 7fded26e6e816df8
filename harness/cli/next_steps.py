"""What may come after a command: the next command, with the names at hand, and what it is for."""

from __future__ import annotations

import shlex
from contextlib import suppress
from pathlib import Path
from typing import Final

from harness.cli.options import languages, say
from harness.evidence.reasons import Language

_PURPOSES: Final[dict[str, dict[Language, str]]] = {
    "explain": {"vi": "giải thích từng điểm số", "en": "how each point came about"},
    "settle": {"vi": "hai người kết luận về hành trình này", "en": "two persons decide about this journey"},
    "calibrate": {"vi": "hiệu chuẩn bộ đo trên máy này", "en": "compare the instrument with known delays"},
    "walk": {"vi": "đi thử một lượt, chưa tạo tải", "en": "one citizen walks it, without load"},
    "run": {"vi": "đo thử hệ thống này", "en": "measure it"},
    "dry_run": {"vi": "xem trước kế hoạch đo, không gửi gì", "en": "what a night would do; nothing is sent"},
    "without_dry_run": {"vi": "lệnh này, bỏ --dry-run, sẽ thực hiện", "en": "this command without --dry-run does it"},
    "validate": {"vi": "kiểm tra toàn bộ danh mục", "en": "check the whole catalog"},
    "listen": {"vi": "đo cùng các máy khác", "en": "measure together with other machines"},
    "follow": {"vi": "theo dõi đến khi đo xong", "en": "follow it to its end"},
    "resume": {"vi": "đo tiếp phần còn lại", "en": "go on with what is left"},
    "score": {"vi": "chấm điểm", "en": "score it"},
    "compare": {"vi": "so với một đợt đo khác", "en": "what has changed since another sweep"},
    "push": {"vi": "gửi điểm đến hệ thống đánh giá chung", "en": "send the scores to the main evaluation"},
    "serve": {"vi": "xem các đợt đo trên trang web", "en": "all sweeps as pages"},
    "seal": {"vi": "ký niêm phong đợt đo", "en": "sign the sweep"},
    "verify": {"vi": "bên ngoài kiểm tra", "en": "others check it"},
    "pack": {"vi": "đóng gói để gửi đi", "en": "put it into one file"},
    "init": {"vi": "người nhận tạo danh mục từ bộ tệp này", "en": "who receives it makes a catalog from it"},
    "reconcile": {"vi": "đối chiếu với số liệu của đơn vị vận hành", "en": "compare with the operator's own count"},
    "supply": {"vi": "đưa lịch sử thăm dò vào một đợt đo", "en": "put the histories into a sweep's evidence"},
}


def say_next(purpose: str, *command: str | Path) -> None:
    """Print a command that may come next on stderr; ``purpose``: a key above. Without a command only the purpose."""
    why = _PURPOSES[purpose][languages()[0]]
    with suppress(BrokenPipeError):  # what the command was asked for is done
        say(f"→ {shlex.join(['harness', *map(str, command)])}  # {why}" if command else f"→ {why}", err=True)

"""What may come after a command: the next command, with the names at hand, and what it is for."""

from __future__ import annotations

import shlex
from contextlib import suppress
from pathlib import Path
from typing import Final

import click

from harness.cli.options import languages, say
from harness.evidence.reasons import Language

_PURPOSES: Final[dict[str, dict[Language, str]]] = {
    "explain": {"vi": "giải thích từng điểm số", "en": "how each point came about"},
    "review": {"vi": "việc cần người xử lý sau đợt đo", "en": "what needs a person before it is published"},
    "settle_portal": {"vi": "hai người kết luận: lỗi thuộc về cổng", "en": "two persons decide: the portal is broken there"},
    "settle_profile": {"vi": "hoặc: mô tả cổng của bên đo không còn đúng", "en": "or: our profile was out of date or wrong"},
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
    "letter": {"vi": "viết văn bản gửi đơn vị vận hành", "en": "write the letters to the operators"},
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
        say(f"→ {typed(*command)}  # {why}" if command else f"→ {why}", err=True)


def typed(*command: str | Path) -> str:
    """A command as a shell takes it, from where this one was started.

    It names the catalog that this command was given, or the sweep that it is about was measured by; nothing where it takes no catalog.
    """
    root = click.get_current_context().find_root().command
    assert isinstance(root, click.Group)
    takes_it = any("--catalog" in option.opts for option in root.commands[str(command[0])].params)
    more = _catalog_option(command) if takes_it and "--catalog" not in command else ()
    return shlex.join(["harness", *map(str, (*command, *more))])


def _catalog_option(command: tuple[str | Path, ...]) -> tuple[str, ...]:
    params = click.get_current_context().params
    catalog, folder = params.get("catalog"), params.get("catalog_folder")
    given = folder or (catalog.extra_folder if catalog is not None else None)
    if given is not None:
        return ("--catalog", str(given))
    from harness.evidence.folder import catalog_option

    return next((found for each in command if isinstance(each, Path) and (found := catalog_option(each))), ())

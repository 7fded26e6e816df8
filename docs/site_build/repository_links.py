"""Hooks of MkDocs: links to files of the repository, which are no pages of the site, and a text that the theme has not translated."""

from __future__ import annotations

import re
from pathlib import Path
from posixpath import normpath

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import Files
from mkdocs.structure.pages import Page

_REPOSITORY = Path(__file__).resolve().parents[2]
_FENCE_OR_LINK = re.compile(r"^ *```.*?^ *```|(?<!!)\[(?P<text>[^\]]+)\]\((?P<path>[^)#\s:]+)\)", re.MULTILINE | re.DOTALL)


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """The page with such links as the file's path; a link inside a code block stays."""
    docs = Path(config.docs_dir).relative_to(_REPOSITORY).as_posix()

    def replaced(found: re.Match[str]) -> str:
        if found["path"] is None:
            return found[0]
        path = normpath(f"{docs}/{page.file.src_uri}/../{found['path']}")
        if path.startswith(f"{docs}/") or not (_REPOSITORY / path).exists():
            return found[0]
        text = found["text"].strip("`")
        return f"`{path}`" if text in path else f"{found['text']} (`{path}`)"

    return _FENCE_OR_LINK.sub(replaced, markdown)


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:
    """What the theme's Vietnamese leaves in English."""
    return output.replace("Initializing search", "Đang chuẩn bị tìm kiếm") if config.theme["language"] == "vi" else output

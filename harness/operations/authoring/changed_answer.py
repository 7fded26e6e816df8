"""What a draft expects of the answer to a request that changes something: what no answer before the change had.

A page that refuses a change often comes with status 200, and has all that the page with the form had. What it lacks is the redirect, and
what the page after the change says anew. Where a capture shows neither, the draft says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, Final
from urllib.parse import urlsplit

from harness.operations.authoring.capture import Chain
from harness.operations.authoring.draft_state import CaptureDraft
from harness.operations.authoring.drafted_request import DraftedRequest
from harness.operations.authoring.expected_answer import is_lasting, named_elements, tells
from harness.operations.authoring.har import Recorded
from harness.operations.authoring.learned import literal
from harness.operations.authoring.naming import MACHINE_MADE, identifier, is_secret_text
from harness.operations.authoring.tracing import scalars_of, selector
from harness.operations.authoring.typed_values import person_value
from harness.origins import without_fragment
from harness.pages import Page
from harness.pages.media import MediaKind
from harness.pages.text import readable_text, squeezed

_CHANGES: Final = {
    "withdraw": "withdrawn",
    "submit": "filed",
    "pay": "paid",
    "confirm_payment": "paid",
    "fill_in": "kept",
    "attach": "kept",
}
"""Steps whose requests change something, and what a citizen would say of it."""
_OUTCOMES: Final = frozenset({"withdraw", "submit", "pay", "confirm_payment"})
"""Steps in which what a script sends counts too; in others it may be a preview."""
_NO_CONTENT: Final = frozenset({201, 202, 204, 205})
"""Statuses that say by themselves that something was done (RFC 9110, section 15.3)."""
_ANY_HOST: Final = "^https?://[^/?#]+"
_ANY_PIECE: Final = "[^/?#]+"
_LONGEST = 80
"""Characters of a text that tells a page (assumed: longer ones are prose with names in it)."""
_SHORT = 40
"""Characters of a text that is a label or a message rather than a hint (assumed)."""
_DONE = re.compile(
    r"\bđã\b|thành công|tiếp nhận|\brút\b|hủy|huỷ|xóa|xoá|cảm ơn|success|accepted|received|thank|closed|cancel|withdr|delet|remov|resolved|saved"
    r"|added|created|sent\b|paid",
    re.IGNORECASE,
)
_NOT_DONE = re.compile(r"lỗi|không|sai\b|error|fail|invalid|refus|denied|warning|cannot|\bnot\b", re.IGNORECASE)
_OF_THE_TIME = re.compile(r"\d|\bago\b|just now|moment|second|minute|giây|phút|vừa|hôm nay|today", re.IGNORECASE)
_SAYS_HOW_IT_ENDED = re.compile(
    r"(?:^|\.)\"?(?:success|ok|status|state|result|code|message|msg|done|\w*(?:deleted|cancelled|withdrawn))\"?$", re.IGNORECASE
)


def expect_change(draft: CaptureDraft, drafted: DraftedRequest) -> None:
    """Add the rules that a page before the change would break. If there are none, ``unproven`` says what the rules do not show."""
    if not _changes(draft, drafted):
        return
    chain, page, expect = drafted.chain, drafted.page, drafted.rule["expect"]
    before = _before(draft, chain)
    is_told = "receipt" in drafted.rule.get("extract", {})
    target = chain.hops[1].url if len(chain.hops) > 1 else chain.last.location
    if target and _can_be_read(target):
        pattern = expect["redirect_to"] = _pattern(draft, target)
        has_name = re.search(r"\w", pattern.removeprefix(_ANY_HOST).replace(_ANY_PIECE, "")) is not None
        is_told |= has_name and _path(target) not in {_path(chain.first.url), *(_path(each.url) for each in before)}
    if page.status in _NO_CONTENT and not target:
        expect["status"] = page.status
        is_told = True
    known = expect.get("require_selector")
    is_told |= bool(before) and isinstance(known, str) and tells(known, before)
    if not is_told or drafted.step == "withdraw":
        is_told |= _expect_new(draft, drafted, before)
    if not is_told:
        drafted.unproven = _CHANGES[drafted.step]


def note_unproven(draft: CaptureDraft, drafted: DraftedRequest) -> None:
    """Say at the rules of a request, and to the person who reads the draft, that they hold without the change too."""
    rule, what = drafted.rule, drafted.unproven
    after = list(rule.items())[list(rule).index("expect") :]
    for key, _ in after:
        del rule[key]
    rule[f"# Not proven: these rules hold too if nothing was {what}. Look for what only the answer after it shows."] = None
    rule.update(after)
    said = (
        f"nothing in the capture tells its answer from one that refuses: its rules hold too if nothing was {what}. Look for what only the"
        " answer after it shows, and write it under `expect`"
    )
    draft.values.constants.append(drafted.chain.first.remark(said))


def _changes(draft: CaptureDraft, drafted: DraftedRequest) -> bool:
    first = drafted.chain.first
    if drafted.step not in _CHANGES or drafted.chain.polled or (first.kind in ("xhr", "fetch") and drafted.step not in _OUTCOMES):
        return False
    if first.method not in ("GET", "HEAD"):
        return not first.is_question
    later = draft.recorded[draft.recorded.index(first) + 1 :]  # a link may withdraw, or lead to the form that does
    return drafted.step == "withdraw" and all(each.method in ("GET", "HEAD") for each in later)


def _before(draft: CaptureDraft, chain: Chain) -> list[Page]:
    """The page that was shown, and all earlier answers at the paths of the request and of its answer."""
    paths = {_path(chain.first.url), _path(chain.last.page.url)}
    earlier = [each.page for each in _earlier(draft, chain) if _path(each.url) in paths and each.page.is_markup]
    return earlier if draft.shown is None else [*earlier, draft.shown]


def _earlier(draft: CaptureDraft, chain: Chain) -> Sequence[Recorded]:
    return draft.recorded[: draft.recorded.index(chain.first)]


def _can_be_read(url: str) -> bool:
    """Whether a redirect leads to anything that can be an address: http://[ cannot."""
    try:
        urlsplit(url)
    except ValueError:
        return False
    return True


def _path(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.netloc}{parts.path or '/'}"


def _pattern(draft: CaptureDraft, url: str) -> str:
    """The pattern of where a redirect led: its path and the beginning of its query. What differs between visits is left open."""
    parts = urlsplit(url)
    slugs = [slug for text in draft.values.known if len(slug := identifier(text, "")) >= 4]

    def written(text: str, otherwise: str) -> str:
        varies = text in draft.values.known or not text.isascii() or "%" in text or MACHINE_MADE.match(text) or is_secret_text(text)
        return otherwise if varies or any(slug in identifier(text, "") for slug in slugs) else re.escape(text).replace(r"\-", "-")

    path = "/".join(text and written(text, _ANY_PIECE) for text in parts.path.partition(";")[0].split("/"))
    end = "(?:;[^/?#]*)?" if ";" in parts.path else ""
    name, _, value = parts.query.partition("&")[0].partition("=")
    end += rf"\?(?:[^#]*&)?{re.escape(name)}=" + (written(value, "") if re.fullmatch(r"[A-Za-z_-]+", value) else "") if name else "(?:#|$)"
    return f"{_ANY_HOST}{path if path.strip('/') else '/?'}{end}"


def _expect_new(draft: CaptureDraft, drafted: DraftedRequest, before: Sequence[Page]) -> bool:
    """Expect something of the answer that none before had; whether there is anything."""
    page, expect = drafted.page, drafted.rule["expect"]
    if page.kind is MediaKind.JSON:
        rule = next(_new_in_json(draft, drafted), None)
        if rule is not None:
            expect["json"] = rule
        return rule is not None
    is_gone = drafted.step == "withdraw" and _forbid_gone(draft, drafted)
    if not page.is_markup or not before:
        return is_gone
    texts = _new_texts(draft, page, before)
    if texts:
        css, text = min(texts, key=lambda item: (len(item[1]) > _SHORT, _DONE.search(item[1]) is None))
        if not any(text in each.readable for each in before):
            asked = expect.get("require_text", [])
            expect["require_text"] = [*asked, literal(text)] if isinstance(asked, list) else [asked, literal(text)]
            if not expect["require_text"][1:]:
                expect["require_text"] = literal(text)
        else:
            _also_require(expect, {"css": css, "containing": literal(text)})
        return True
    css = next((css for css in named_elements(page) if re.search(r"[#\[]", css) and is_lasting(css) and tells(css, before)), "")
    if css:
        _also_require(expect, css)
    return bool(css) or is_gone


def _also_require(expect: dict[str, Any], rule: Any) -> None:
    known = expect.get("require_selector")
    expect["require_selector"] = [rule] if known is None else [known, rule]


def _new_texts(draft: CaptureDraft, page: Page, before: Sequence[Page]) -> list[tuple[str, str]]:
    """Short texts, each with the selector of its element. They say the same to every visit, and no such element said them before."""
    typed = (item for each in draft.recorded for item in each.posted.typed if person_value(item.name, item.value))
    own = [text for text in (*draft.values.known, *draft.values.hidden, *(item.value for item in typed)) if len(text) >= 3]
    said = [each.readable for each in before]

    @cache
    def said_by(css: str) -> str:
        return "\n".join(squeezed(readable_text(node)) for each in before for node in each.nodes(css))

    found: dict[str, str] = {}
    for node in page.nodes("body *"):
        if node.tag in ("script", "style", "option", "time", "noscript", "template") or any(True for _ in node.iter()):
            continue
        text = squeezed(readable_text(node)).strip()
        if text in found or not _is_lasting_text(text) or text not in page.readable or any(each in text for each in own):
            continue
        css = selector(page, node)
        if not any(text in each for each in said) or text not in said_by(css):
            found[text] = css
    return [(css, text) for text, css in found.items()]


def _is_lasting_text(text: str) -> bool:
    """Whether another visit's page probably says the same: no time, no number, no name of a person, and no refusal."""
    if not 3 <= len(text) <= _LONGEST or sum(map(str.isalpha, text)) < 3 or _OF_THE_TIME.search(text) or _NOT_DONE.search(text):
        return False
    words = text.split()
    return _DONE.search(text) is not None or not (len(words) >= 2 and all(word[0].isupper() for word in words))


def _forbid_gone(draft: CaptureDraft, drafted: DraftedRequest) -> bool:
    """Forbid the dossier on a page that showed it until it was withdrawn."""
    page = drafted.page
    shown = [each.page for each in _earlier(draft, drafted.chain) if without_fragment(each.url) == without_fragment(page.url)][-1:]
    for text in dict.fromkeys((draft.receipt, draft.unique_text)):
        if len(text) >= 4 and any(each.holds(text) for each in shown) and not page.holds(text):
            drafted.rule["expect"]["forbid_text"] = "{{ " + draft.values.known[text][0] + " }}"
            return True
    return False


def _new_in_json(draft: CaptureDraft, drafted: DraftedRequest) -> Iterator[dict[str, Any]]:
    """Rules for the values by which an answer says how it ended. Such a value differs from earlier answers at its address, or is a word such as `ok`."""
    first = drafted.chain.first
    earlier = [scalars_of(each.page) for each in _earlier(draft, drafted.chain) if _path(each.url) == _path(first.url)]
    sent = {item.value for item in first.posted.typed}
    for path, value in scalars_of(drafted.page).items():
        if isinstance(value, str) and (value in draft.values.known or not value or len(value) > _LONGEST or _OF_THE_TIME.search(value)):
            continue
        says = (
            _SAYS_HOW_IT_ENDED.search(path) is not None
            and value is not False
            and (not isinstance(value, str) or not _NOT_DONE.search(value))
        )
        before = [scalars[path] for scalars in earlier if path in scalars]
        if says and value not in before if before else says and value not in sent:
            yield {"path": path, "equals": literal(value) if isinstance(value, str) else value}

"""The Vietnamese view holds no English and no code but proper names."""

from __future__ import annotations

import pytest

from harness import publish
from harness.evidence.reasons import CODES
from harness.publish.wording import PHRASES
from tests.publish import simulated_night as night
from tests.publish import unhappy_night
from tests.publish.pages import all_pages
from tests.publish.vietnamese import CODE, IN_ENGLISH, IN_VIETNAMESE, english_in, own_words

NAMES_IN_BOTH = {
    "agid", "pagopa", "btttt", "vneid", "nam", "student", "apdex",  # organisations, a country, statistics' names
    "cpu", "dns", "tls", "http", "csrf", "captcha", "gzip", "brotli", "sha", "utc", "json", "server", "timing", "totals", "pub", "pdf", "chromium",  # of computing
}  # fmt: skip
"""Words of more than two letters that texts of both languages have: names and abbreviations.

``Server-Timing`` is the name of a header, ``totals.json`` that of a file.
"""


def test_no_vietnamese_text_of_ours_has_an_english_word_or_a_code():
    assert {word for word in IN_ENGLISH & IN_VIETNAMESE if len(word) > 2} == NAMES_IN_BOTH
    assert {key: words.vi for key, words in PHRASES.items() if CODE.search(own_words(words.vi))} == {}


def test_the_unhappy_night_has_every_reason():
    assert {reason.code for reason in unhappy_night.REASONS} == CODES


@pytest.mark.parametrize("languages", [("vi",), ("vi", "en")])
def test_the_pages_of_an_unhappy_night_are_vietnamese_to_who_reads_vietnamese(languages, tmp_path):
    scores = unhappy_night.scores()
    rows = {person.portal: night.frame(person, windows=1, window_s=10) for person in night.PORTALS[:1]}
    publish.report(scores, unhappy_night.runs(), rows, tmp_path, languages, extras=unhappy_night.extras(scores))
    ids = {"binh-dinh", "bo-noi-vu"}
    assert english_in(all_pages(tmp_path), frozenset(ids)) == []


def test_english_and_codes_are_found_where_they_stand():
    page = '<p>Lượt <span lang="en">visits</span> at <b title="wrong_content">10</b></p><code>harness settle</code><td data-vi="Windows">vòng</td>'
    assert [found.partition(":")[0] for found in english_in(page)] == ["wrong_content", "wrong", "content", "Windows"]

from __future__ import annotations

import base64
import re
import shutil
from dataclasses import replace
from hashlib import sha256
from html.parser import HTMLParser

import httpx
import pytest

from harness import publish
from harness.catalog.not_charged import FinalState
from harness.errors import UsageError
from harness.evidence.facts import Reason, Verdict, WindowFacts
from harness.publish import ReportExtras
from tests.publish import simulated_night as night
from tests.publish.pages import all_pages, page_of, portal_pages
from tests.publish.served import served

VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}


class Page(HTMLParser):
    """The elements of a page, whether they close in order, and the text of each language."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[tuple[str, dict[str, str | None]]] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {"vi": [], "en": [], "": []}
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append((tag, dict(attrs)))

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open, f"</{tag}> closes nothing"
        assert self.open[-1][0] == tag, f"</{tag}> closes <{self.open[-1][0]}>"
        self.open.pop()

    def handle_data(self, data):
        if not any(tag in ("style", "title") for tag, _ in self.open):
            languages = [attrs["lang"] for tag, attrs in self.open if tag in ("span", "tspan") and attrs.get("lang")]
            self.texts[languages[-1] if languages else ""].append(data)


@pytest.fixture(scope="session")
def frames():
    return {person.portal: night.frame(person, rate_per_s=2.0, windows=3) for person in night.PORTALS}


@pytest.fixture(scope="session")
def one_card(scores):
    return replace(scores, scorecards=scores.scorecards[:1])


@pytest.fixture(scope="session")
def folder(scores, frames, tmp_path_factory):
    extras = publish.ReportExtras(
        provenance=night.PROVENANCE, health=tuple(night.health_readings()), ranks={"binh-dinh": (1, 1), "bo-noi-vu": (2, 3)},
        zero_round_trip={"binh-dinh": 16.9}, shortened=True, rounds=night.rounds(),
    )  # fmt: skip
    runs = [night.run_facts(person) for person in night.PORTALS]
    return publish.report(scores, runs, frames, tmp_path_factory.mktemp("report"), extras=extras).parent


@pytest.fixture(scope="session")
def text(folder):
    return (folder / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def page(text):
    return Page(text)


@pytest.fixture(scope="session")
def pages(page, folder):
    """The page of the sweep and those of its portals."""
    return [page, *map(Page, portal_pages(folder))]


def test_the_pages_are_well_formed_and_small(text, pages, folder):
    assert len(pages) == 1 + len(night.PORTALS)
    assert [page.open for page in pages] == [[]] * len(pages)
    assert len(text.encode()) < 3_000_000
    assert max(len(page.encode()) for page in portal_pages(folder)) < 1_000_000


def test_the_pages_ask_nobody_for_anything(pages):
    elements = [element for page in pages for element in page.elements]
    for tag, attrs in elements:
        assert tag not in {"iframe", "object", "embed", "img"}
        for name in ("src", "href", "xlink:href", "action", "srcset"):
            if attrs.get(name):
                assert attrs[name].startswith(("#", "data:", "report/p", "../report.html#", "p")), (tag, attrs[name])
    assert not any("url(http" in (value or "") or "@import" in (value or "") for _, attrs in elements for value in attrs.values())


def test_each_page_has_the_script_of_languages_the_sweeps_one_more_and_policies_name_them(text, pages):
    assert [sum(tag == "script" for tag, _ in page.elements) for page in pages] == [2] + [1] * (len(pages) - 1)
    scripts = re.findall(r"<script>(.*?)</script>", text, flags=re.DOTALL)
    policies = [attrs["content"] for page in pages for tag, attrs in page.elements if tag == "meta" and "http-equiv" in attrs]
    digests = [f"'sha256-{base64.b64encode(sha256(script.encode()).digest()).decode()}'" for script in scripts]
    assert policies[0].endswith(f"; script-src {digests[0]} {digests[1]}")
    assert all(policy.endswith(f"; script-src {digests[0]}") for policy in policies[1:])


def test_vietnamese_comes_first_and_both_languages_say_the_same_number_of_things(page):
    radios = [attrs for tag, attrs in page.elements if tag == "input"]
    assert [attrs["id"] for attrs in radios] == ["choose-vi", "choose-en"]
    assert "checked" in radios[0]
    assert "checked" not in radios[1]
    spoken = [attrs["lang"] for tag, attrs in page.elements if tag in ("span", "tspan") and "lang" in attrs]
    assert spoken.count("vi") == spoken.count("en") > 50


def test_every_portal_has_a_page_with_its_charts_and_its_verdict(pages):
    articles = [[attrs["id"] for tag, attrs in page.elements if tag == "article"] for page in pages]
    assert articles == [[], *([f"p{place}"] for place in range(1, 7))]
    labels = [attrs["aria-label"] for page in pages for tag, attrs in page.elements if tag == "svg" and attrs.get("aria-hidden") != "true"]
    for words in (
        "Time of each step",
        "Metric per window",
        "Arrivals, citizens in flight, waiting and failures",
        "Waiting against arrivals",
        "What the time of each step is spent on",
        "Points and their interval",
        "Health of the generator",
    ):
        assert sum(words in label for label in labels) >= 5
    for page in (pages[0], pages[-1]):
        assert any("A lone citizen is refused too" in text for text in page.texts["en"])
        assert any("từ chối truy cập ngay cả khi chỉ có một người dùng" in text for text in page.texts["vi"])


def test_numbers_have_the_decimal_sign_of_their_language(scores, pages):
    points = scores.scorecards[0].points
    for page in pages[:2]:
        assert f"{points:.1f}" in page.texts["en"]
        assert f"{points:.1f}".replace(".", ",") in page.texts["vi"]


def test_what_was_not_assessed_is_listed_with_its_reason(pages):
    said = "".join(text for page in pages[1:] for text in page.texts["en"])
    assert said.count("the operator supplied no server figures") == len(night.PORTALS)


def test_evidence_manifest_and_provisional_are_there(scores, text, folder):
    for card in scores.scorecards:
        assert card.evidence[0].sha256 in page_of(folder, card.portal)
    for words in (night.PROVENANCE.plan_sha256, "gấp 1,46 lần mức sử dụng thực tế", "1.46 times usage", "2,88 lượt/giây", "1.97 visits/s"):
        assert words in text
    for words in ("TẠM THỜI", "PROVISIONAL", "RÚT NGẮN", "SHORTENED"):
        assert all(words in page for page in (text, *portal_pages(folder)))


def test_a_final_set_of_full_length_is_neither_provisional_nor_shortened(one_card, tmp_path):
    text = written(replace(one_card, criteria_set=replace(one_card.criteria_set, provisional=False)), tmp_path)
    assert not re.search("TẠM THỜI|RÚT NGẮN|PROVISIONAL|SHORTENED", text)


def test_one_language_alone_leaves_no_trace_of_the_other(one_card, tmp_path):
    text = written(one_card, tmp_path, languages=("en",))
    assert "Kết luận" not in text
    assert "choose-vi" not in re.sub(r"<style>.*?</style>", "", text, flags=re.DOTALL)
    with pytest.raises(UsageError, match="languages"):
        publish.report(one_card, [], {}, tmp_path, languages=("fr",))


def test_the_same_input_gives_the_same_page(one_card, frames, tmp_path):
    one = {"binh-dinh": frames["binh-dinh"].head(500)}
    runs = [night.run_facts(night.PORTALS[0])]
    for name in ("a", "b"):
        publish.report(one_card, runs, one, tmp_path / name)
    for page in ("report.html", "report/p1.html"):
        assert (tmp_path / "a" / page).read_bytes() == (tmp_path / "b" / page).read_bytes()


def test_markup_in_names_stays_text(scores, tmp_path):
    hostile = "<script>alert(1)</script>\"'& $x$ 1.23456"
    card = replace(scores.scorecards[0], portal=hostile, name_vi=hostile, name_en="=cmd|'/c calc'!A1")
    publish.report(replace(scores, scorecards=(card,)), [], {}, tmp_path)
    for scripts, text in ((2, (tmp_path / "report.html").read_text(encoding="utf-8")), *((1, page) for page in portal_pages(tmp_path))):
        page = Page(text)
        assert sum(tag == "script" for tag, _ in page.elements) == scripts  # they are our own: see the policy
        assert hostile in page.texts["vi"]
        assert "=cmd|'/c calc'!A1" in page.texts["en"]


def test_what_a_portal_or_its_rows_say_stays_text_on_its_page(scores, frames, tmp_path):
    """Names of portal, criterion, host, step, journey and outcome; in texts, attributes and drawings."""
    hostile = '<script>alert(1)</script>"><img src=x onerror=alert(2)>\x1b[31m\r'
    rows = frames["quang-ngai"].head(400).copy()
    for column, name in (("step", "search"), ("journey", "pay"), ("host_owner", "identity"), ("outcome", "wrong_content")):
        rows[column] = rows[column].cat.rename_categories({name: f"{hostile}{name}"})
    rows["host"] = rows["host"].cat.rename_categories(lambda host: f"{host}{hostile}")
    card = next(card for card in scores.scorecards if card.portal == "quang-ngai")
    card = replace(card, name_vi=hostile, name_en=hostile, criteria=tuple(replace(each, name_vi=hostile) for each in card.criteria))
    extras = publish.ReportExtras(rounds=night.rounds())
    runs = [night.run_facts(night.PORTALS[4])]
    publish.report(replace(scores, scorecards=(card,)), runs, {"quang-ngai": rows}, tmp_path, extras=extras)
    (text,) = portal_pages(tmp_path)
    page = Page(text)
    assert page.open == []
    assert [tag for tag, _ in page.elements if tag in ("script", "img")] == ["script"]  # our own: see the policy
    assert not any(name.startswith("on") for _, attrs in page.elements for name in attrs)
    assert not set(text) & {"\x1b", "\r"}
    assert text.count("&lt;script&gt;") > 20


def test_a_portal_with_nothing_but_a_verdict_has_a_page(scores, tmp_path):
    card = replace(scores.scorecards[-1], criteria=(), evidence=(), reasons=(Reason("a_code_of_tomorrow", "42"),), verdict=Verdict.VOID)
    assert "a_code_of_tomorrow (42)" in written(replace(scores, scorecards=(card,)), tmp_path)


def test_reasons_of_a_void_window_are_told(one_card, tmp_path):
    run = night.run_facts(night.PORTALS[0])
    void = replace(run.windows[2], verdict=Verdict.VOID, reasons=(Reason("worker_lost", "w1"),))
    assert isinstance(void, WindowFacts)
    run = replace(run, windows=(*run.windows[:2], void, *run.windows[3:]))
    assert "A worker was lost during the window" in written(one_card, tmp_path, runs=[run])


def test_a_name_of_one_line_here_and_two_there_is_whole_in_both(scores, tmp_path):
    card = scores.scorecards[0]
    long = replace(card.criteria[0], name_vi="Ngắn gọn", name_en="Visits for a submission of a dossier that end well")
    page = Page(written(replace(scores, scorecards=(replace(card, criteria=(long,)),)), tmp_path))
    assert "Ngắn gọn" in page.texts["vi"]
    assert {"Visits for a submission of a", "dossier that end well"} <= set(page.texts["en"])


def written(scores, folder, *, languages=("vi", "en"), runs=(), extras=None):
    """All pages, one after the other."""
    publish.report(scores, runs, {}, folder, languages, extras=extras)
    return all_pages(folder)


@pytest.fixture(scope="module")
def many(scores, frames, tmp_path_factory):
    """The pages of fourteen portals, two of them with rows."""
    folder = tmp_path_factory.mktemp("many")
    card = replace(scores.scorecards[0], criteria=scores.scorecards[0].criteria[:1])
    cards = tuple(replace(card, portal=f"portal-{i:02d}", points=float(i)) for i in range(14))
    rows = {"portal-13": frames["binh-dinh"].head(2000), "portal-00": frames["binh-dinh"].head(2000)}
    publish.report(replace(scores, scorecards=cards), [], rows, folder, extras=publish.ReportExtras(shortened=True))
    return folder


def test_each_portal_has_a_page_that_the_sweeps_page_links_to(many):
    overview = Page((many / "report.html").read_text(encoding="utf-8"))
    found = [attrs["href"] for tag, attrs in overview.elements if tag == "a" and attrs["href"].startswith("report/")]
    links = list(dict.fromkeys(found))
    assert links == [f"report/p{i}.html" for i in range(1, 15)]
    assert not [attrs for tag, attrs in overview.elements if tag == "article"]
    first = Page((many / links[0]).read_text(encoding="utf-8"))
    assert [attrs["id"] for tag, attrs in first.elements if tag == "article"] == ["p1"]
    charts = [attrs for tag, attrs in first.elements if tag == "svg" and attrs.get("aria-hidden") != "true"]
    steps = sum(map(len, night.JOURNEYS.values()))
    assert len(charts) == steps + 4  # the points, one criterion against its thresholds and in each window, the phases
    assert {"RÚT NGẮN" in "".join(page.texts["vi"]) for page in (overview, first)} == {True}


def test_links_between_the_pages_lead_somewhere(many):
    for path in (many / "report.html", many / "report" / "p1.html", many / "report" / "p14.html"):
        for tag, attrs in Page(path.read_text(encoding="utf-8")).elements:
            if tag == "a":
                file, _, anchor = attrs["href"].partition("#")
                target = (path.parent / file) if file else path
                assert not anchor or f'id="{anchor}"' in target.read_text(encoding="utf-8"), attrs["href"]
                assert target.is_file()


def test_portal_pages_are_served(many, tmp_path):
    shutil.copytree(many, tmp_path / "night")
    (tmp_path / "night" / "report" / "notes.html").write_text("not ours", encoding="utf-8")
    with served(tmp_path) as url:
        assert httpx.get(f"{url}sweeps/night/report/p3.html").status_code == 200
        for path in ("report/p99.html", "report/notes.html", "report/..%2freport.html", "report/p3.html/.."):
            assert httpx.get(f"{url}sweeps/night/{path}").status_code == 404


def test_what_citizens_left_stands_beside_what_the_portal_counted(one_card, tmp_path):
    claim = publish.Claim("binh-dinh", 12, 5, 11, None, ("H08.12.03-261121-0042",), ())
    text = publish.report(one_card, [], {}, tmp_path, extras=publish.ReportExtras(claims=(claim,))).read_text(encoding="utf-8")
    assert "H08.12.03-261121-0042" in text
    assert "Dossiers and payments left at the portals" in text


def test_failures_and_lateness_stand_beside_each_worker(one_card, tmp_path):
    few, many = (
        publish.WorkerFigures("hanoi_1", 6, 0, 6, 600, 3, 0, 2.0, 9.0, 20.0),
        publish.WorkerFigures("hue_2", 6, 1, 6, 400, 100, 4, 4.0, 80.0, 30.0),
    )
    text = publish.report(one_card, [], {}, tmp_path, extras=publish.ReportExtras(workers=(few, many))).read_text(encoding="utf-8")
    (table,) = re.findall(r"Failures and lateness by worker.*?</table>", text, re.DOTALL)
    lines = [re.sub(r"<[^>]+>|\s+", " ", line).split() for line in table.split("<tr>")[2:]]
    assert [line[0] for line in lines] == ["hanoi_1", "hue_2"]
    assert {"100", "25,0", "25.0", "80,0", "80.0"} <= set(lines[1]), "in both languages"
    assert lines[1][-3:] == ["1", "/", "6"]
    alone = publish.report(one_card, [], {}, tmp_path).read_text(encoding="utf-8")
    assert "by worker" not in alone


def test_an_unproven_journey_is_shown_with_step_rule_page_and_both_causes(scores, tmp_path):
    changed = night.with_unproven(scores)
    text = written(changed, tmp_path)
    page = Page(text)
    said = {language: " ".join("".join(page.texts[language]).split()) for language in ("vi", "en")}
    assert "chưa xác nhận được" in said["vi"]
    assert "the portal is broken at this step" in said["en"]
    assert "our profile of it is out of date" in said["en"]
    assert "hệ thống hỏng ở bước này" in said["vi"]
    assert "no lone citizen got through a journey that it needs (submit stopped at log_in)" in said["en"]
    assert "Nộp hồ sơ dừng ở bước đăng nhập" in said["vi"]
    assert "forbid_text &lt;b&gt;Hết phiên&lt;/b&gt;" in text
    assert 'href="../pages/binh-dinh/submit-1.html"' in page_of(tmp_path, "binh-dinh")
    assert "unproven" not in written(scores, tmp_path)


def test_a_journey_that_stops_at_a_wall_has_causes_of_its_own(scores, tmp_path):
    card = night.with_unproven(scores).scorecards[0]
    walled = replace(night.UNPROVEN, outcome="blocked", rule="captcha")
    detail = "submit/file/log_in, blocked, captcha, × 3"
    for journeys, both in (((walled,), False), ((walled, night.UNPROVEN), True)):
        changed = replace(card, unproven=journeys, reasons=(Reason("journey_unproven", detail),))
        page = Page(written(replace(scores, scorecards=(changed, *scores.scorecards[1:])), tmp_path))
        said = {language: " ".join("".join(page.texts[language]).split()) for language in ("vi", "en")}
        assert "(2) our rule mistakes an ordinary page for a wall" in said["en"]
        assert "(2) quy tắc của bộ đo nhận nhầm một trang thường là tường chắn" in said["vi"]
        assert "On one journey the lone citizen meets a wall" in said["en"]
        assert "mọi lượt đơn lẻ đều gặp tường chắn" in said["vi"]
        assert "a wall, by the rule" in said["en"]
        assert ("our profile of it is out of date" in said["en"]) is both


def test_each_criterion_says_which_windows_gave_its_points(scores, tmp_path):
    text = written(night.with_unproven(scores), tmp_path)
    assert "mean of the windows&#39; points" in text
    assert "trung bình cộng điểm của các khung thời gian đo" in text
    assert "points of the median window" in text


def test_the_page_says_after_how_many_nights_a_state_is_final(scores, tmp_path):
    state = FinalState(nights=3, consequence="no_points", basis="assumed", source="a test")
    person = FinalState(nights=2, consequence="person", basis="assumed", source="a test")
    extras = ReportExtras(states={"blocked": state, "unproven": person})
    page = written(night.with_unproven(scores), tmp_path, extras=extras)
    assert page.count("This state is final after 3 nights in a row; then there are no points") == 2  # in the legend, and at the portal
    assert page.count("This state is final after 2 nights in a row; then a person decides, on the record (assumed).") == 2
    assert "Trạng thái này được coi là kết quả cuối cùng sau 3 ngày đo liên tiếp" in page


def test_a_limit_on_our_address_stands_once_for_each_window_and_beside_the_verdict(scores, tmp_path):
    """The reasons of the card have it already. That a lone citizen's short window has no figures of health says nothing."""
    run = night.run_facts(night.PORTALS[0])
    alone = replace(run.windows[0], window=90, stage="lone", verdict=Verdict.VOID, reasons=(Reason("no_health"),))
    limited = replace(run.windows[1], verdict=Verdict.BLOCKED, reasons=(Reason("address_limit", "9 of 12 visits"),))
    void = replace(run.windows[2], verdict=Verdict.VOID, reasons=(Reason("stopped_early"),))
    run = replace(run, windows=(alone, run.windows[0], limited, void, *run.windows[3:]))
    card = replace(scores.scorecards[0], reasons=(Reason("address_limit", "round 1, window 1: 9 of 12 visits"),))
    scores = replace(scores, scorecards=(card, *scores.scorecards[1:]))
    extras = ReportExtras(states={"address_limit": FinalState(nights=1, consequence="person", basis="assumed", source="a test")})
    page = written(scores, tmp_path, runs=[run], extras=extras)
    assert "Nothing is known of the generator" not in page
    for own in ((tmp_path / "report.html").read_text(encoding="utf-8"), page_of(tmp_path, "binh-dinh")):
        assert (own.count("9 of 12 visits"), own.count("9/12 lượt")) == (1, 1)  # once a language
    assert page.count("stopped in the middle of the window") == 1
    assert page.count("Limit on our address") == 4  # in the matrix, at the state, and twice before the nights after which it is final
    assert "This state is final after 1 nights in a row; then a person decides" in page


@pytest.mark.parametrize(
    ("points", "vi", "en"),
    [
        (
            11.25,
            "Điểm khi không tính các khung thời gian đo bù : 11,2 / 15 · 11,0 – 11,5",
            "Points without the make-up windows : 11.2 / 15 · 11.0 – 11.5",
        ),
        (None, "không có điểm, vì còn lại quá ít khung thời gian đo", "none, because too few windows are left"),
    ],
)
def test_points_without_make_up_windows_stand_beside_the_points(scores, tmp_path, points, vi, en):
    run = night.run_facts(night.PORTALS[0])
    again = replace(run.windows[0], window=9, make_up_of=2)
    text = written(night.with_make_up(scores, points), tmp_path, runs=[replace(run, windows=(*run.windows, again))])
    shown = {language: " ".join(re.sub(r"<[^>]+>", " ", only(text, language)).split()).replace("–", " – ") for language in ("vi", "en")}
    for language, words, window in (("vi", vi, "9 ( thay cho 2)"), ("en", en, "9 ( for 2)")):
        assert re.sub(r" +", " ", words) in re.sub(r" +", " ", shown[language]), shown[language][:3000]
        assert window in shown[language]
    assert "đo bù" not in written(scores, tmp_path, runs=[run])


def only(text, language):
    """The page with the spans of one language alone."""
    other = {"vi": "en", "en": "vi"}[language]
    return re.sub(rf'<span lang="{other}">.*?</span>', "", text)

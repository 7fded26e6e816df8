"""Delta responses of ASP.NET change the page that is shown, as its script does."""

from __future__ import annotations

import pytest

from harness.pages import Page
from harness.pages.delta_response import delta_parts
from harness.pages.redirects import page_redirect
from harness.profiles.functions import FUNCTIONS
from harness.profiles.template import compile_value
from tests.pages.pages import page

START = """<html><body><form id="aspnetForm" method="post" action="./NopHoSo.aspx"><input type="hidden" name="__VIEWSTATE" id="__VIEWSTATE" value="cũ">
<select name="ctl00$tinh"><option value="01" selected>A</select><div id="ctl00_upXa"><select name="ctl00$xa"><option value="">–</select></div></form></body></html>"""


def delta(*parts: tuple[str, str, str], kind: str = "text/plain; charset=utf-8") -> Page:
    return page("".join(f"{len(content.encode('utf-16-le')) // 2}|{name}|{key}|{content}|" for name, key, content in parts), kind=kind)


PANEL = (
    '<select name="ctl00$xa"><option value="">–</option><option value="0101">Xã Thử | Nghiệm 😀</option></select><p>Đã <b>tải</b> xã</p>'
)
ANSWER = delta(("#", "", "4"), ("updatePanel", "ctl00_upXa", PANEL), ("hiddenField", "__VIEWSTATE", "mới=|x"), ("hiddenField", "__EVENTVALIDATION", "ev"),
               ("asyncPostBackControlIDs", "", ""), ("formAction", "", "./NopHoSo.aspx?buoc=2"), ("pageTitle", "", "Nộp"))  # fmt: skip


def test_the_page_that_is_shown_is_changed() -> None:
    from harness.catalog.profile import Form
    from harness.profiles.bodies import PageForm

    assert (ANSWER.is_partial, ANSWER.is_document) == (True, False)
    shown = page(START).changed_by(ANSWER)
    form = PageForm(
        Form.model_validate({"from_page": "#aspnetForm", "set": {"ctl00$xa": "0101"}}), lambda data: compile_value(data, FUNCTIONS)
    )
    filled = form.fill(shown, {}, lambda _: 0)
    assert filled.entries == [("__VIEWSTATE", "mới=|x"), ("ctl00$tinh", "01"), ("ctl00$xa", "0101"), ("__EVENTVALIDATION", "ev")]
    assert filled.action.endswith("/NopHoSo.aspx?buoc=2")


def test_the_answer_itself_is_read_by_its_panels_and_fields() -> None:
    field = ANSWER.first("#__VIEWSTATE")
    assert field is not None
    assert field.attributes["value"] == "mới=|x"
    assert ANSWER.holds("Đã tải xã")
    assert not ANSWER.holds("hiddenField")


def test_a_redirect_is_followed_as_one_of_a_script() -> None:
    found = page_redirect(delta(("pageRedirect", "", "%2fketqua.aspx%3fma%3d1")), {"script"})
    assert found is not None
    assert found.url.endswith("/ketqua.aspx?ma=1")


@pytest.mark.parametrize("text", ["", "5|abc", "1|#||4", "9|updatePanel|a|b|", "1|updatePanel|a|b|rest", "12|3|4|5|", "a|b|c|d|"])
def test_other_texts_are_none(text: str) -> None:
    assert delta_parts(text) == ()
    assert not page(text, kind="text/plain").is_partial

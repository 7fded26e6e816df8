"""A plain httpx client that walks the liferay family as docs/simulator.md describes it."""

from __future__ import annotations

import httpx
from selectolax.lexbor import LexborHTMLParser as HTMLParser

from .conftest import browser, get

BASE = "/web/dich-vu-cong"
NS = "_hoso_WAR_dvcportlet_"
NUMBER = "000123456789"
PDF = b"%PDF-1.4\n% h\xe1\xbb\x93 s\xc6\xa1 th\xe1\xbb\xad nghi\xe1\xbb\x87m\n"


def fields(page: str, form: str) -> tuple[str, dict[str, str]]:
    """A form's action and its present values."""
    node = HTMLParser(page).css_first(f"form#{form}")
    assert node is not None, f"no form#{form} in {page[:2000]}"
    values = {
        item.attributes["name"]: item.attributes.get("value") or ""
        for item in node.css("input")
        if item.attributes.get("type") not in ("checkbox", "file", "radio", "submit")
    }
    for choice in node.css("select"):
        chosen = choice.css_first("option[selected]") or choice.css_first("option")
        values[choice.attributes["name"]] = chosen.attributes.get("value") or ""
    return node.attributes["action"], values


def text(page: str, selector: str) -> str:
    node = HTMLParser(page).css_first(selector)
    assert node is not None, f"no {selector} in {page[:3000]}"
    return node.text().strip()


def link(page: str, selector: str) -> str:
    node = HTMLParser(page).css_first(selector)
    assert node is not None, f"no {selector} in {page[:3000]}"
    return node.attributes["href"]


class Citizen:
    """One browser; redirects followed, so that the last page is what is looked at."""

    def __init__(self, portal: str, identity: str, number: str = NUMBER) -> None:
        self.http = browser(base_url=portal, follow_redirects=True)
        self.identity = identity
        self.number = number

    def log_in(self, page: httpx.Response) -> httpx.Response:
        """From the identity provider's form back to where the portal wanted the citizen."""
        assert str(page.url).startswith(self.identity)
        action, form = fields(page.text, "dang-nhap")
        form |= {"so_dinh_danh": self.number, "ho_ten": "Nguyễn Thử Nghiệm", "mat_khau": "Thu@" + self.number[-6:]}
        return self.http.post(self.identity + action, data=form)

    def open_procedure(self, keyword: str = "khai sinh") -> httpx.Response:
        results = self.http.get(f"{BASE}/thu-tuc", params={"_thutuc_WAR_dvcportlet_keywords": keyword})
        return self.http.get(link(results.text, "a.thu-tuc"))

    def start(self, keyword: str = "khai sinh") -> httpx.Response:
        """The first step's page, logged in."""
        return self.log_in(self.http.get(link(self.open_procedure(keyword).text, "a#nop-ho-so")))

    def fill_in(self, page: httpx.Response, **change: str) -> httpx.Response:
        action, form = fields(page.text, "applicant")
        form |= {
            NS + "ngaySinh": "01/02/1990",
            NS + "dienThoai": "0000123456",
            NS + "diaChi": "Số 1, phố Thử Nghiệm",
            NS + "xaPhuong": "Xã Thử Nghiệm 3",
        }
        return self.http.post(action, data=form | change)

    def attach(self, page: httpx.Response, content: bytes = PDF) -> httpx.Response:
        action, form = fields(page.text, "dossier")
        form[NS + "noiDung"] = "Hồ sơ thử nghiệm, đề nghị không xử lý"
        return self.http.post(action, data=form, files={NS + "tepDinhKem": ("tờ khai.pdf", content, "application/pdf")})

    def confirm(self, page: httpx.Response, **change: str) -> httpx.Response:
        action, form = fields(page.text, "confirm")
        return self.http.post(action, data=form | {NS + "camDoan": "1"} | change)

    def submit(self, keyword: str = "khai sinh") -> httpx.Response:
        """The receipt."""
        return self.confirm(self.attach(self.fill_in(self.start(keyword))))

    def pay(self, code: str) -> httpx.Response:
        """The portal's page after the gateway."""
        action, form = fields(self.http.get(f"{BASE}/le-phi", params={"maHoSo": code}).text, "payment")
        gateway = self.http.post(action, data=form)
        action, form = fields(gateway.text, "thanh-toan")
        return self.http.post(gateway.url.join(action), data=form)

    def withdraw(self, code: str) -> httpx.Response:
        action, form = fields(self.http.get(f"{BASE}/ho-so-cua-toi", params={"maHoSo": code}).text, "withdraw")
        return self.http.post(action, data=form | {NS + "lyDo": "Thử nghiệm xong"})


def track(portal: str, code: str) -> str:
    """The tracking page, as a browser that has never been here sees it."""
    return get(f"{portal}{BASE}/tra-cuu", params={"maHoSo": code}).text

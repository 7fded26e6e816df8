"""Each family's whole journey by plain httpx, as docs/simulator.md describes it: find, file, pay, track, withdraw."""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
from selectolax.lexbor import LexborHTMLParser as HTMLParser

from .citizen import BASE, NUMBER, PDF, Citizen, fields, link, text
from .conftest import Running, browser, get, post

CODE = r"H\d\d\.\d\d\.\d\d-\d{6}-\d{4,}"


class RejectedError(Exception):
    """The portal said no to a submission."""


@dataclass
class Walk(ABC):
    """One citizen on one portal; ``keyword`` decides whether there is a fee."""

    running: Running
    id: str
    keyword: str = "khai sinh"
    number: str = NUMBER

    def __post_init__(self) -> None:
        self.url = self.running.portals[self.id]
        self.http = browser(base_url=self.url, follow_redirects=True)

    def identify(self, page: httpx.Response) -> httpx.Response:
        assert str(page.url).startswith(self.running.identity), page.url
        action, form = fields(page.text, "dang-nhap")
        form |= {"so_dinh_danh": self.number, "ho_ten": "Nguyễn Thử Nghiệm", "mat_khau": "Thu@" + self.number[-6:]}
        return self.http.post(self.running.identity + action, data=form)

    def pay_at(self, page: httpx.Response) -> httpx.Response:
        assert str(page.url).startswith(self.running.payment), page.url
        action, form = fields(page.text, "thanh-toan")
        return self.http.post(page.url.join(action), data=form)

    @abstractmethod
    def file(self) -> str:
        """Submits; answers the code."""

    @abstractmethod
    def pay(self, code: str) -> str:
        """What the portal says of the payment afterwards."""

    @abstractmethod
    def status(self, code: str) -> str:
        """What a browser without a login sees."""

    @abstractmethod
    def withdraw(self, code: str) -> None:
        """Takes the dossier back."""


class LiferayWalk(Walk):
    def __post_init__(self) -> None:
        super().__post_init__()
        self.citizen = Citizen(self.url, self.running.identity, self.number)

    def file(self) -> str:
        page = self.citizen.submit(self.keyword)
        if not (found := HTMLParser(page.text).css_first("#ma-ho-so")):
            raise RejectedError(page.text)
        return found.text()

    def pay(self, code: str) -> str:
        return text(self.citizen.pay(code).text, "#trang-thai-thanh-toan")

    def status(self, code: str) -> str:
        page = get(f"{self.url}{BASE}/tra-cuu", params={"maHoSo": code}).text
        return text(page, "#khong-tim-thay") if "khong-tim-thay" in page else text(page, "#trang-thai")

    def withdraw(self, code: str) -> None:
        self.citizen.withdraw(code)


class OpenCpsWalk(Walk):
    def rest(self, method: str, path: str, **more: Any) -> httpx.Response:
        return self.http.request(method, f"/o/rest/v2{path}", headers={"groupId": "35166", "Token": getattr(self, "token", "")}, **more)

    def log_in(self) -> None:
        page = self.identify(self.http.get("/c/portal/login", params={"redirect": "/"}))
        self.token = re.search(r"authToken = '(\w+)'", page.text)[1]

    def file(self) -> str:
        service = self.rest("GET", "/serviceinfos", params={"keyword": self.keyword, "start": 0, "end": 10}).json()["data"][0]
        detail = self.rest("GET", f"/serviceinfos/{service['serviceInfoId']}").json()
        self.log_in()
        ward = self.rest("GET", "/wards").json()["data"][2]["itemName"]
        applicant = {
            "serviceCode": service["serviceCode"], "govAgencyCode": detail["serviceConfigs"][0]["govAgencyCode"], "applicantName": "Nguyễn Thử Nghiệm",
            "applicantIdNo": self.number, "applicantIdDate": "01/02/1990", "contactTelNo": "0000123456", "contactEmail": "", "address": "Số 1", "wardName": ward,
        }  # fmt: skip
        self.dossier = self.rest("POST", "/dossiers", data=applicant).json()["dossierId"]
        files = {"file": ("tờ khai.pdf", PDF, "application/pdf")}
        file = self.rest("POST", f"/dossiers/{self.dossier}/files", data={"dossierPartNo": "TP01"}, files=files).json()["referenceUid"]
        self.rest(
            "PUT", f"/dossiers/{self.dossier}/files/{file}/formdata", data={"formdata": json.dumps({"noiDung": "Thử nghiệm"})}
        ).raise_for_status()
        answer = self.rest("POST", f"/dossiers/{self.dossier}/submit")
        if not answer.is_success or not answer.json()["dossierNo"]:
            raise RejectedError(answer.text)
        return answer.json()["dossierNo"]

    def pay(self, code: str) -> str:
        reference = self.rest("GET", f"/dossiers/{self.dossier}/payment").json()["referenceUid"]
        url = self.rest("GET", f"/dossiers/{self.dossier}/payments/{reference}/epaymentprofile").json()["paygate"]["url"]
        self.pay_at(self.http.get(url))
        status = self.rest("GET", f"/dossiers/{self.dossier}/payment").json()["paymentStatus"]
        return {5: "Đã thanh toán", 3: "Chưa xác nhận thanh toán", 4: "Thanh toán không thành công"}[status]

    def status(self, code: str) -> str:
        answer = get(f"{self.url}/o/rest/v2/dossiers/{code}", headers={"groupId": "35166"}).json()
        return answer.get("dossierStatusText") or answer["description"]

    def withdraw(self, code: str) -> None:
        self.rest("PUT", f"/dossiers/{self.dossier}/cancelling", data={"stepNote": "Thử nghiệm xong"}).raise_for_status()


class IgateFormioWalk(Walk):
    def api(self, method: str, path: str, **more: Any) -> httpx.Response:
        return self.http.request(method, f"/api{path}", headers={"Authorization": f"Bearer {getattr(self, 'bearer', 'none')}"}, **more)

    def log_in(self) -> None:
        callback = self.identify(self.http.get("/vi/sso/login"))
        said = self.http.post("/api/oidc/token", json=dict(callback.url.params)).json()
        self.bearer, self.refresh = said["access_token"], said["refresh_token"]

    def file(self) -> str:
        found = self.api("GET", "/basepad/procedure", params={"keyword": self.keyword, "page": 0, "size": 10}).json()["content"][0]
        detail = self.api("GET", f"/basepad/procedure/{found['id']}").json()
        self.log_in()
        self.api("GET", f"/eform/form/{detail['eForm']['id']}").raise_for_status()
        data = {
            "fullname": "Nguyễn Thử Nghiệm", "identityNumber": self.number, "birthday": "01/02/1990", "phoneNumber": "0000123456", "email": "",
            "address": "Số 1", "village": "Phường Thử Nghiệm 2", "content": "Thử nghiệm",
        }  # fmt: skip
        self.dossier = self.api("POST", "/padman/dossier", json={"procedureId": found["id"], "data": data}).json()["id"]
        path = f"/padman/dossier/{self.dossier}"
        files = [("files", ("một.pdf", PDF, "application/pdf")), ("files", ("hai.pdf", PDF, "application/pdf"))]
        stored = self.api("POST", "/fileman/file/--multiple", data={"dossierId": self.dossier}, files=files).json()
        components = [{"id": detail["components"][0]["id"], "quantity": 1, "file": [{"id": item["id"]} for item in stored]}]
        assert self.api("PUT", f"{path}/components", json={"components": components}).json()["affectedRows"] == 1
        self.paid = ""
        if self.api("GET", f"{path}/fee").json()["total"]:
            self.pay_at(self.http.get(self.api("POST", f"{path}/payment").json()["paymentUrl"]))
            self.paid = self.api("GET", f"{path}/payment").json()["statusName"]
        captcha = self.api("GET", f"{path}/captcha").json()["captchaToken"]
        answer = self.api("PUT", f"{path}/--submit", json={"captchaToken": captcha, "delivery": {"type": "online"}})
        if not answer.is_success or not answer.json()["affectedRows"]:
            raise RejectedError(answer.text)
        return answer.json()["code"]

    def pay(self, code: str) -> str:
        return self.paid

    def status(self, code: str) -> str:
        found = get(f"{self.url}/api/padman/dossier/--by-code", params={"code": code}).json()["content"]
        return found[0]["status"]["name"] if found else "Không tìm thấy hồ sơ"

    def withdraw(self, code: str) -> None:
        assert self.api("PUT", f"/padman/dossier/{self.dossier}/--withdraw", json={"reason": "Thử nghiệm xong"}).json()["affectedRows"] == 1


class IgatePhpWalk(Walk):
    def follow(self, page: httpx.Response) -> httpx.Response:
        """Redirects of a page: meta refresh, then script."""
        while found := re.search(r'http-equiv="refresh" content="0;url=([^"]+)"', page.text) or re.search(
            r"location\.href = '([^']+)'", page.text
        ):
            page = self.http.get(found[1])
        return page

    def post(self, page: httpx.Response, form: str, files: Any = None, **values: Any) -> httpx.Response:
        action, present = fields(page.text, form)
        return self.follow(self.http.post(action, data=present | values, files=files))

    def file(self) -> str:
        results = self.http.get("/dichvucong/tracuu", params={"tukhoa": self.keyword})
        detail = self.http.get(link(results.text, "a.ten-thu-tuc"))
        page = self.identify(self.http.get(link(detail.text, "a.nut-nop")))
        page = self.post(page, "frm_truonghop", truong_hop="Trường hợp thông thường")
        page = self.post(page, "frm_nguoinop", ngay_sinh="01/02/1990", dien_thoai="0000123456", dia_chi="Số 1", xa_phuong="Xã Thử Nghiệm 3")
        files = [("files[]", ("một.pdf", PDF, "application/pdf")), ("files[]", ("hai.pdf", PDF, "application/pdf"))]
        page = self.post(page, "frm_hoso", files=files, noi_dung="Thử nghiệm")
        self.paid = ""
        if "frm_lephi" in page.text:
            page = self.follow(self.pay_at(self.post(page, "frm_lephi")))
            self.paid = text(page.text, "#trang_thai_tt")
            if self.paid != "Đã thanh toán":
                raise RejectedError(page.text)
        page = self.http.get(link(page.text, "a.tiep-tuc"))
        page = self.post(page, "frm_xacnhan", cam_ket="on")
        if not (found := HTMLParser(page.text).css_first("b.so-ho-so")):
            raise RejectedError(page.text)
        return found.text()

    def pay(self, code: str) -> str:
        return self.paid

    def status(self, code: str) -> str:
        page = get(f"{self.url}/dichvucong/tracuuhoso", params={"mahoso": code}).text
        return text(page, "p.rong") if 'class="rong"' in page else text(page, "td.tinh-trang")

    def withdraw(self, code: str) -> None:
        self.post(self.http.get(f"/dich-vu-cong/ho-so/{code}"), "frm_rut", ly_do="Thử nghiệm xong")


class EformWalk(Walk):
    def form(self, page: httpx.Response, selector: str) -> tuple[str, dict[str, str], dict[str, str]]:
        """Action, hidden values, and the name behind each data-truong."""
        node = HTMLParser(page.text).css_first(f"form.{selector}")
        hidden = {item.attributes["name"]: item.attributes["value"] for item in node.css("input[type=hidden]")}
        names = {item.attributes["data-truong"]: item.attributes["name"] for item in node.css("[data-truong]")}
        return node.attributes["action"], hidden, names

    def file(self) -> str:
        results = self.http.get("/thu-tuc", params={"q": self.keyword})
        detail = self.http.get(link(results.text, ".card-title a"))
        page = self.identify(self.http.get(link(detail.text, "a.btn-apply")))
        action, hidden, names = self.form(page, "eform")
        values = {
            "ho-ten": "Nguyễn Thử Nghiệm", "so-cccd": self.number, "ngay-sinh": "01/02/1990", "dien-thoai": "0000123456", "email": "", "dia-chi": "Số 1",
            "xa-phuong": "Xã Thử Nghiệm 4", "noi-dung": "Thử nghiệm",
        }  # fmt: skip
        data = hidden | {names[key]: value for key, value in values.items()}
        page = self.http.post(action, data=data, files={names["tep"]: ("tờ khai.pdf", PDF, "application/pdf")})
        action, hidden, _ = self.form(page, "eform-confirm")
        page = self.http.post(action, data=hidden | {"dong_y": "1"})
        if not (found := re.search(f"Mã hồ sơ: ({CODE})", page.text)):
            raise RejectedError(page.text)
        return found[1]

    def pay(self, code: str) -> str:
        action, hidden, _ = self.form(self.http.get(f"/ho-so/{code}/thanh-toan"), "pay")
        return text(self.pay_at(self.http.post(action, data=hidden)).text, "p.payment-status")

    def status(self, code: str) -> str:
        fresh = browser(base_url=self.url)
        action, hidden, _ = self.form(fresh.get("/tra-cuu"), "track")
        page = fresh.post(action, data=hidden | {"ma_ho_so": code}).text
        return text(page, "p.empty") if 'class="empty"' in page else text(page, "dd.status")

    def withdraw(self, code: str) -> None:
        action, hidden, _ = self.form(self.http.get(f"/ho-so/{code}"), "withdraw")
        self.http.post(action, data=hidden | {"ly_do": "Thử nghiệm xong"})


class NationalWalk(Walk):
    def ask(self, service: str, **params: Any) -> Any:
        body = {"service": service, "provider": "dvcquocgia", "type": "ref", **params}
        return json.loads(self.http.post("/jsp/rest.jsp", data={"params": json.dumps(body)}).text)

    def csrf_of(self, page: httpx.Response) -> str:
        return HTMLParser(page.text).css_first("meta[name=csrf-token]").attributes["content"]

    def file(self) -> str:
        found = self.ask("procedure_advanced_search_service_v2", keyword=self.keyword, recordPerPage=10, pageIndex=1)[0]
        detail = self.http.get("/p/home/dvc-tthc-thu-tuc-hanh-chinh-chi-tiet.html", params={"ma_thu_tuc": found["ID"]})
        page = self.identify(self.http.get(link(detail.text, "a.btn-nop-truc-tuyen")))
        action, form = fields(page.text, "chon-dia-ban")
        commune = self.ask("dm_xa_phuong", parent="02")[1]["CODE"]
        page = self.http.post(action, data=form | {"tinh": "02", "xa": commune})
        assert str(page.url).startswith(self.running.form_hosts[self.id])
        action, form = fields(page.text, "bieu-mau")
        form |= {
            "NgaySinh": "01/02/1990",
            "DienThoai": "0000123456",
            "DiaChi": "Số 1",
            "XaPhuong": "Xã Thử Nghiệm 3",
            "NoiDung": "Thử nghiệm",
        }
        page = self.http.post(page.url.join(action), data=form, files={"TepDinhKem": ("tờ khai.pdf", PDF, "application/pdf")})
        action, form = fields(page.text, "xac-nhan")
        page = self.http.post(page.url.join(action), data=form | {"CamKet": ["true", "false"]})
        if not (found := HTMLParser(page.text).css_first("strong.ma-ho-so")):
            raise RejectedError(page.text)
        return found.text()

    def pay(self, code: str) -> str:
        page = self.http.get("/p/home/dvc-thanh-toan-truc-tuyen.html", params={"ma_ho_so": code})
        assert self.ask("payment_info_service", ma_ho_so=code)[0]["SO_TIEN"] > 0
        url = self.ask("payment_init_service", ma_ho_so=code, csrf=self.csrf_of(page))["payment_url"]
        return text(self.pay_at(self.http.get(url)).text, "b.trang-thai-tt")

    def status(self, code: str) -> str:
        body = {"service": "dossier_search_service", "provider": "dvcquocgia", "type": "ref", "ma_ho_so": code}
        found = json.loads(post(f"{self.url}/jsp/rest.jsp", data={"params": json.dumps(body)}).text)
        return found[0]["TRANG_THAI"] if found else "Không tìm thấy hồ sơ"

    def withdraw(self, code: str) -> None:
        token = self.csrf_of(self.http.get("/p/home/dvc-ho-so-cua-toi.html"))
        assert self.ask("dossier_withdraw_service", ma_ho_so=code, ly_do="Thử nghiệm xong", csrf=token)["error_code"] == "0"


WALKS: dict[str, Callable[..., Walk]] = {
    "liferay": LiferayWalk,
    "opencps": OpenCpsWalk,
    "igate-formio": IgateFormioWalk,
    "igate-php": IgatePhpWalk,
    "eform": EformWalk,
    "national": NationalWalk,
}

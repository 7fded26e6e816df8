"""The server-rendered families in a real Chromium, by clicking and typing: what people could do, a profile must be able to say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select, WebDriverWait

from tests.publish.browser import require_chromium

from .citizen import PDF
from .conftest import Running
from .walks import CODE

pytestmark = pytest.mark.browser
WAIT_S = 30


@pytest.fixture
def chromium() -> Iterator[webdriver.Chrome]:
    options = webdriver.ChromeOptions()
    options.binary_location, service = require_chromium()
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--no-proxy-server"):
        options.add_argument(argument)
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(service))
    try:
        yield driver
    finally:
        driver.quit()


class Hands:
    """What a person does with a page: looks for something, clicks, types."""

    def __init__(self, driver: webdriver.Chrome, folder: Path) -> None:
        self.driver = driver
        self.paper = folder / "tờ khai.pdf"
        self.paper.write_bytes(PDF)

    def see(self, selector: str) -> str:
        return WebDriverWait(self.driver, WAIT_S).until(lambda driver: driver.find_element(By.CSS_SELECTOR, selector)).text

    def click(self, selector: str) -> None:
        self.see(selector)
        self.driver.find_element(By.CSS_SELECTOR, selector).click()

    def type(self, selector: str, text: str) -> None:
        self.see(selector)
        field = self.driver.find_element(By.CSS_SELECTOR, selector)
        if field.get_attribute("type") != "file":
            field.clear()
        field.send_keys(text)

    def choose(self, selector: str, text: str) -> None:
        self.see(selector)
        Select(self.driver.find_element(By.CSS_SELECTOR, selector)).select_by_visible_text(text)

    def log_in(self) -> None:
        self.type("[name=so_dinh_danh]", "000123456789")
        self.type("[name=ho_ten]", "Nguyễn Thử Nghiệm")
        self.type("[name=mat_khau]", "Thu@456789")
        self.click("#dang-nhap button")

    def pay(self) -> None:
        self.choose("[name=ngan_hang]", "Ví điện tử Thử Nghiệm")
        self.click("#thanh-toan button")


def test_liferay(six: Running, chromium: webdriver.Chrome, tmp_path: Path) -> None:
    hands, fields = Hands(chromium, tmp_path), "[name=_hoso_WAR_dvcportlet_"
    chromium.get(six.portals["liferay"])
    hands.type("[name=_thutuc_WAR_dvcportlet_keywords]", "đăng ký khai sinh")
    hands.click("#tim-kiem button")
    hands.click("a.thu-tuc")
    hands.click("a#nop-ho-so")
    hands.log_in()
    for name, value in (("ngaySinh", "01/02/1990"), ("dienThoai", "0000123456"), ("diaChi", "Số 1, phố Thử Nghiệm")):
        hands.type(f"{fields}{name}]", value)
    hands.choose(f"{fields}xaPhuong]", "Xã Thử Nghiệm 3")
    hands.click("#applicant button")
    hands.type(f"{fields}noiDung]", "Hồ sơ thử nghiệm")
    hands.type(f"{fields}tepDinhKem]", str(hands.paper))
    hands.click("#dossier button")
    hands.click(f"{fields}camDoan]")
    hands.click("#confirm button")
    assert re.fullmatch(CODE, hands.see("#ma-ho-so"))
    hands.click("#nop-le-phi")
    hands.click("#payment button")
    hands.pay()
    assert hands.see("#trang-thai-thanh-toan") == "Đã thanh toán"


@pytest.mark.slow
def test_igate_php_with_its_script_and_meta_redirects(six: Running, chromium: webdriver.Chrome, tmp_path: Path) -> None:
    hands = Hands(chromium, tmp_path)
    chromium.get(six.portals["igate-php"])
    hands.type("[name=tukhoa]", "đăng ký kết hôn")
    hands.click("#frm_tracuu [type=submit]")
    hands.click("a.ten-thu-tuc")
    hands.click("a.nut-nop")
    hands.log_in()
    hands.click("#frm_truonghop [type=submit]")
    for name, value in (("ngay_sinh", "01/02/1990"), ("dien_thoai", "0000123456"), ("dia_chi", "Số 1")):
        hands.type(f"[name={name}]", value)
    hands.choose("[name=xa_phuong]", "Phường Thử Nghiệm 1")
    hands.click("#frm_nguoinop [type=submit]")
    hands.type("[name=noi_dung]", "Hồ sơ thử nghiệm")
    hands.type("[name='files[]']", str(hands.paper))
    hands.click("#frm_hoso [type=submit]")
    hands.click("#frm_lephi [type=submit]")
    hands.pay()
    hands.click("a.tiep-tuc")
    hands.click("[name=cam_ket]")
    hands.click("#frm_xacnhan [type=submit]")
    assert re.fullmatch(CODE, hands.see("b.so-ho-so"))


def test_eform(six: Running, chromium: webdriver.Chrome, tmp_path: Path) -> None:
    hands = Hands(chromium, tmp_path)
    chromium.get(six.portals["eform"])
    hands.type("[name=q]", "hộ kinh doanh")
    hands.click("form.search button")
    hands.click(".card-title a")
    hands.click("a.btn-apply")
    hands.log_in()
    for name, value in (
        ("ngay-sinh", "01/02/1990"),
        ("dien-thoai", "0000123456"),
        ("dia-chi", "Số 1"),
        ("noi-dung", "Thử nghiệm"),
        ("tep", str(hands.paper)),
    ):
        hands.type(f"[data-truong={name}]", value)
    hands.choose("[data-truong=xa-phuong]", "Xã Thử Nghiệm 4")
    hands.click("form.eform button")
    hands.click("[name=dong_y]")
    hands.click("form.eform-confirm button")
    assert re.search(CODE, hands.see(".alert-success"))
    hands.click("a.btn-pay")
    hands.click("form.pay button")
    hands.pay()
    assert hands.see("p.payment-status") == "Đã thanh toán"


@pytest.mark.slow
def test_igate_formio_by_its_single_page_app(six: Running, chromium: webdriver.Chrome, tmp_path: Path) -> None:
    hands = Hands(chromium, tmp_path)
    chromium.get(six.portals["igate-formio"])
    hands.type("#keyword", "đăng ký khai sinh")
    hands.click("#search")
    hands.click("a.procedure")
    hands.click("a#apply")
    hands.log_in()
    for name, value in (
        ("birthday", "01/02/1990"),
        ("phoneNumber", "0000123456"),
        ("address", "Số 1"),
        ("content", "Thử nghiệm"),
        ("files", str(hands.paper)),
    ):
        hands.type(f"[name={name}]", value)
    hands.choose("[name=village]", "Phường Thử Nghiệm 2")
    hands.click("#next")
    hands.click("#pay")
    hands.pay()
    hands.click("#submit")
    code = hands.see("strong#code")
    assert re.fullmatch(CODE, code)
    chromium.get(six.portals["igate-formio"] + "/vi/dossier/search")
    hands.type("#code-to-track", code)
    hands.click("#track")
    WebDriverWait(chromium, WAIT_S).until(lambda _: hands.see("#state") == "Đã tiếp nhận")


@pytest.mark.slow
def test_opencps_by_its_single_page(six: Running, chromium: webdriver.Chrome, tmp_path: Path) -> None:
    hands = Hands(chromium, tmp_path)
    chromium.get(six.portals["opencps"])
    hands.type("#keyword", "đăng ký thường trú")
    hands.click("#search")
    hands.click("a.service")
    hands.click("a#apply")
    hands.log_in()
    for name, value in (
        ("applicantName", "Nguyễn Thử Nghiệm"), ("applicantIdNo", "000123456789"), ("applicantIdDate", "01/02/1990"), ("contactTelNo", "0000123456"),
        ("address", "Số 1"), ("noiDung", "Thử nghiệm"), ("file", str(hands.paper)),
    ):  # fmt: skip
        hands.type(f"#view [name={name}]", value)
    hands.choose("[name=wardName]", "Xã Thử Nghiệm 3")
    hands.click("#submit")
    assert re.fullmatch(CODE, hands.see("strong#code"))
    hands.click("#pay")
    hands.pay()
    assert hands.see("#payment").endswith("Đã thanh toán")


@pytest.mark.slow
def test_national_with_its_scripts_and_its_form_host(six: Running, chromium: webdriver.Chrome, tmp_path: Path) -> None:
    hands = Hands(chromium, tmp_path)
    chromium.get(six.portals["national"])
    hands.type("#keyword", "lý lịch tư pháp")
    hands.click("#form-tim-kiem button")
    hands.click("a.thu-tuc")
    hands.click("a.btn-nop-truc-tuyen")
    hands.log_in()
    hands.choose("[name=tinh]", "Tỉnh Thử Nghiệm Hai")
    WebDriverWait(chromium, WAIT_S).until(lambda driver: len(driver.find_elements(By.CSS_SELECTOR, "[name=xa] option")) == 4)
    hands.choose("[name=xa]", "Xã Thử Nghiệm 3")
    hands.click("#chon-dia-ban button")
    WebDriverWait(chromium, WAIT_S).until(lambda driver: driver.current_url.startswith(six.form_hosts["national"]))
    for name, value in (
        ("NgaySinh", "01/02/1990"),
        ("DienThoai", "0000123456"),
        ("DiaChi", "Số 1"),
        ("NoiDung", "Thử nghiệm"),
        ("TepDinhKem", str(hands.paper)),
    ):
        hands.type(f"[name={name}]", value)
    hands.choose("[name=XaPhuong]", "Xã Thử Nghiệm 3")
    hands.click("#bieu-mau button")
    hands.click("[name=CamKet][type=checkbox]")
    hands.click("#xac-nhan button")
    code = hands.see("strong.ma-ho-so")
    assert re.fullmatch(CODE, code)
    hands.click("a#thanh-toan")
    hands.click("#thanh-toan-ho-so button")
    hands.pay()
    assert hands.see("b.trang-thai-tt") == "Đã thanh toán"
    chromium.get(six.portals["national"] + "/p/home/dvc-ho-so-cua-toi.html")
    hands.type("#tra-cuu [name=ma_ho_so]", code)
    hands.click("#tra-cuu button")
    hands.click("a.rut-ho-so")
    WebDriverWait(chromium, WAIT_S).until(lambda _: "Đã rút hồ sơ" in hands.see("#ket-qua"))

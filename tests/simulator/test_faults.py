"""Every fault that can be switched on, and that it is gone when it is switched off."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import httpx
import pytest

from .citizen import BASE, NS, Citizen, fields, text
from .conftest import Running, browser, get, post
from .walks import WALKS, RejectedError


@pytest.fixture
def faulty(six: Running) -> Iterator[Callable[..., Running]]:
    """Switches faults of one of the six portals on, and off again at the end."""
    touched: list[str] = []

    def switch(family: str, *faults: str) -> Running:
        touched.append(family)
        six.tell("/faults", portal=family, faults=list(faults))
        return six

    yield switch
    for family in touched:
        six.tell("/faults", portal=family, faults=[])


Faulty = Callable[..., Running]


@pytest.mark.parametrize("family", WALKS)
def test_an_acknowledged_dossier_that_was_never_stored(faulty: Faulty, family: str) -> None:
    running = faulty(family, "not_stored")
    before = running.counts(family)["dossiers"]
    walk = WALKS[family](running, family, keyword="thương binh")
    assert "Không tìm thấy hồ sơ" in walk.status(walk.file())
    assert running.counts(family)["dossiers"] == before
    faulty(family)
    assert walk.status(WALKS[family](running, family, keyword="thương binh").file()) == "Đã tiếp nhận"


@pytest.mark.parametrize("family", WALKS)
@pytest.mark.parametrize("fault", ["rejected_200", "session_expires", "stale_csrf"])
def test_a_submission_that_is_refused_stores_nothing(faulty: Faulty, family: str, fault: str) -> None:
    running = faulty(family, fault)
    before = running.counts(family)["dossiers"]
    walk = WALKS[family](running, family, keyword="thương binh")
    with pytest.raises(RejectedError) as refused:
        walk.file()
    said = str(refused.value)
    # Two habits of igate-php: a wrong token silently starts the filing again, a lost session leads on to the login by script.
    silent = {"stale_csrf": "frm_truonghop", "session_expires": "/oauth2/login"}.get(fault, "không hợp lệ")
    assert silent in said if family == "igate-php" else "không hợp lệ" in said or "Hết phiên làm việc" in said
    assert running.counts(family)["dossiers"] == before


@pytest.mark.parametrize("family", WALKS)
def test_a_wrong_token_is_answered_as_a_right_one(faulty: Faulty, family: str) -> None:
    running = faulty(family, "stale_csrf", "csrf_same_302")
    before = running.counts(family)["dossiers"]
    walk = WALKS[family](running, family, keyword="thương binh")
    if family in ("opencps", "igate-formio"):
        assert "Không tìm thấy hồ sơ" in walk.status(walk.file())
    else:
        with pytest.raises(RejectedError, match="Không tìm thấy hồ sơ"):
            walk.file()
    last = {"opencps": "/submit", "igate-formio": "--submit"}.get(family, "/xac-nhan")
    origin = "national:form" if family == "national" else family
    posted = [row for row in running.truth(origin) if row["method"] in ("POST", "PUT") and last in row["path"]]
    assert posted[-1]["status"] == (200 if family in ("opencps", "igate-formio", "igate-php") else 302)
    assert running.counts(family)["dossiers"] == before


def test_a_wrong_token_is_rejected_without_the_fault(faulty: Faulty) -> None:
    running = faulty("liferay")
    before = running.counts("liferay")["dossiers"]
    citizen = Citizen(running.portals["liferay"], running.identity)
    page = citizen.attach(citizen.fill_in(citizen.start()))
    refused = citizen.confirm(page, p_auth="khong-dung")
    assert refused.status_code == 403
    assert "p_auth" in refused.text
    assert running.counts("liferay")["dossiers"] == before
    faulty("liferay", "csrf_same_302")
    citizen.http.follow_redirects = False
    same = citizen.confirm(page, p_auth="khong-dung")
    right = citizen.confirm(page)
    assert same.status_code == right.status_code == 302
    assert same.headers["location"] == right.headers["location"]


def test_codes_that_collide_within_a_second(faulty: Faulty) -> None:
    running = faulty("liferay", "colliding_codes")
    before = running.counts("liferay")
    citizens = [Citizen(running.portals["liferay"], running.identity, f"00000000{number:04d}") for number in range(8)]
    pages = [citizen.attach(citizen.fill_in(citizen.start())) for citizen in citizens]
    codes = [text(citizen.confirm(page).text, "#ma-ho-so") for citizen, page in zip(citizens, pages, strict=True)]  # in far less than 8 s
    counts = running.counts("liferay")
    assert counts["dossiers"] - before["dossiers"] == 8
    assert counts["duplicates"] - before["duplicates"] == 8 - len(set(codes)) > 0


@pytest.mark.parametrize("family", WALKS)
def test_a_callback_that_is_lost_leaves_the_payment_unconfirmed(faulty: Faulty, family: str) -> None:
    running = faulty(family, "callback_lost")
    before = running.counts(family)["payments"]
    walk = WALKS[family](running, family)
    if family in ("igate-formio", "igate-php"):  # the fee comes first: no dossier without a confirmed payment
        with pytest.raises(RejectedError):
            walk.file()
        assert walk.paid == "Chưa xác nhận thanh toán"
    else:
        assert walk.pay(walk.file()) == "Chưa xác nhận thanh toán"
    assert running.counts(family)["payments"] == before | {"created": before["created"] + 1}


def test_a_payment_that_fails(faulty: Faulty) -> None:
    running = faulty("liferay")
    before = running.counts("liferay")["payments"]
    running.tell("/personality", portal="liferay", payment_failure_share=1)
    walk = WALKS["liferay"](running, "liferay")
    said = walk.pay(walk.file())
    running.tell("/personality", portal="liferay", payment_failure_share=0)
    assert said == "Thanh toán không thành công"
    assert running.counts("liferay")["payments"] == before | {"failed": before["failed"] + 1}
    callback = [row for row in running.truth("liferay") if row["path"] == "/thanh-toan/ket-qua-tu-cong"][-1]
    assert (callback["status"], callback["client_port"]) == (200, 0)


def test_a_forged_callback_confirms_nothing(faulty: Faulty) -> None:
    running = faulty("liferay", "callback_lost")
    before = running.counts("liferay")["payments"]["paid"]
    walk = WALKS["liferay"](running, "liferay")
    walk.pay(walk.file())
    path = [row["path"] for row in running.truth("liferay") if "transaction_id" in row["path"]][-1]
    forged = {"transaction_id": path.split("transaction_id=")[1].split("&")[0], "status": "1", "check_sum": "0" * 64}
    answer = post(f"{running.portals['liferay']}/thanh-toan/ket-qua-tu-cong", json=forged)
    assert answer.json()["return_code"] == "97"
    assert running.counts("liferay")["payments"]["paid"] == before


def test_early_close_breaks_off_in_the_middle_of_the_body(faulty: Faulty) -> None:
    running = faulty("eform", "early_close")
    with pytest.raises(httpx.RemoteProtocolError):
        get(running.portals["eform"] + "/")
    faulty("eform")
    assert get(running.portals["eform"] + "/").status_code == 200


def test_slow_body_trickles_and_arrives_whole(faulty: Faulty) -> None:
    running = faulty("eform", "slow_body")
    running.tell("/personality", portal="eform", slow_body_s=0.4)
    with browser().stream("GET", running.portals["eform"] + "/") as answer:
        pieces = list(answer.iter_raw())
    assert len(pieces) > 5
    assert sum(map(len, pieces)) == int(answer.headers["content-length"])


def test_a_missing_field_is_told_and_nothing_goes_on(six: Running) -> None:
    citizen = Citizen(six.portals["liferay"], six.identity)
    refused = citizen.fill_in(citizen.start(), **{NS + "diaChi": ""})
    assert refused.status_code == 200
    assert "không hợp lệ" in text(refused.text, "#loi")
    assert fields(refused.text, "applicant")[1][NS + "dienThoai"] == "0000123456"  # what was right is still there
    not_a_file = citizen.attach(citizen.fill_in(refused), b"MZ not a document")
    assert "Tệp đính kèm không hợp lệ" in text(not_a_file.text, "#loi")
    assert post(f"{six.portals['liferay']}{BASE}/nop-ho-so/nguoi-nop", data={}).text.count("Hết phiên làm việc") == 1

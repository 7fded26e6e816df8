"""A page of odd forms and odd addresses: a real Chromium and our client send the same bytes."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

import pytest
from selenium.webdriver import Chrome

from harness.catalog import Target, origin_of
from harness.catalog.platform import Platform
from harness.catalog.profile import Form
from harness.client import LeanSession, Resolver, loopback_only
from harness.pages import Page
from harness.profiles import compile_platform
from harness.profiles.bodies import PageForm
from harness.profiles.functions import FUNCTIONS
from harness.profiles.template import compile_value
from tests.html_site import in_a_thread
from tests.publish.browser import chromium
from tests.visits.conftest import Walker

pytestmark = pytest.mark.browser
WAIT_S = 20
SUBMIT = """
for (const [number, css, press] of arguments[0]) {
  const page = frames[number].document, form = page.querySelector(css), button = press && page.querySelector(press);
  form.noValidate = true;
  if (button) form.requestSubmit(button); else HTMLFormElement.prototype.submit.call(form);
}
"""
FETCH = """
const [addresses, done] = arguments;
(async () => { for (const address of addresses ?? [...document.links].map(link => link.href)) await fetch(address).catch(() => 0); })().then(done);
"""


class Sent(NamedTuple):
    """What the server was asked: method and path as they stand in the first line, content type, body."""

    method: str
    path: str
    kind: str = ""
    body: bytes = b""


@dataclass
class Case:
    """A page with an odd form: its markup, the button that is pressed, the page's encoding, and which form is meant."""

    html: str
    press: str | None = None
    charset: str = "utf-8"
    css: str = "#f"
    kind: str = "text/html; charset={charset}"
    body: bytes = field(default=b"", repr=False)


class Server(ThreadingHTTPServer):
    """Serves pages and redirects by their paths, and remembers everything else by the page that it was sent from."""

    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.origin = f"http://127.0.0.1:{self.server_address[1]}"
        self.pages: dict[str, tuple[str, bytes]] = {}
        self.locations: dict[str, bytes] = {}
        self.asked: dict[int, list[Sent]] = {}

    def show(self, path: str, html: str | bytes, kind: str = "text/html; charset=utf-8") -> None:
        self.pages[path] = (kind, html.encode() if isinstance(html, str) else html)

    def taken(self, number: int) -> list[Sent]:
        """What was sent from a page since the last call."""
        return [normal(sent) for sent in self.asked.pop(number, [])]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def log_message(self, *_: Any) -> None:
        return

    def do_GET(self) -> None:
        path = self.requestline.split(" ")[1]
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        page = self.server.pages.get(path) if self.command == "GET" else None
        location = self.server.locations.get(path)
        if location is not None:
            self.wfile.write(b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " + location + b"\r\n\r\n")
        elif page is not None or path == "/favicon.ico":
            self.answer(*(page or ("text/plain", b"")))
        else:
            number = re.search(r"//[^/]+/(\d+)/", self.headers.get("Referer", ""))
            self.server.asked.setdefault(int(number[1]) if number else 0, []).append(
                Sent(self.command, path, self.headers.get("Content-Type", ""), body)
            )
            self.answer("text/html", b"<p>seen")

    do_POST = do_GET  # noqa: N815  (named by http.server)

    def answer(self, kind: str, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with in_a_thread(Server()) as server:
        yield server


@pytest.fixture(scope="module")
def browser() -> Iterator[Chrome]:
    with chromium() as driver:
        driver.set_script_timeout(WAIT_S)
        yield driver


def normal(sent: Sent) -> Sent:
    """Without the boundary, which every browser draws for itself."""
    kind, mark, boundary = sent.kind.partition("boundary=")
    return sent._replace(kind=kind + mark, body=sent.body.replace(boundary.encode(), b"boundary")) if mark else sent


NAMES = "<input name='tên đầy đủ' value='Nguyễn Thử'><input name='a[0][x]' value=1><input name='a[]' value='&amp;='><input name=' b ' value=' c '>"
BASIC = "<input name=a value=1><input type=hidden name=b value='chữ Đ'>"
MULTI = "method=post enctype=multipart/form-data"
FORMS = {
    # the entry list
    "names": Case(f"<form id=f method=post action=/s>{NAMES}</form>"),
    "names, multipart": Case(f"<form id=f {MULTI} action=/s>{NAMES}<input name='q\"&#10;r' value=x></form>"),
    "names, plain text": Case(f"<form id=f method=post enctype=text/plain action=/s>{NAMES}</form>"),
    "no name": Case("<form id=f method=post action=/s><input value=1><input name='' value=2><input name=a></form>"),
    "nothing": Case("<form id=f method=post action=/s></form>"),
    "nothing, multipart": Case(f"<form id=f {MULTI} action=/s></form>"),
    "nothing, get": Case("<form id=f action=/s?a=1#b></form>"),
    "disabled": Case(
        "<form id=f method=post action=/s><input name=a value=1 disabled><fieldset disabled><legend><input name=b value=2><legend>x</legend></legend>"
        "<legend><input name=c value=3></legend><input name=d value=4><fieldset><input name=e value=5></fieldset></fieldset>"
        "<select name=g disabled><option>1</select><textarea name=h disabled>x</textarea><input name=i value=6></form>"
    ),
    "datalist, object": Case(
        "<form id=f method=post action=/s><datalist id=l><option value=1></datalist><object name=o></object>"
        "<output name=p>3</output><keygen name=k><isindex name=z><input name=isindex value=2><meter name=m value=1></meter></form>"
    ),
    "boxes": Case(
        "<form id=f method=post action=/s><input type=checkbox name=a checked><input type=checkbox name=b><input type=CheckBox name=a value=2 checked>"
        "<input type=checkbox name=c value checked><input type=radio name=r><input type=radio name=q checked></form>"
    ),
    "radios": Case(
        "<form id=f method=post action=/s><input type=radio name=r value=1 checked><input name=m value=x><input type=radio name=r value=2 checked>"
        "<input type=radio name=s value=1 checked><input type=radio name=s value=2 checked disabled>"
        "<input type=radio name=t value=1 form=g checked><input type=radio name=t value=2 checked></form><form id=g></form>"
    ),
    "lists": Case(
        "<form id=f method=post action=/s><select name=a><option disabled value=1>1<option value=2>2</select><select name=b size=4><option>1</select>"
        "<select name=c multiple><option>1</select><select name=d><optgroup disabled><option>1</optgroup><optgroup><option>2</optgroup></select>"
        "<select name=e><option selected value=1>1<option selected value=2>2</select><select name=g><option value=1>1<option selected disabled value=2>2</select>"
        "<select name=h multiple size=1><option selected>1<option disabled selected>2<option selected>3</select><select name=i></select>"
        "<select name=j size=1><option value=>x</select><select name=k size=0><option>x</select><select name=l size=' 2px'><option>x</select>"
        "<select name=n size=-3><option>x</select><select name=o><option disabled>x</select></form>"
    ),
    "labels": Case(
        "<form id=f method=post action=/s><select name=a><option>\n  Phường \t một&nbsp; <b>hai</b> \n</select>"
        "<select name=b><option label=L>text</select><select name=c><option value>text</select><select name=d><option value=' v '>t</select></form>"
    ),
    "text areas": Case(
        "<form id=f method=post action=/s><textarea name=a>\n\nx\ny\r\nz&#13;w</textarea><textarea name=b>\nđ</textarea>"
        "<textarea name=c></textarea><textarea name=d><b>&lt;</b></textarea><textarea name=e wrap=soft cols=2>một hai ba</textarea></form>"
    ),
    "line ends": Case("<form id=f method=post action=/s><input type=hidden name='a&#10;b' value='1&#10;2&#13;3&#13;&#10;4'><input name=c value='1&#10;2&#13;3'></form>"),
    "line ends, multipart": Case(f"<form id=f {MULTI} action=/s><input type=hidden name='a&#13;b' value='1&#10;2&#13;3'><textarea name=t>1\n2</textarea></form>"),
    "line ends, plain text": Case("<form id=f method=post enctype=text/plain action=/s><input type=hidden name='a&#13;b' value='1&#10;2'></form>"),
    "types of text": Case(
        "<form id=f method=post action=/s><input type=email name=a value=' a@b.vn&#10; '><input type=email multiple name=b value=' a@b ,  c@d '>"
        "<input type=url name=c value=' http://x/ y&#13; '><input type=tel name=d value=' 09&#10;12 '><input type=search name=e value=' x '>"
        "<input type=password name=g value=' p&#10;q '><input type=nosuch name=h value='x&#10;y'><input type=select name=i value=s><input type=textarea name=j value='a&#10;b'></form>"
    ),
    "numbers": Case(
        "<form id=f method=post action=/s>"
        + "".join(f"<input type=number name=n{i} value='{v}'>" for i, v in enumerate(["1", "1.5", " 1", "+1", "1.", ".5", "-0", "1e5", "1,5", "abc", "", "007"]))
        + "</form>"
    ),
    "ranges": Case(
        "<form id=f method=post action=/s>"
        + "".join(
            f"<input type=range name=r{i} {v}>"
            for i, v in enumerate(
                ["", "value=30", "value=300", "value=abc", "min=10 max=5", "min=1 max=10", "min=0 max=1 step=0.1", "value=0.55 step=0.1 max=1", "value=5.0",
                 "value=7.5 step=any", "min=3 step=5 value=10", "value=-5", "max=7", "min=-1 max=0"]
            )
        )
        + "</form>"
    ),
    "dates": Case(
        "<form id=f method=post action=/s>"
        + "".join(
            f"<input type={kind} name=d{i} value='{v}'>"
            for i, (kind, v) in enumerate(
                [("date", "2024-02-29"), ("date", "2023-02-29"), ("date", "01/02/1990"), ("date", "1990-1-2"), ("month", "2024-13"), ("month", "2024-12"),
                 ("week", "2020-W53"), ("week", "2021-W53"), ("time", "24:00"), ("time", "09:30"), ("time", "09:30:00"), ("time", "09:30:15.5"),
                 ("datetime-local", "2024-01-02 03:04"), ("datetime-local", "2024-01-02T03:04:00"), ("datetime-local", "2024-01-02T03:04:05.120"),
                 ("datetime-local", "2024-01-02"), ("date", "0000-01-01")]
            )
        )
        + "</form>"
    ),
    "colours": Case(
        "<form id=f method=post action=/s><input type=color name=a><input type=color name=b value=#ABCDEF><input type=color name=c value=nothing></form>"
    ),
    "files": Case(f"<form id=f {MULTI} action=/s><input name=a value=1><input type=file name='tệp[]'><input type=file name=m multiple><input name=b value=2></form>"),
    "files, urlencoded": Case("<form id=f method=post action=/s><input type=file name=t><input name=b value=2></form>"),
    "files, plain text": Case("<form id=f method=post enctype=text/plain action=/s><input type=file name=t><input name=b value=2></form>"),
    "files, get": Case("<form id=f action=/s><input type=file name=t><input name=b value=2></form>"),
    "direction": Case(
        "<form id=f method=post action=/s><input name=a dirname=a.dir value=x><div dir=rtl><textarea name=b dirname=b.dir>x</textarea></div>"
        "<input name=c dirname=c.dir dir=auto value='1 שלום'><input type=number name=e dirname=e.dir value=1></form>"
    ),
    "_charset_": Case("<form id=f method=post action=/s><input type=hidden name=_charset_ value=x><input type=hidden name=_CharSet_><input name=_charset_ value=y></form>"),
    # which controls
    "form attribute": Case(
        "<form id=g><input name=z value=0 form=f></form><input name=y value=1 form=f><form id=f method=post action=/s>"
        "<input name=a value=1><input name=b value=2 form=g><input name=c value=3 form=nosuch><input name=d value=4 form></form>"
    ),
    "two of one id": Case("<form id=f method=post action=/s><input name=a></form><form id=f action=/t></form><input name=b form=f>"),
    "id of no form": Case("<p id=f></p><form class=c id=f method=post action=/s><input name=a></form><input name=b form=f>", css=".c"),
    "table": Case(
        "<table><form id=f method=post action=/s><tr><td><input name=a value=1></td></tr><tr><td><select name=b><option>2</select></td></tr></form></table>"
        "<input name=c value=3>"
    ),
    "table, button": Case(
        "<table><form id=f method=post action=/s><tr><td><input name=a value=1><button name=go value=v>x</button></td></tr></form>"
        "<form id=g><tr><td><input name=b value=2></td></tr></form></table>", "[name=go]",
    ),
    "table, never closed": Case("<table><tr><form id=f method=post action=/s><td><input name=a value=1></td></tr></table><input name=b value=2><p><input name=c value=3></p>"),
    "badly nested": Case("<div><form id=f method=post action=/s><input name=a value=1></div><input name=b value=2><script>'</form>'</script><!-- </form> --><input name=c value=3></form><input name=d value=4>"),
    "closed inside": Case("<form id=f method=post action=/s><div><input name=a value=1></form><input name=b value=2></div><input name=c value=3>"),
    "nested": Case("<form id=f method=post action=/s><input name=a value=1><form id=g action=/t><input name=b value=2></form><input name=c value=3></form>"),
    "nested, after one that closed": Case(
        "<form id=g action=/t><div></form><p><form id=f method=post action=/s><input name=a value=1></p><input name=b value=2></form><input name=c value=3></div>"
    ),
    "noscript, template": Case(
        "<noscript><form id=f action=/no></noscript><form id=f method=post action=/s><noscript><input name=a value=1></noscript>"
        "<template><input name=b value=2><form id=t></form></template><input name=c value='</form>'><textarea name=d></form></textarea><input name=e></form>"
    ),
    "attributes with brackets": Case("<table><form id=f method=post action='/s?a>b'><tr><td title='>' data-x=it's><input name=a value='<form>'></td></tr></form></table><input name=b>"),
    # the submitter
    "button": Case(f"<form id=f method=post action=/s>{BASIC}<button name=b2 value='Lưu'>x</button><input type=submit name=c value=2><input name=z></form>", "[name=b2]"),
    "button outside": Case(f"<form id=f method=post action=/s>{BASIC}</form><p><button form=f name=go value=1>x</button>", "[name=go]"),
    "button without a name": Case(f"<form id=f method=post action=/s>{BASIC}<button value=1>x</button></form>", "button"),
    "button without a value": Case("<form id=f method=post action=/s><button name=b type=nosuch>x</button></form>", "button"),
    "input without a value": Case("<form id=f method=post action=/s><input type=submit name=b></form>", "[name=b]"),
    "input with an empty value": Case("<form id=f method=post action=/s><input type=submit name=b value></form>", "[name=b]"),
    "image": Case("<form id=f method=post action=/s><input name=a value=1><input type=image name='ctl00$nút' value=v><input name=z value=2></form>", "[type=image]"),
    "image without a name": Case("<form id=f action=/s><input type=image src=data:,></form>", "[type=image]"),
    "button's own": Case(
        f"<form id=f action=/s>{BASIC}<button name=b formaction='/t?u=1' formmethod=POST formtarget=_self formnovalidate>x</button></form>", "button"
    ),
    "button's own, unknown": Case(f"<form id=f {MULTI} action=/s>{BASIC}<button formmethod=put formenctype=x>x</button></form>", "button"),
    "button's own, empty": Case(f"<form id=f {MULTI} action=/s>{BASIC}<button formaction formmethod formenctype>x</button></form>", "button"),
    "button's own, multipart": Case(f"<form id=f action=/s>{BASIC}<button formmethod=post formenctype=multipart/form-data>x</button></form>", "button"),
    # action, method, enctype
    "method unknown": Case(f"<form id=f method=put action=/s>{BASIC}</form>"),
    "method with a blank": Case(f"<form id=f method=' post' action=/s>{BASIC}</form>"),
    "enctype unknown": Case(f"<form id=f method=post enctype='multipart/form-data ' action=/s>{BASIC}</form>"),
    "capitals": Case(f"<FORM ID=f METHOD=POST ENCTYPE=Multipart/Form-Data ACTION=/s>{BASIC}</FORM>"),
    "no action, post": Case(f"<form id=f method=post>{BASIC}</form>"),
    "no action, get": Case(f"<form id=f>{BASIC}</form>"),
    "empty action and base": Case(f"<base href=/sub/><form id=f method=post action=''>{BASIC}</form>"),
    "action and base": Case(f"<base href=/sub/x><form id=f method=post action=' ../c&#10;d?e=f g#h '>{BASIC}</form>"),
    "blank action": Case(f"<form id=f method=post action='  '>{BASIC}</form>"),
    "get replaces the query": Case(f"<form id=f action='s?old=1&amp;two=2#part'>{BASIC}</form>"),
    "letters in the action": Case(f"<form id=f method=post action='/hồ sơ/../đơn?tên=é&amp;a=b c'>{BASIC}</form>"),
    "backslashes in the action": Case(f"<form id=f method=post action='\\dich-vu\\nop'>{BASIC}</form>"),
    # encodings
    "windows-1258": Case("<form id=f method=post action='/s?q=Đ'><input name=Đơn value='Ngô Đà Ướt ắ'><input type=hidden name=_charset_></form>", charset="windows-1258"),
    "windows-1258, multipart": Case(f"<form id=f {MULTI} action=/s><input name=Đơn value='Ngô Đà ắ'><input type=file name=Đ></form>", charset="windows-1258"),
    "windows-1258, plain text": Case("<form id=f method=post enctype=text/plain action=/s><input name=Đơn value='Ngô ắ'></form>", charset="windows-1258"),
    "windows-1258 in meta": Case(
        "<meta charset=windows-1258><form id=f action=/s><input name=a value='Đà ắ'><input type=hidden name=_charset_></form>", charset="windows-1258", kind="text/html"
    ),
    "latin-1": Case("<form id=f method=post action=/s><input name=a value='é € ế'><input type=hidden name=_charset_></form>", charset="iso-8859-1"),
    "shift_jis": Case("<form id=f method=post action=/s><input name=a value='日本 é'><input type=hidden name=_charset_></form>", charset="shift_jis"),
    "gb2312": Case("<form id=f method=post action=/s><input name=a value='越南 é ế'><input type=hidden name=_charset_></form>", charset="gb2312"),
    "utf-16": Case("", body="\ufeff<form id=f method=post action='/s?q=Đ'><input name=a value='ế'><input type=hidden name=_charset_></form>".encode("utf-16-le"), kind="text/html"),
    "accept-charset": Case("<form id=f method=post action=/s accept-charset='nosuch windows-1258 utf-8'><input name=a value='Đế'><input type=hidden name=_charset_></form>"),
    "accept-charset utf-8": Case("<form id=f method=post action='/s?q=Đ' accept-charset=UTF8><input name=a value='Đế'></form>", charset="windows-1258"),
    "accept-charset unknown": Case("<form id=f accept-charset=x,tcvn-5712 action=/s><input name=a value='Đế'></form>"),
    "letters beyond": Case("<form id=f method=post action=/s><input name='😀' value='𠀀 &#0; ~ \u0301e'></form>"),
}  # fmt: skip


def walk(server: Server, walker: Walker, *requests: dict[str, Any]) -> str:
    """Send requests as a visit does; the failure, or nothing."""
    profile = {
        "id": "odd", "name_vi": "x", "name_en": "x", "known_from": {"source": "a test"},
        "absent": dict.fromkeys(("file", "pay", "track", "withdraw"), "none here"),
        "goals": {"find": {"gives": {"procedure": "1"}, "steps": [{"step": "search", "requests": list(requests)}]}},
    }  # fmt: skip
    compiled = compile_platform(Platform.model_validate(profile), FUNCTIONS)
    walked = walker.walk(compiled, Target("odd", "odd", {"portal": server.origin}, {origin_of(server.origin): "portal"}), ("find",))
    return str(walked.failure or "")


def test_odd_forms(server: Server, browser: Chrome) -> None:
    paths = {}
    for number, (name, case) in enumerate(FORMS.items(), 1):
        paths[name] = f"/{number}/a/b?x=1"
        kind = case.kind.format(charset=case.charset)
        server.show(paths[name], case.body or case.html.encode(case.charset, "xmlcharrefreplace"), kind)
    server.show("/forms", "".join(f'<iframe src="{path}"></iframe>' for path in paths.values()))
    browser.get(f"{server.origin}/forms")
    browser.execute_script(SUBMIT, [(number, case.css, case.press) for number, case in enumerate(FORMS.values())])
    until = time.monotonic() + WAIT_S
    while len(server.asked) < len(FORMS) and time.monotonic() < until:
        time.sleep(0.02)
    theirs = {name: server.taken(number) for number, name in enumerate(FORMS, 1)}

    walker, session, ours = Walker(), LeanSession(loopback_only, Resolver()), {}
    for number, (name, case) in enumerate(FORMS.items(), 1):
        form = {"from_page": case.css} | ({"press": case.press} if case.press else {})
        page = Page(session.request("GET", server.origin + paths[name]))
        filled = PageForm(Form.model_validate(form), lambda data: compile_value(data, FUNCTIONS)).fill(page, {}, lambda _: 0)
        failure = walk(
            server, walker, {"get": "{{ origin.portal }}" + paths[name]}, {filled.method: "{{ form.action }}", "form": form}
        )  # fmt: skip
        ours[name] = failure or server.taken(number)
    session.close()
    differing = {name: (theirs[name], ours[name]) for name in FORMS if theirs[name] != ours[name]}
    assert differing == {}, "\n".join(f"{name}\n  Chromium {them}\n  we       {us}" for name, (them, us) in differing.items())
    assert all(len(sent) == 1 for sent in theirs.values())
    assert len(FORMS) >= 40


# each is a link in a page at /0/a/b?x=1, and what its address is asked for
LINKS = (
    "c", "./c", "../c", "../../../c", "/x/./y/../z", "/x/%2e/%2E%2e/z", "/x/..", "/x/.", "?y", "?", "#top", "", " /c ", "/c\n/d\te?f\rg", "\\dich-vu\\nop",
    "/dich-vu/\n      nop?ma=1\n      &b=2", "/app/../dich-vu/nop", "http:c", "http:/c", "HTTP:c?d", "\thttp:/dich-vu/nop", "{origin}/c", "{origin}", "{origin}?a",
    "{origin}\\c", "//{host}/c", "\\\\{host}\\c", "///{host}/c", "http:\\\\{host}/c", "http://127.1:{port}/c", "http://0x7f.1:{port}/c", "http://2130706433:{port}/c",
    "http://１２７.0.0.1:{port}/c", "{origin}/./c/../d", "/hồ sơ?tên=một hai", "/a b%20c%zz%", "/'\"<>`{}^~[]!$&()*+,;=:@", "?'\"<>`{}^~[]!$&()*+,;=:@\\", "/c?d=/../e#f",
    "/c%C3%A9?%C3%A9", "/c;v=1/../d;w", "/a//b//../c", "c:d", "./c:d", "/\u00ade\u0301", "/a\u00a0b\u3000", "/?a=&amp;b=&lt;&copy=1&nbsp;2", "javascript:void(0)",
    "mailto:x@example.invalid", "http://[::1", "http://{host}:99999/", "http://a b/", "http:///",
)  # fmt: skip
LOCATIONS = (
    "/app/./a/../../dich-vu/nop", "\\dich-vu\\nop", "/dich-vu/hồ sơ?q=một hai", "nop", "?y=2", "//{host}/c", "http:/c", "http:c", "{origin}", "{origin}?a", "{origin}/c#d", "/c\td",
    " /c ", "/%2e%2e/c", "/c?a='b\"", "http://127.1:{port}/c",
)  # fmt: skip


@pytest.mark.slow
def test_odd_addresses(server: Server, browser: Chrome) -> None:
    where = {"origin": server.origin, "host": server.origin.partition("//")[2], "port": server.origin.rpartition(":")[2]}

    def placed(text: str) -> str:
        return re.sub(r"\{(origin|host|port)\}", lambda found: where[found[1]], text)

    links = [placed(link) for link in LINKS]
    quoted = [link.replace('"', "&quot;") for link in links]
    server.show("/0/a/b?x=1", "".join(f'<a href="{link}">x</a>' for link in quoted))
    server.locations = {f"/0/to/{number}": placed(location).encode() for number, location in enumerate(LOCATIONS)}
    walker, theirs, ours = Walker(), {}, {}
    browser.get(f"{server.origin}/0/a/b?x=1")
    for number, link in enumerate(LINKS):
        browser.execute_async_script(FETCH.replace("[...document.links]", f"[document.links[{number}]]"), None)
        theirs[link] = server.taken(0)
    for path, location in zip(server.locations, LOCATIONS, strict=True):
        browser.execute_async_script(FETCH, [path])
        theirs[location, "Location"] = server.taken(0)
    page = {"get": "{{ origin.portal }}/0/a/b?x=1"}
    for number, link in enumerate(LINKS):
        failure = walk(
            server, walker, page | {"extract": {"link": {"css": "a", "attr": "href", "one": number, "allow_empty": True}}}, {"get": "{{ link }}"}
        )  # fmt: skip
        ours[link] = server.taken(0)
    for path, location in zip(server.locations, LOCATIONS, strict=True):
        failure = walk(server, walker, page, {"get": path})
        ours[location, "Location"] = server.taken(0)
        assert failure == ""
    differing = {name: (theirs[name], ours[name]) for name in theirs if theirs[name] != ours[name]}
    assert differing == {}, "\n".join(f"{name}\n  Chromium {them}\n  we       {us}" for name, (them, us) in differing.items())

"""Credentials are found by their kind, and what only looks a little like one stays."""

from __future__ import annotations

import pytest

from harness.visits.credentials import by_kind


@pytest.mark.parametrize(
    ("text", "blanked"),
    [
        ("GET https://user:synthetic1@portal.example/x", "GET https://user:•••@portal.example/x"),
        ("/cb?access_token=synthetic1&lang=vi", "/cb?access_token=•••&lang=vi"),
        ("/p;jsessionid=0A1B2C3D4E;x=1", "/p;jsessionid=•••;x=1"),
        ("Authorization: Bearer synthetic.token-1", "Authorization: Bearer •••"),
        ("said Basic dXNlcjpwYXNz to it", "said Basic ••• to it"),
        ("Cookie: JSESSIONID=1234ABCD; a=b", "Cookie: •••"),
        ("Set-Cookie: sid=abcdef; Path=/", "Set-Cookie: •••"),
        ('{"access_token": "synthetic1", "password": "hai ba"}', '{"access_token": "•••", "password": "•••"}'),
        ("var token = 'synthetic1';", "var token = '•••';"),
        ('<input type=password name=mk value="bí mật 1">', '<input type=password name=mk value="•••">'),
        ('<input type="hidden" name="__RequestVerificationToken" value="CfDJ8N">', '<input type="hidden" name="__RequestVerificationToken" value="•••">'),
        ('<meta name="csrf-token" content="synthetic1">', '<meta name="csrf-token" content="•••">'),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.sig", "•••"),
        ("csrf = q1w2e3r4", "csrf = •••"),
        ("x-api-key: 0123456789", "x-api-key: •••"),
        ("/oauth?code=a1b2c3d4e5f6g7h8i9j0k1&state=vi", "/oauth?code=•••&state=vi"),
        ('{"password": "a<b>c\\"1", "x": "<1>"}', '{"password": "•••", "x": "<1>"}'),
        ('{"body": "{\\"password\\": \\"synthetic1\\", \\"n\\": 1}"}', '{"body": "{\\"password\\": \\"•••\\", \\"n\\": 1}"}'),
        ('<div data-x="{&quot;password&quot;:&quot;synthetic1&quot;}">', '<div data-x="{&quot;password&quot;:&quot;•••&quot;}">'),
        ("x=%7B%22password%22%3A%22synthetic1%22%7D", "x=%7B%22password%22%3A%22•••%22%7D"),
        ('<wsse:Password Type="Text">synthetic1</wsse:Password>', '<wsse:Password Type="Text">•••</wsse:Password>'),
        ("<token>synthetic1</token><n>1</n>", "<token>•••</token><n>1</n>"),
        ('<textarea name="access_token">synthetic1</textarea>', '<textarea name="access_token">•••</textarea>'),
        ('<input value="synthetic1" data-x="a>b" name="csrf">', '<input value="•••" data-x="a>b" name="csrf">'),
        ('--b\r\nContent-Disposition: form-data; name="password"\r\n\r\nhai ba\r\n--b', '--b\r\nContent-Disposition: form-data; name="password"\r\n\r\n•••\r\n--b'),
        ('Content-Disposition: form-data; name="_csrf"\nContent-Type: text/plain\n\nsynthetic1\n--b', 'Content-Disposition: form-data; name="_csrf"\nContent-Type: text/plain\n\n•••\n--b'),
        ("SAMLResponse=PHNhbWxwOlJlc3A&code_verifier=dBjftJeZ4CVP&maXacNhan=4711&x=1", "SAMLResponse=•••&code_verifier=•••&maXacNhan=•••&x=1"),
        ("localStorage.setItem('token', 'synthetic1')", "localStorage.setItem('token', '•••')"),
        ("/x?p_auth=y1SMR5ExPXnx&nonce=ChXISH7Jc1Tm&a=1", "/x?p_auth=•••&nonce=•••&a=1"),
        ('Authorization: Digest username="a", response="6629fae4"', "Authorization: Digest •••"),
        ('AUTHORIZATION: DIGEST username="a", response="6629fae4"', "AUTHORIZATION: DIGEST •••"),
        ('CONTENT-DISPOSITION: FORM-DATA; NAME="password"\r\n\r\nhai ba\r\n', 'CONTENT-DISPOSITION: FORM-DATA; NAME="password"\r\n\r\n•••\r\n'),
        ("-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYD\n-----END PRIVATE KEY-----", "-----BEGIN PRIVATE KEY-----•••-----END PRIVATE KEY-----"),
    ],
)  # fmt: skip
def test_a_credential_is_blanked(text: str, blanked: str) -> None:
    assert by_kind(text) == blanked


@pytest.mark.parametrize(
    "text",
    [
        "Password: at least eight characters",
        "basic information about tokens",
        "receipt = H26.99-261126-0001",
        "/ho-so?code=000.00.12.H26-240101-0001&page=2",
        '<input type="hidden" name="maHoSo" value="H26-240101-0001">',
        "status 2xx; text 'Mã hồ sơ': 'H26'",
        "https://portal.example:8443/tra-cuu?q=khai+sinh",
        "<p>token</p><title>Mật khẩu</title><code>H26.99-261126-0001</code><session>vi</session>",
        'Content-Disposition: form-data; name="ho_ten"\r\n\r\nNguyễn Thử Nghiệm\r\n--b',
        '{"a": "{\\"name\\": \\"synthetic1\\"}"}',
        "announce('state', 'a1b2c3')",
    ],
)
def test_what_is_no_credential_stays(text: str) -> None:
    assert by_kind(text) == text


@pytest.mark.parametrize(
    "piece",
    ["<token>", "<input name=token value='", '\\"token\\":\\"', "&quot;token&quot;:&quot;", "('token','", '"token":"\\', "-----BEGIN PRIVATE KEY-----", 'Digest a="',
     'Content-Disposition: form-data; name="token"\n', 'Content-Disposition: form-data; name="x', '"', "<input '", "%22a%22%3A%22", "token=token="],
)  # fmt: skip
def test_text_that_is_made_to_take_long_takes_as_long_as_others(piece: str) -> None:
    """Twice the length takes about twice as many steps; a pattern that needs the square of it would not end here."""
    by_kind(piece * (2_000_000 // len(piece)))

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
    ],
)
def test_what_is_no_credential_stays(text: str) -> None:
    assert by_kind(text) == text

"""The one TLS context that every citizen of a process shares."""

from __future__ import annotations

import ssl
from functools import cache
from pathlib import Path

import certifi

OFFERED_ALPN = ("http/1.1",)
"""Offered to every server: one protocol for all portals, so that their figures can be compared."""


@cache
def verified_context() -> ssl.SSLContext:
    """Certificates and names checked, TLS 1.2 or newer, no session resumed.

    Trusts what the system trusts (SSL_CERT_FILE and SSL_CERT_DIR are respected), or certifi's list where the system has
    none. Made once a process: one context costs milliseconds of CPU.
    """
    paths = ssl.get_default_verify_paths()
    system = any(path and Path(path).exists() for path in (paths.cafile, paths.capath))
    context = ssl.create_default_context(cafile=None if system else certifi.where())
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(list(OFFERED_ALPN))
    return context

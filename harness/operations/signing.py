"""Signing keys (Ed25519, RFC 8032): made, found by reference, and shown by their fingerprint.

Keys are PEM files as OpenSSL reads them: PKCS #8 for the private key, SubjectPublicKeyInfo for the public one.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from harness.catalog.secret_reference import LARGEST_BYTES, parse_reference
from harness.errors import EnvironmentFault, Problem, UsageError
from harness.records.files import read_at_most, write_whole

KEY_VARIABLE = "HARNESS_SIGNING_KEY"
"""The environment variable with the reference of the signing key, where no option names one."""


def make_key(path: Path) -> Path:
    """A new key pair: the private key in ``path``, which only its owner may read, the public one beside it. Answers the latter.

    Raises UsageError where a file is there already, and EnvironmentFault where none can be written.
    """
    public = path.with_name(f"{path.name}.pub")
    for each in (path, public):
        if each.exists():
            remedy = "Name another file; a key that has signed anything is kept."
            raise UsageError(Problem(str(each), "file", "there already", "a new file", remedy))
    key = Ed25519PrivateKey.generate()
    before = os.umask(0o077)
    try:
        write_whole(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    finally:
        os.umask(before)
    write_whole(public, public_text(key.public_key()))
    return public


def signing_key(reference: str, option: str = "--key") -> Ed25519PrivateKey:
    """The private key at ``env:NAME`` or ``file:PATH``. Raises UsageError or EnvironmentFault; neither shows the key."""
    named = parse_reference(reference)
    if named is None or "PRIVATE KEY" in reference:
        expected = "a reference, env:NAME or file:PATH: the key itself is never an argument"
        raise UsageError(Problem("command line", option, "no reference", expected, "Name the variable or the file that holds the key."))
    try:
        path = Path(named.where)
        if named.kind == "file" and path.is_file() and (mode := stat.S_IMODE(path.stat().st_mode)) & 0o077:
            remedy = f"Run `chmod 600 {path}`; make a new key if others may have read it."
            raise EnvironmentFault(Problem(str(path), "mode", f"{mode:03o}", "a file that only its owner may read", remedy))
        pem = named.read()
    except (KeyError, OSError) as error:
        missing = isinstance(error, (KeyError, FileNotFoundError))
        found = f"nothing at {reference}" if missing else f"{reference}, unreadable ({error.strerror})"  # type: ignore[union-attr]
        remedy = "Set the variable or write the file; `harness seal --new-key FILE` makes a key."
        raise EnvironmentFault(Problem("command line", option, found, "a signing key", remedy)) from None
    try:
        key = load_pem_private_key(pem, None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise EnvironmentFault(
            Problem("command line", option, f"no Ed25519 key in {reference}", "a private key in PEM, without a passphrase", "Make one with `harness seal --new-key FILE`.")
        )  # fmt: skip
    return key


def usual_key() -> Ed25519PrivateKey | None:
    """The key that the environment names; None where it names none."""
    reference = os.environ.get(KEY_VARIABLE, "")
    return signing_key(reference, KEY_VARIABLE) if reference else None


@contextmanager
def key_named(reference: str, option: str) -> Iterator[None]:
    """Make this the usual key for a while. Raises what ``signing_key`` raises."""
    signing_key(reference, option)
    before = os.environ.get(KEY_VARIABLE)
    os.environ[KEY_VARIABLE] = reference
    try:
        yield
    finally:
        del os.environ[KEY_VARIABLE]
        if before is not None:
            os.environ[KEY_VARIABLE] = before


def read_public_key(path: Path) -> Ed25519PublicKey:
    """A public key from its PEM file; UsageError where it is none."""
    try:
        return public_key(read_at_most(path, LARGEST_BYTES).decode("ascii"))
    except OSError as error:
        found = str(error.strerror)
    except ValueError:
        found = "no public Ed25519 key in PEM"
    raise UsageError(Problem(str(path), "--key", found, "the public key of those who sealed", "Name the file FILE.pub of their key."))


def public_key(text: str) -> Ed25519PublicKey:
    """A public key from PEM; ValueError where it is none."""
    key = load_pem_public_key(text.encode())
    if not isinstance(key, Ed25519PublicKey):
        raise ValueError("another kind of key")  # noqa: TRY004  (as all other texts that are no key)
    return key


def public_text(key: Ed25519PublicKey) -> str:
    """A public key as PEM."""
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def fingerprint(key: Ed25519PublicKey) -> str:
    """SHA-256 of the key's 32 bytes, by which persons compare keys."""
    return sha256(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).hexdigest()


def is_signed(content: bytes, signature: bytes, key: Ed25519PublicKey) -> bool:
    """Whether the key has signed these bytes."""
    try:
        key.verify(signature, content)
    except InvalidSignature:
        return False
    return True

"""Opens a bundle from a stranger: every file is looked at before any is written, and what a catalog does not need is refused by name."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import ValidationError

from harness.catalog.json_file import read_json_text
from harness.catalog.platform import Platform
from harness.catalog.reading import check, document_of
from harness.catalog.text_file import text_of
from harness.errors import CatalogError, Problem, UsageError
from harness.operations.bundle.contents import (
    BUNDLE,
    BUNDLE_SIGNATURE,
    LARGEST_BUNDLE,
    LARGEST_FILE,
    MOST_FILES,
    Bundle,
    may_hold,
    sha256_of,
)
from harness.operations.signing import fingerprint, is_signed, public_key
from harness.records.files import read_at_most

_ASK = "Ask the evaluator for a bundle as `harness bundle` writes it."


@dataclass(frozen=True, slots=True)
class OpenedBundle:
    """A bundle that was checked: what it says, its files as they are, and the key that signed it (its fingerprint; empty: nobody)."""

    says: Bundle
    files: Mapping[str, bytes]  # with bundle.json and, where it is signed, bundle.sig
    signed_by: str


def open_bundle(path: Path, key: Ed25519PublicKey | None = None) -> OpenedBundle:
    """A bundle from a TAR file or a folder. With ``key`` it must be signed by it. Raises UsageError with every fault, by name."""
    contents = dict(_of_folder(path) if path.is_dir() else _of_tar(path))
    if BUNDLE not in contents:
        raise _refused(path, BUNDLE, "missing", "a bundle's own description")
    says = _described(path, contents[BUNDLE])
    listed = {each.file: each.sha256 for each in says.files}
    held = {name for name in contents if name not in (BUNDLE, BUNDLE_SIGNATURE)}
    faults = [Problem(str(path), name, "listed and missing", "every file of bundle.json", _ASK) for name in sorted(listed.keys() - held)]
    faults += [Problem(str(path), name, "not listed", "only files of bundle.json", _ASK) for name in sorted(held - listed.keys())]
    faults += [
        Problem(str(path), name, f"SHA-256 {sha256_of(contents[name])}", f"SHA-256 {listed[name]}, as bundle.json says", _ASK)
        for name in sorted(held & listed.keys())
        if sha256_of(contents[name]) != listed[name]
    ]
    if faults:
        raise UsageError(*faults)
    return OpenedBundle(says, contents, _signer(path, says, contents, key))


def bundled_profile(opened: OpenedBundle, path: Path) -> Platform:
    """The profile of a bundle. Raises CatalogError where it is none, and UsageError where it takes rows from a file outside the bundle."""
    name = f"platforms/{opened.says.portal.platform}.yaml"
    if name not in opened.files:
        raise _refused(path, name, "missing", "the profile that bundle.json names")
    problems: list[Problem] = []
    text = text_of(opened.files[name], f"{path}: {name}", "a YAML file", problems)
    document = None if text is None else document_of(text, f"{path}: {name}", problems)
    profile = None if document is None else check(document, document.data, (), Platform, problems)
    if profile is None or problems:
        raise CatalogError(*problems)
    for pool, table in profile.pools.items():
        if f"platforms/{table.file}" not in opened.files:
            raise _refused(path, f"{name}: pools.{pool}.file", repr(table.file), "a table of the bundle, beside the profile")
    return profile


def _of_tar(path: Path) -> Iterator[tuple[str, bytes]]:
    try:
        packed = read_at_most(path, LARGEST_BUNDLE)
        with tarfile.open(fileobj=io.BytesIO(packed), mode="r:") as tar:
            seen: set[str] = set()
            while (member := tar.next()) is not None:
                _require_plain(path, member, seen)
                seen.add(member.name)
                file = tar.extractfile(member)
                assert file is not None
                yield member.name, file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise _refused(path, "file", f"unreadable ({error.strerror or error})", f"a bundle of at most {LARGEST_BUNDLE} bytes") from error
    except (tarfile.TarError, EOFError, ValueError) as error:
        raise _refused(path, "file", f"no TAR file ({error})", "an uncompressed TAR file, or a folder") from error


def _require_plain(path: Path, member: tarfile.TarInfo, seen: set[str]) -> None:
    """Raise UsageError for a member that is no plain file of a bundle."""
    if len(seen) >= MOST_FILES:
        raise _refused(path, "files", f"more than {MOST_FILES}", f"at most {MOST_FILES}")
    if not member.isreg() or member.issparse():
        kind = "a link" if member.issym() or member.islnk() else "a folder" if member.isdir() else "no plain file"
        raise _refused(path, member.name, kind, "plain files only")
    _require_name(path, member.name)
    if member.name in seen:
        raise _refused(path, member.name, "twice", "each file once")
    if member.size > LARGEST_FILE:
        raise _refused(path, member.name, f"{member.size} bytes", f"at most {LARGEST_FILE} bytes a file")


def _of_folder(path: Path) -> Iterator[tuple[str, bytes]]:
    total = number = 0
    for folder in (path, *sorted(each for each in path.iterdir() if each.is_dir() and not each.is_symlink())):
        for each in sorted(folder.iterdir()):
            name = each.relative_to(path).as_posix()
            if each.is_symlink():
                raise _refused(path, name, "a link", "plain files only")
            if each.is_dir() and folder == path:
                continue
            _require_name(path, name)
            number += 1
            if number > MOST_FILES:
                raise _refused(path, "files", f"more than {MOST_FILES}", f"at most {MOST_FILES}")
            try:
                content = read_at_most(each, LARGEST_FILE)
            except OSError as error:
                raise _refused(path, name, f"unreadable ({error.strerror})", f"a plain file of at most {LARGEST_FILE} bytes") from error
            total += len(content)
            if total > LARGEST_BUNDLE:
                raise _refused(path, "files", f"more than {LARGEST_BUNDLE} bytes", f"at most {LARGEST_BUNDLE} bytes in all")
            yield name, content


def _require_name(path: Path, name: str) -> None:
    if may_hold(name):
        return
    expected = "bundle.json, bundle.sig, and YAML or CSV below platforms/, workloads/, criteria/ or walls/"
    if name.endswith((".py", ".pyc", ".so")):
        expected = "no code: functions are never taken from a bundle"
    elif name.startswith("/") or ".." in name.split("/"):
        expected = "a path inside the bundle"
    raise _refused(path, name, "a file that no bundle holds", expected)


def _described(path: Path, content: bytes) -> Bundle:
    problems: list[Problem] = []
    where = f"{path}: {BUNDLE}"
    try:
        data = read_json_text(content.decode("utf-8"), where, problems)
        if problems:
            raise UsageError(*problems)
        return Bundle.model_validate(data)
    except UnicodeDecodeError as error:
        raise _refused(path, BUNDLE, "no UTF-8", "JSON in UTF-8") from error
    except ValidationError as error:
        raise UsageError(
            *(
                Problem(
                    where,
                    ".".join(map(str, each["loc"])) or "content",
                    repr(each["input"])[:120],
                    each["msg"].removeprefix("Value error, "),
                    _ASK,
                )
                for each in error.errors(include_url=False)[:20]
            )
        ) from error


def _signer(path: Path, says: Bundle, contents: Mapping[str, bytes], key: Ed25519PublicKey | None) -> str:
    """The fingerprint of the key that signed a bundle; empty where nobody did and nobody asks for it."""
    if BUNDLE_SIGNATURE not in contents:
        if key is not None:
            raise _refused(path, BUNDLE_SIGNATURE, "missing", "a signature, since --key names the evaluator's key")
        return ""
    try:
        signer = public_key(says.key)
    except ValueError as error:
        raise _refused(path, f"{BUNDLE}: key", "no public Ed25519 key", "the key of the signature") from error
    if not is_signed(contents[BUNDLE], contents[BUNDLE_SIGNATURE], signer):
        raise _refused(path, BUNDLE_SIGNATURE, "no signature of bundle.json", "one by the key that it names")
    if key is not None and fingerprint(key) != fingerprint(signer):
        raise _refused(path, f"{BUNDLE}: key", fingerprint(signer), f"{fingerprint(key)}, as --key says")
    return fingerprint(signer)


def _refused(path: Path, key: str, value: str, expected: str) -> UsageError:
    return UsageError(Problem(str(path), key, value, expected, _ASK))

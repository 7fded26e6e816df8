"""The evaluator's bundle: what it holds, who takes it, what of a stranger's is refused, and which differences are named."""

from __future__ import annotations

import io
import json
import re
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from harness.cli import main
from harness.errors import UsageError
from harness.evidence import sweep_at
from harness.operations.bundle.contents import sha256_of
from harness.operations.bundle.differing_runs import run_differences
from harness.operations.bundle.opening import bundled_profile, open_bundle
from harness.operations.shipped import shipped_catalog
from harness.operations.signing import make_key, read_public_key
from harness.records.differing import Differing

RECORDED = Path(__file__).parents[1] / "recorded" / "demo"
HOSTS = ("--address", "http://127.0.0.1:9", "--host", "identity=http://127.0.0.1:10", "--host", "payment=http://127.0.0.1:11")
Contents = dict[str, bytes]


def command(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, list(map(str, arguments)))


@pytest.fixture(scope="module")
def given_out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bundle") / "fast.tar"
    done = command("bundle", "fast", "--workload", "smoke", "--criteria", "demo", "--seed", "9", "--out", path)
    assert done.exit_code == 0, done.output
    return path


@pytest.fixture(scope="module")
def taken(given_out: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The catalog that is made of it, which is only read, and what init printed."""
    folder = tmp_path_factory.mktemp("taken") / "my"
    done = command("init", folder, "--from-bundle", given_out, *HOSTS, "--sandbox")
    assert done.exit_code == 0, done.output
    return folder, done.output


@pytest.fixture
def mine(taken: tuple[Path, str], tmp_path: Path) -> Path:
    """A copy of that catalog, to be changed."""
    return Path(shutil.copytree(taken[0], tmp_path / "my"))


def contents_of(path: Path) -> Contents:
    with tarfile.open(path) as tar:
        return {member.name: file.read() for member in tar if (file := tar.extractfile(member)) is not None}


def packed(path: Path, contents: Contents, *more: tarfile.TarInfo) -> Path:
    with tarfile.open(path, "w") as tar:
        for name, content in contents.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
        for member in more:
            tar.addfile(member)
    return path


def described_anew(contents: Contents, **changes: Any) -> Contents:
    """The contents with a bundle.json that fits them, but for ``changes``."""
    said = json.loads(contents["bundle.json"])
    names = [name for name in contents if name not in ("bundle.json", "bundle.sig")]
    files = [{"file": name, "sha256": sha256_of(contents[name])} for name in names]
    return {**contents, "bundle.json": json.dumps({**said, "files": files, **changes}).encode()}


def test_files_are_taken_as_they_are_and_hosts_are_differences(given_out: Path, taken: tuple[Path, str]) -> None:
    folder, printed = taken
    for name, content in contents_of(given_out).items():
        assert (folder / name).read_bytes() == content
    assert "address portal: http://127.0.0.1:9; the evaluator's: none" in printed
    assert "  file " not in printed


def test_a_changed_file_code_and_another_wall_are_named(mine: Path) -> None:
    profile = mine / "platforms" / "liferay.yaml"
    profile.write_bytes(profile.read_bytes() + b"# mine\n")
    (mine / "platforms" / "_functions.py").write_text("", encoding="utf-8")
    (mine / "walls" / "mine.yaml").write_text(
        "id: mine\nwalls:\n  - {name: wall, status: 418, text: Tường, source: seen}\n", encoding="utf-8"
    )
    said = json.loads(command("validate", "--json", "--catalog", mine).output)
    named = {(each["kind"], each["name"]) for each in said["differences"]}
    assert {("file", "platforms/liferay.yaml"), ("functions", "platforms/_functions.py"), ("file", "walls/mine.yaml")} <= named


def test_a_sweep_is_compared_with_the_evaluators(mine: Path) -> None:
    record = mine / "bundle.json"
    record.write_text(record.read_text(encoding="utf-8").replace('"processors": ', '"processors": 9'), encoding="utf-8")
    catalog = shipped_catalog(mine)
    found = {(each.kind, each.name): each for each in run_differences(sweep_at(RECORDED), catalog)}
    manifest = json.loads((RECORDED / "manifests" / "fast.json").read_text(encoding="utf-8"))
    assert found["seed", ""] == Differing("seed", "", "9", str(manifest["seed"]))
    assert found["workload", ""].yours == manifest["workload"] != "smoke"
    assert found["machine", "processors"].yours == str(manifest["host"]["processors"])
    assert ("address", "portal") in found
    record.unlink()
    assert run_differences(sweep_at(RECORDED), catalog) == ()  # from no bundle


def test_a_signature_is_asked_for_by_key(tmp_path: Path) -> None:
    for name in ("ours", "theirs"):
        make_key(tmp_path / name)
    path = tmp_path / "signed.tar"
    done = command("bundle", "fast", "--workload", "smoke", "--out", path, "--signing-key", f"file:{tmp_path / 'ours'}")
    assert done.exit_code == 0, done.output
    taken = command("init", tmp_path / "my", "--from-bundle", path, "--key", tmp_path / "ours.pub", *HOSTS)
    assert taken.exit_code == 0, taken.output
    assert "signed by key " in taken.output
    ours, theirs = (read_public_key(tmp_path / f"{name}.pub") for name in ("ours", "theirs"))
    contents = contents_of(path)
    forged = packed(tmp_path / "forged.tar", described_anew(contents, seed=8))
    bare = packed(tmp_path / "bare.tar", {name: content for name, content in contents.items() if name != "bundle.sig"})
    for bundle, key, said in (
        (path, theirs, "as --key says"),
        (forged, None, "no signature of bundle.json"),
        (bare, ours, "bundle.sig is missing"),
    ):
        with pytest.raises(UsageError, match=said):
            open_bundle(bundle, key)


def member(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    found = tarfile.TarInfo(name)
    found.type, found.linkname = kind, target
    return found


PROFILE = "platforms/liferay.yaml"
BOMB = b"id: &a [x, x, x, x, x, x, x, x, x, x]\n" + b"".join(
    f"k{n}: &k{n} [{', '.join([f'*k{n - 1}' if n else '*a'] * 10)}]\n".encode() for n in range(6)
)
Change = Callable[[Contents], tuple[Contents, tuple[tarfile.TarInfo, ...]]]


def adding(*members: tarfile.TarInfo) -> Change:
    return lambda contents: (contents, members)


def holding(name: str, content: bytes) -> Change:
    return lambda contents: (described_anew({**contents, name: content}), ())


def saying(**changes: Any) -> Change:
    return lambda contents: (described_anew(contents, **changes), ())


@pytest.mark.parametrize(
    ("change", "code", "said"),
    [
        (adding(member("../outside.yaml")), 2, "../outside.yaml is a file that no bundle holds; expected a path inside the bundle"),
        (adding(member("/etc/outside.yaml")), 2, "expected a path inside the bundle"),
        (adding(member("platforms/a.yaml", tarfile.SYMTYPE, "/etc/passwd")), 2, "platforms/a.yaml is a link"),
        (adding(member("platforms/a.yaml", tarfile.LNKTYPE, PROFILE)), 2, "platforms/a.yaml is a link"),
        (adding(member("platforms", tarfile.DIRTYPE)), 2, "platforms is a folder"),
        (adding(member("platforms/a.yaml", tarfile.FIFOTYPE)), 2, "platforms/a.yaml is no plain file"),
        (adding(member(PROFILE)), 2, f"{PROFILE} is twice"),
        (adding(member("authorisations/a.yaml")), 2, "authorisations/a.yaml is a file that no bundle holds"),
        (adding(*(member(f"walls/a{n}.yaml") for n in range(61))), 2, "files is more than 60"),
        (holding("platforms/_functions.py", b"import os"), 2, "expected no code: functions are never taken from a bundle"),
        (holding("walls/large.yaml", b"#" * 5_000_001), 2, "walls/large.yaml is 5000001 bytes"),
        (holding("workloads/bomb.yaml", BOMB), 3, "more than 200000 values"),
        (holding("workloads/deep.yaml", b"[" * 5000), 3, "more than 100 levels"),
        (holding("workloads/smoke.yaml", b"id: smoke\nunknown_key: 1\n"), 3, "unknown_key is 1; expected a key that is known here"),
        (saying(portal={"id": "a", "name_vi": "x", "name_en": "x", "level": "sample", "platform": "none-such"}), 2, "platforms/none-such.yaml is missing"),
        (saying(surprise=1), 2, "surprise is 1; expected Extra inputs are not permitted"),
        (saying(files=[]), 2, "files is []"),
        (saying(schema="evaluation-bundle/9"), 2, "schema is 'evaluation-bundle/9'"),
        (lambda contents: ({**contents, PROFILE: contents[PROFILE] + b"#"}, ()), 2, "as bundle.json says"),
        (lambda contents: ({**contents, "walls/more.yaml": b"id: x"}, ()), 2, "walls/more.yaml is not listed"),
        (lambda contents: ({name: text for name, text in contents.items() if name != PROFILE}, ()), 2, f"{PROFILE} is listed and missing"),
        (lambda contents: ({name: text for name, text in contents.items() if name != "bundle.json"}, ()), 2, "bundle.json is missing"),
        (lambda contents: ({**contents, "bundle.json": b"{"}, ()), 2, "not JSON"),
    ],
)  # fmt: skip
def test_what_a_stranger_may_not_send(change: Change, code: int, said: str, given_out: Path, tmp_path: Path) -> None:
    contents, members = change(contents_of(given_out))
    path = packed(tmp_path / "theirs.tar", contents, *members)
    if code == 2:  # before anything is written, and before the shipped catalog is read
        with pytest.raises(UsageError) as refused:
            bundled_profile(open_bundle(path), path)
        assert said in str(refused.value)
        return
    done = command("init", tmp_path / "my", "--from-bundle", path, *HOSTS)
    assert done.exit_code == code, done.output
    assert said in done.output
    assert [each.name for each in tmp_path.iterdir()] == ["theirs.tar"]


def test_a_table_of_this_machine_is_refused(given_out: Path, tmp_path: Path) -> None:
    contents = contents_of(given_out)
    contents[PROFILE] += b"pools:\n  people: {file: ../../../../etc/passwd}\n"
    path = packed(tmp_path / "theirs.tar", described_anew(contents))
    with pytest.raises(UsageError) as refused:
        bundled_profile(open_bundle(path), path)
    assert "pools.people.file is '../../../../etc/passwd'; expected a table of the bundle, beside the profile" in str(refused.value)


def written(folder: Path, contents: Contents) -> Path:
    for name, content in contents.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def test_a_folder_is_taken_too_and_links_in_it_are_not(given_out: Path, tmp_path: Path) -> None:
    folder = written(tmp_path / "bundle", contents_of(given_out))
    assert open_bundle(folder) == open_bundle(given_out)
    (folder / "walls" / "link.yaml").symlink_to("/etc/hostname")
    with pytest.raises(UsageError, match=r"walls/link\.yaml is a link"):
        open_bundle(folder)


def test_accounts_and_secrets_of_a_bundled_profile_get_references(given_out: Path, tmp_path: Path) -> None:
    contents = contents_of(given_out)
    said = json.loads(contents["bundle.json"])["portal"]
    contents[PROFILE] = (
        b"id: liferay\nname_vi: x\nname_en: x\nknown_from: {source: made up}\nabsent: {file: x, pay: x, track: x, withdraw: x}\n"
        b"goals:\n  find:\n    steps:\n      - step: log_in\n        requests:\n"
        b'          - post: "{{ origin.portal }}/in"\n'
        b'            fields: {u: "{{ person.user_name }}", p: "{{ person.password }}", k: "{{ secret(\'api\') }}"}\n'
        b'    gives: {procedure: "{{ page.url }}"}\n'
    )
    path = packed(tmp_path / "theirs.tar", described_anew(contents, portal=said))
    done = command("init", tmp_path / "my", "--from-bundle", path, "--address", "http://127.0.0.1:9")
    assert done.exit_code == 0, done.output
    assert "with the columns `user_name,password`" in done.output
    written_down = (tmp_path / "my" / "authorisations" / "fast.yaml").read_text(encoding="utf-8")
    assert "test_identities: env:FAST_ACCOUNTS\nsecrets:\n  api: env:FAST_API\n" in written_down


@pytest.mark.parametrize("name", ["none.tar", "text.tar", "packed.tar"])
def test_what_is_no_bundle(name: str, given_out: Path, tmp_path: Path) -> None:
    path = tmp_path / name
    if name == "text.tar":
        path.write_text("no TAR file" * 100, encoding="utf-8")
    elif name == "packed.tar":
        with tarfile.open(path, "w:gz") as tar:
            tar.add(given_out, "bundle.json")
    with pytest.raises(UsageError, match=re.escape(str(path))):
        open_bundle(path)


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A catalog whose profile needs a function of its own."""
    folder = written(tmp_path / "own", contents_of_shipped("platforms/liferay.yaml"))
    path = folder / "platforms" / "liferay.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace('"{{ keyword }}"', '"{{ twice(keyword) }}"'), encoding="utf-8")
    code = "from harness.profiles import function\n\n\n@function\ndef twice(text: str) -> str:\n    return text + text\n"
    (folder / "platforms" / "_functions.py").write_text(code, encoding="utf-8")
    return folder


def contents_of_shipped(name: str) -> Contents:
    return {name: (shipped_catalog().folders[0] / name).read_bytes()}


def test_code_is_never_given_out(own: Path, tmp_path: Path) -> None:
    done = command("bundle", "fast", "--workload", "smoke", "--out", tmp_path / "b.tar", "--catalog", own)
    assert done.exit_code == 2
    assert "code is never given out" in done.output
    assert not (tmp_path / "b.tar").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--workload", "smok", "--out", "b.tar"), "Did you mean `smoke`"),
        (("--workload", "smoke", "--out", "b.zip"), "expected a new file that ends in .tar"),
        (("--workload", "smoke", "--criteria", "none-such", "--out", "b.tar"), "--criteria is none-such"),
    ],
)
def test_wrong_options(options: tuple[str, ...], said: str) -> None:
    done = command("bundle", "fast", *options)
    assert done.exit_code == 2
    assert said in done.output

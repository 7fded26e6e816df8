"""Sends ``scores.json`` to the main evaluation, which imports it once however often it is sent."""

from __future__ import annotations

import asyncio
import base64
import json
import ssl
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import httpx

from harness.client.tls import verified_context
from harness.errors import AuthorisationError, DeliveryError, EnvironmentFault, EvidenceError, Problem, UsageError, visible
from harness.origins import is_loopback
from harness.publish.bearer_token import TokenBlanking, read_token
from harness.publish.import_file import check_bytes
from harness.publish.publication_text import count_states
from harness.publish.sent_scores import require_published
from harness.records.files import LARGEST_JSON_BYTES, read_at_most, write_whole
from harness.scoring.scorecard import SweepScores

RECEIPT_SUFFIX: Final = ".receipt.json"
_ACCEPTED: Final = frozenset({200, 201, 202, 204})
# Answers that a later try may change; every other one is final (RFC 9110, 15.5 and 15.6; RFC 8470 for 425).
_WORTH_ANOTHER_TRY: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
_LONGEST_WAIT_S: Final = 60.0
_MOST_OF_AN_ANSWER: Final = 20_000  # characters stored in the receipt
LONGEST_ANSWER_S: Final = 60.0
"""The longest time of one try, from connecting to the last byte of the answer (assumed: an import of some hundred portals takes seconds)."""
MOST_BYTES: Final = 1_000_000
"""The most bytes of an answer that are read (assumed: a receiver answers with the import's number and digest)."""


@dataclass(frozen=True, slots=True)
class DeliveryReceipt:
    """The answer of the main evaluation, stored beside the scores."""

    url: str  # without its query
    sweep: str
    revision: int
    scores_sha256: str
    delivered_utc: str
    attempts: int
    status: int
    location: str  # where the receiver shows the import; empty where it does not say
    answer: Any  # JSON, or text where it is not JSON
    publication: Mapping[str, int]  # the number of portals in each state: draft, sent, answered, final


def push(
    url: str,
    scores_path: Path,
    token_reference: str = "",
    *,
    allowed_hosts: Collection[str] = (),
    attempts: int = 5,
    timeout_s: float = 30.0,
    longest_s: float = LONGEST_ANSWER_S,
    certificate_authority: Path | None = None,
    pause: Callable[[float], None] = time.sleep,
    drafts: bool = False,
) -> DeliveryReceipt:
    """Posts the file and stores the receipt beside it as ``scores.json.receipt.json``.

    ``token_reference`` is ``env:NAME`` or ``file:PATH``; the token is sent in the Authorization header and stored nowhere.
    A host that is not loopback must be in ``allowed_hosts`` and is reached over TLS only. The Idempotency-Key is the
    SHA-256 of the bytes sent, so that a receiver recognises a repeated delivery. ``push`` tries again, after doubling
    pauses or the receiver's Retry-After, when nobody answers or the answer is a temporary refusal. A try takes at most
    ``longest_s``, and of its answer at most MOST_BYTES are read. With ``drafts`` scores may be sent that are not final.

    Raises EvidenceError for a file that is no whole ``scores.json``, or that the record of steps beside it contradicts; UsageError for
    scores that are not final, and for a bad URL or token reference; AuthorisationError for a host that was not allowed;
    EnvironmentFault for a proxy that cannot be used; DeliveryError where the scores were not accepted.
    """
    target = _checked(url, allowed_hosts)
    data = _read(scores_path)
    scores = check_bytes(data, str(scores_path))
    require_published(scores, scores_path, drafts=drafts)
    token = read_token(token_reference)
    headers = _headers(data, token)
    shown = str(target.copy_with(query=None, fragment=None))
    context = _context(target, certificate_authority)
    blanked = TokenBlanking(token)

    def post() -> _Answer:
        return asyncio.run(_post(_client(target, context, timeout_s), target, data, headers, longest_s))

    tried, answer = _send(post, headers["Idempotency-Key"], blanked, shown=shown, attempts=attempts, pause=pause)
    receipt = _receipt(shown, scores, headers["Idempotency-Key"], tried, answer, blanked)
    write_whole(
        scores_path.with_name(scores_path.name + RECEIPT_SUFFIX),
        visible(json.dumps(asdict(receipt), ensure_ascii=False, indent=1) + "\n", keep="\n").encode(),
    )
    return receipt


def content_digest(data: bytes) -> str:
    """The value of the Content-Digest header (RFC 9530), by which a receiver recognises half a body."""
    return f"sha-256=:{base64.b64encode(sha256(data).digest()).decode()}:"


def _checked(url: str, allowed_hosts: Collection[str]) -> httpx.URL:
    try:
        target = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise UsageError(Problem("push", "URL", repr(url), f"a web address ({error})", "Mend the address.")) from error
    if target.scheme not in ("http", "https") or not target.host:
        raise UsageError(Problem("push", "URL", repr(url), "http://… or https://…", "Mend the address."))
    if target.userinfo:
        raise UsageError(
            Problem("push", "URL", "an address with a password in it", "an address without one", "Give a token reference instead.")
        )
    if _is_local(target):
        return target
    if target.host not in {host.lower() for host in allowed_hosts}:
        remedy = f"Allow the host {target.host} by name if it is the main evaluation's."
        raise AuthorisationError(Problem("push", "host", target.host, "loopback, or a host that was allowed", remedy))
    if target.scheme != "https":
        raise UsageError(Problem("push", "URL", f"plain http to {target.host}", "https", "Scores and token must not travel in the clear."))
    return target


def _is_local(target: httpx.URL) -> bool:
    return is_loopback(f"{target.scheme}://{target.netloc.decode()}")


def _client(target: httpx.URL, context: ssl.SSLContext, timeout_s: float) -> httpx.AsyncClient:
    """A client that goes through the proxy of the environment, unless the receiver is this machine."""
    try:
        return httpx.AsyncClient(timeout=timeout_s, verify=context, trust_env=not _is_local(target), follow_redirects=False)
    except (ImportError, ValueError) as error:  # a SOCKS proxy, or no proxy's address
        remedy = "Name an http proxy, or unset the variable."
        raise EnvironmentFault(Problem("environment", "HTTPS_PROXY or ALL_PROXY", str(error), "an http proxy, or none", remedy)) from error


def _context(target: httpx.URL, certificate_authority: Path | None) -> ssl.SSLContext:
    """The certificates to trust; for plain HTTP none are loaded."""
    if target.scheme == "http":
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if certificate_authority is None:
        return verified_context()
    try:
        return ssl.create_default_context(cafile=certificate_authority)
    except OSError as error:  # SSLError is one
        remedy = "Give the PEM file of the receiver's certificate authority."
        raise UsageError(Problem("push", "certificate authority", f"{certificate_authority} ({error})", "a PEM file", remedy)) from error


def _read(path: Path) -> bytes:
    try:
        return read_at_most(path, LARGEST_JSON_BYTES)
    except OSError as error:
        raise EvidenceError.missing(path, "a scores.json", "Check the path; `harness score` writes the file.") from error


def _headers(data: bytes, token: str) -> dict[str, str]:
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "Idempotency-Key": sha256(data).hexdigest(),
        "Content-Digest": content_digest(data),
        "Accept-Encoding": "identity",
    }
    return headers | ({"Authorization": f"Bearer {token}"} if token else {})


@dataclass(frozen=True, slots=True)
class _Answer:
    """What a receiver said, read to its end."""

    status: int
    headers: httpx.Headers
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    @property
    def said(self) -> Any:
        """JSON, or text where it is not JSON."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return self.text[:_MOST_OF_AN_ANSWER]


async def _post(client: httpx.AsyncClient, target: httpx.URL, data: bytes, headers: dict[str, str], longest_s: float) -> _Answer:
    """Post the file; raises TimeoutError once the whole of it takes too long, and DeliveryError for too long an answer."""
    async with asyncio.timeout(longest_s), client, client.stream("POST", target, content=data, headers=headers) as response:
        body = bytearray()
        async for chunk in response.aiter_raw(65_536):
            body += chunk
            if len(body) > MOST_BYTES:
                found, expected = (
                    f"HTTP {response.status_code} with more than {MOST_BYTES} bytes",
                    f"an answer of at most {MOST_BYTES} bytes",
                )
                remedy = "Ask the receiver what it imported; to send the same file again changes nothing."
                raise DeliveryError(Problem("push", str(target.copy_with(query=None, fragment=None)), found, expected, remedy))
        return _Answer(response.status_code, response.headers, bytes(body))


def _send(
    post: Callable[[], _Answer], digest: str, blanked: TokenBlanking, *, shown: str, attempts: int, pause: Callable[[float], None]
) -> tuple[int, _Answer]:
    """The number of tries, and the answer that accepted the scores."""
    said = "nothing"
    for attempt in range(1, attempts + 1):
        wait_s = min(_LONGEST_WAIT_S, 2.0 ** (attempt - 1))
        try:
            answer = post()
        except TimeoutError:
            said = "no whole answer in time"
        except httpx.TransportError as error:
            said = blanked(f"{type(error).__name__}: {error}")
        else:
            if answer.status in _ACCEPTED:
                _same_file(answer, digest, shown)
                return attempt, answer
            said = f"HTTP {answer.status} {blanked(_excerpt(answer))[:300]}".rstrip()
            if answer.status not in _WORTH_ANOTHER_TRY:
                raise DeliveryError(Problem("push", shown, said, "the scores to be accepted", _remedy(answer.status)))
            wait_s = _asked_to_wait(answer, wait_s)
        if attempt < attempts:
            pause(wait_s)
    remedy = "Nothing was stored here as delivered; repeat the command when the receiver is back."
    raise DeliveryError(Problem("push", shown, f"{said}, after {attempts} tries", "the scores to be accepted", remedy))


def _asked_to_wait(answer: _Answer, otherwise_s: float) -> float:
    """Retry-After, where the receiver gave it in seconds, up to a minute."""
    asked = answer.headers.get("Retry-After", "")
    return min(_LONGEST_WAIT_S, float(asked[:9])) if asked.isascii() and asked.isdigit() else otherwise_s


def _same_file(answer: _Answer, digest: str, shown: str) -> None:
    """Raises DeliveryError where the receiver names another digest than that of the bytes sent."""
    stored = answer.said.get("sha256") if isinstance(answer.said, dict) else None
    if isinstance(stored, str) and stored.lower() != digest:
        remedy = "Ask the receiver which file it imported before sending again."
        raise DeliveryError(Problem("push", shown, f"stored as sha256 {stored[:64]!r}", f"sha256 {digest!r}", remedy))


def _remedy(status: int) -> str:
    known = {
        401: "Check that the token reference names a valid token.",
        403: "Ask the main evaluation to allow this sender.",
        404: "Check the path of the address.",
        409: "This sweep and revision were imported with other contents: score again, which makes a new revision.",
        413: "Ask the receiver to take files of this size.",
        422: "The receiver holds the file to be wrong: compare its schema with results/schemas/.",
    }
    return known.get(status, "Read the receiver's answer; redirects are not followed.")


def _excerpt(answer: _Answer) -> str:
    """The beginning of an answer on one line, longer than is shown: a secret that a cut splits would not be blanked."""
    return " ".join(answer.text[:2_000].split())


def _receipt(shown: str, scores: SweepScores, digest: str, attempts: int, answer: _Answer, blanked: TokenBlanking) -> DeliveryReceipt:
    said = answer.said
    if len(json.dumps(said)) > _MOST_OF_AN_ANSWER:
        said = answer.text[:_MOST_OF_AN_ANSWER]
    return DeliveryReceipt(
        url=shown,
        sweep=scores.sweep,
        revision=scores.revision,
        scores_sha256=digest,
        delivered_utc=datetime.now(UTC).isoformat(timespec="seconds"),
        attempts=attempts,
        status=answer.status,
        location=blanked(answer.headers.get("Location", "")),
        answer=blanked.data(said),
        publication=count_states(scores.scorecards),
    )

"""What a draft knows of the values in a capture: which answer gave them, what they are by name, and which stay constants."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from harness.catalog.platform import GOALS
from harness.operations.authoring.blanked_secrets import is_distinct
from harness.operations.authoring.capture import Chain
from harness.operations.authoring.drafted_request import DraftedRequest
from harness.operations.authoring.har import EntryRemark, Recorded
from harness.operations.authoring.naming import (
    MACHINE_MADE,
    identifier,
    is_changing_name,
    is_one_time,
    is_one_time_password,
    is_password,
    is_secret,
    is_secret_text,
    password_expression,
)
from harness.operations.authoring.posted import PostedField
from harness.operations.authoring.tracing import ExtractRule, Traced, cookie_of, in_location, link_to, trace, whole_address
from harness.operations.authoring.typed_values import is_account, is_note, person_value
from harness.profiles.functions import unaccented
from harness.profiles.scope import RESERVED

SHORTEST_NONCE = 16
"""Letters of a value without a digit that a script may have drawn (assumed: words that people choose are shorter)."""
_WORDS = re.compile(r"[^\s<>\"'&,;(){}\[\]|]+")
_TEMPLATE = re.compile(r"\{\{|\{%|\{#")
_GIVEN = frozenset(name for goal in GOALS.values() for name in (*goal.inputs, *goal.outputs))
_TAKEN = RESERVED | _GIVEN
_OF_THE_DOSSIER = frozenset({"start_dossier", "fill_in", "attach", "submit"})
"""Steps that always stand within the goal `file`, where templates know the dossier."""


@dataclass(slots=True)
class LearnedValues:
    """The values of a capture as the draft writes them."""

    roles: Mapping[str, str]  # origin → role
    drafted: list[DraftedRequest] = field(default_factory=list)  # answers so far, each with the request that gives it
    known: dict[str, tuple[str, bool]] = field(default_factory=dict)  # value → expression, and whether it is a number
    constants: list[EntryRemark] = field(default_factory=list)  # typed, chosen or kept, to be named by hand
    hidden: set[str] = field(default_factory=set)  # secrets: they are blanked wherever they would still be written
    is_synthetic: bool = False  # what a person typed about themselves becomes a synthetic citizen's; otherwise it stays, with a remark
    is_clerk: bool = False  # whoever logs in now withdraws what another filed: the account is no citizen's
    keyword: str = "keyword"  # the expression for what was searched for
    searched: str = ""  # what was searched for in the capture
    kept: dict[EntryRemark, str] = field(default_factory=dict)  # the texts of fields, parameters and paths that stay as they were
    anew: set[str] = field(default_factory=set)  # variables that each visit sets to a text of its own

    def template(self, value: Any, recorded: Recorded, step: str, name: str, *, in_json: bool = False) -> Any:
        """A value as the profile writes it: an expression where an answer gave it, else the value itself, with a remark."""
        text = str(value)
        is_number = in_json and not isinstance(value, str)
        if (found := self._whole(text, recorded, step, name)) is not None:
            expression, number = found
            if in_json and number != is_number:
                expression = f"int({expression})" if is_number else f"text({expression})"
            return "{{ " + expression + " }}"
        if name in ("code_challenge", "code_verifier"):  # RFC 7636
            said = "made by a script of the page (PKCE); challenge and verifier of this session are kept, and fit each other"
            self.constants.append(recorded.remark(f"{name}: {said}"))
            return literal(text)
        if (
            self.is_synthetic
            and isinstance(value, str)
            and recorded.method != "GET"
            and (typed := self._of_person(text, recorded, step, name))
        ):
            return "{{ " + typed + " }}"
        if isinstance(value, str) and is_secret(name, text) and " " not in text:
            return self._secret(text, recorded, name)
        if isinstance(value, str):
            written = self._within(text, recorded, name)
            if re.search(r"\w", re.sub(r"\{\{.*?\}\}", "", written)):
                self._keep(written, recorded, name)
            return written
        self._keep(text, recorded, name)
        return value

    def _whole(self, text: str, recorded: Recorded, step: str, name: str) -> tuple[str, bool] | None:
        if text in self.known:
            return self.known[text]
        if text and is_password(name):
            return self.password(text, recorded, name), False
        if text and is_one_time_password(name):
            self.hidden.add(text)
            self.constants.append(recorded.remark(f"{name}: a one-time password, written as person.otp", "settled"))
            return "person.otp", False
        if is_one_time(name, text) and (expression := self._traced(text)) is not None:
            self.known[text] = expression
        elif self._is_keyword(step, name, text):
            self.known[text] = (self.keyword, False)
            self.searched = text
        elif _is_now(text, recorded):
            self.constants.append(recorded.remark(f"{name}: the time in milliseconds, written as unix_ms()", "settled"))
            return "unix_ms()", True
        return self.known.get(text)

    def _of_person(self, text: str, recorded: Recorded, step: str, name: str) -> str:
        """The expression for what a person typed about themselves; empty for anything else."""
        beside_password = any(is_password(item.name) for item in recorded.posted.fields)
        value = person_value(name, text) or (identifier(name.strip("_")) if beside_password and is_account(name) else "")
        if value and beside_password and self.is_clerk:
            expression, said = f"secret('withdrawal_{value}')", "the account that withdraws"
        elif value:
            expression, said = f"person.{value}", "what a person typed"
        elif step in _OF_THE_DOSSIER and any(map(str.isalpha, text)) and is_note(name):
            expression, said = "dossier.note", "a note"
        else:
            return ""
        if len(text) >= 6:
            self.known.setdefault(text, (expression, False))
        self.hidden.add(text)
        self.constants.append(recorded.remark(f"{name}: {said}, written as {expression}", "settled"))
        return expression

    def password(self, text: str, recorded: Recorded, name: str) -> str:
        """The expression for a password, which is written out nowhere."""
        expression = password_expression(text)
        if self.is_clerk:
            expression = expression.replace("person.password", "secret('withdrawal_password')")
        self.hidden.add(text)
        if is_distinct(text):
            self.known.setdefault(text, (expression, False))
        self.constants.append(recorded.remark(f"{name}: a password, written as {expression}", "settled"))
        return expression

    def _traced(self, text: str) -> tuple[str, bool] | None:
        """The expression for a value that an earlier answer gave; its extraction is added to the request of that answer."""
        for drafted in reversed(self.drafted):
            if (found := trace(drafted.page, text)) is not None:
                return self.extraction(drafted, found), found.is_number
            if (place := in_location(drafted.page.url, text)) is not None and len(text) >= 6:
                return f"urldecode({self.extraction(drafted, Traced(place[0], {'url': place[1]}))})", False
            for hop in reversed(drafted.chain.hops):
                if hop.location and (place := in_location(hop.location, text)) is not None:
                    return self._from_location(drafted, hop, text, place), False
                if (cookie := cookie_of(hop.page, text)) is not None:
                    return (f"urldecode(cookie({_quoted(cookie[0])}))" if cookie[1] else f"cookie({_quoted(cookie[0])})"), False
        return None

    def extraction(self, drafted: DraftedRequest, found: Traced) -> str:
        """The name of a variable that a request extracts from its answer."""
        name = self.free_name(found.name)
        drafted.rule.setdefault("extract", {})[name] = found.rule
        return name

    def free_name(self, wanted: str) -> str:
        """A name for a variable that nothing else has."""
        taken = {name for item in self.drafted for key in ("extract", "let") for name in item.rule.get(key, ())}
        name = f"{wanted}_value" if wanted in _TAKEN and wanted not in ("receipt", "keyword", "status") else wanted
        variable, number = name, 1
        while variable in taken or variable in _TAKEN:
            number += 1
            variable = f"{name}_{number}"
        return variable

    def _from_location(self, drafted: DraftedRequest, hop: Recorded, text: str, place: tuple[str, str]) -> str:
        """The variable for a value of a redirect's Location. The redirects up to it become requests of their own, followed by hand."""
        part = self._split(drafted, hop)
        name, pattern = place
        variable = self.extraction(part, Traced(name, {"header": "Location", "match": pattern}))
        spelled = re.search(pattern, hop.location)
        return variable if spelled is None or spelled[1] == text else f"urldecode({variable})"

    def _split(self, drafted: DraftedRequest, hop: Recorded) -> DraftedRequest:
        """The request whose answer is this hop. What follows it keeps the rules, and begins at the Location."""
        if hop is drafted.chain.last:
            return drafted
        hops = list(drafted.chain.hops)
        cut = hops.index(hop) + 1
        sent = {
            key: drafted.rule.pop(key) for key in list(drafted.rule) if key not in ("expect", "extract", "receipt", "confirms", "follow")
        }
        at = self.drafted.index(drafted)
        for index in range(cut):
            expect: dict[str, Any] = {"status": hops[index].page.status}
            if index == 0 and "redirect_to" in drafted.rule["expect"]:
                expect["redirect_to"] = drafted.rule["expect"].pop("redirect_to")
            rule = {**sent, "follow": [], "expect": expect}
            head = DraftedRequest(drafted.step, Chain(hops[index : index + 1]), rule)
            self.drafted.insert(at + index, head)
            location = self.extraction(head, Traced("location", {"header": "Location"}))
            sent = {"get": "{{ " + location + " }}"}
        drafted.rule = {**sent, **drafted.rule}
        drafted.chain = Chain(hops[cut:], drafted.chain.follow if len(hops) > cut + 1 else drafted.chain.follow - {"http"})
        return self.drafted[at + cut - 1]

    def _within(self, text: str, recorded: Recorded, name: str) -> str:
        """A text as a template: origins, values that an answer gave, and secrets in it are expressions."""
        out: list[str] = []
        end = 0
        for origin, role in self.roles.items():
            if text == origin or text.startswith(f"{origin}/"):
                out, end = ["{{ origin." + role + " }}"], len(origin)
        for word in _WORDS.finditer(text):
            pieces = list(_pieces(word.group(), word.start()))
            found = [(start, piece, self._inner(piece)) for piece, start in pieces if start >= end]
            if not any(written for *_, written in found):
                found = [
                    (start, piece, self._secret(piece, recorded, name))
                    for piece, start in pieces
                    if start >= end and _is_bare_secret(piece)
                ]
            for start, piece, written in found:
                if written and start >= end:
                    out += [literal(text[end:start]), written]
                    end = start + len(piece)
        return "".join([*out, literal(text[end:])])

    def name_template(self, name: str, recorded: Recorded) -> str:
        """The name of a field or parameter. Where it looks made for one page: with what an answer gave in it, or with a remark."""
        if not is_changing_name(name):
            return literal(name)
        out, end = [], 0
        for part in re.finditer(r"[A-Za-z0-9]{4,}", name):
            piece = part.group()
            if piece not in self.known and MACHINE_MADE.match(piece) and (found := self._traced(piece)) is not None:
                self.known[piece] = found
            if piece in self.known:
                out += [literal(name[end : part.start()]), "{{ " + self.known[piece][0] + " }}"]
                end = part.end()
        if not out:
            self.constants.append(recorded.remark(f"{name}: this name may change with each page"))
        return "".join([*out, literal(name[end:])])

    def _inner(self, piece: str) -> str:
        """The expression for a part of a text; empty where no answer gave it."""
        if len(piece) >= 6 and piece not in self.known and MACHINE_MADE.match(piece) and (found := self._traced(piece)) is not None:
            self.known[piece] = found
        return "{{ " + self.known[piece][0] + " }}" if len(piece) >= 4 and piece in self.known else ""

    def _secret(self, text: str, recorded: Recorded, name: str) -> str:
        """A secret that no answer gave: the authorisation has to name where it is kept."""
        scheme = next((word for word in ("Bearer ", "Basic ", "Token ", "ApiKey ") if text.startswith(word)), "")
        secret = text.removeprefix(scheme)
        expression = f"secret({_quoted(identifier(name, 'token'))})"
        self.known[secret] = (expression, False)
        self.hidden.add(secret)
        self.constants.append(recorded.remark(f"{name}: no answer of the capture gave this secret, written as {expression}", "settled"))
        return scheme + "{{ " + expression + " }}"

    def authorization(self, value: str, recorded: Recorded, step: str, name: str) -> Any:
        """A header that carries a credential: traced, or a secret; never written out."""
        scheme, blank, credential = value.rpartition(" ")
        if scheme.lower() == "basic":
            return f"{scheme} {{{{ {self._basic(credential, recorded, name)} }}}}"
        found = self._whole(credential, recorded, step, "")
        return scheme + blank + ("{{ " + found[0] + " }}" if found is not None else self._secret(credential, recorded, name))

    def _basic(self, credential: str, recorded: Recorded, name: str) -> str:
        """The expression for what HTTP Basic sends: user and password, each a secret."""
        if credential not in self.known:
            prefix = "withdrawal_" if self.is_clerk else ""
            number = 1 + sum(f"secret('{prefix}user" in expression for expression, _ in self.known.values())
            user, password = (f"secret('{prefix}{what}{'' if number == 1 else f'_{number}'}')" for what in ("user", "password"))
            self.known[credential] = (f"base64(join(':', {user}, {password}))", False)
            self.hidden.add(credential)
            with suppress(ValueError):
                self.hidden |= {*filter(None, [b64decode(credential).decode().partition(":")[2]])}
            self.constants.append(recorded.remark(f"{name}: a login by HTTP Basic, written as {user} and {password}", "settled"))
        return self.known[credential][0]

    def made_by_script(self, recorded: Recorded, name: str, text: str) -> str | None:
        """The variable for a value that the page's script draws anew for each login; None for any other.

        ``state``: RFC 6749, section 10.12. ``nonce``: OpenID Connect Core, section 3.1.2.1.
        """
        is_word = text.isalpha() and len(text) < SHORTEST_NONCE  # the state of a ticket, chosen from a list
        if name not in ("state", "nonce") or not text or is_word or text in self.known or self._whole(text, recorded, "", name) is not None:
            return None
        variable = self.free_name(name)
        self.known[text] = (variable, False)
        self.constants.append(recorded.remark(f"{name}: made by a script of the page, written as random_hex(32)", "settled"))
        return variable

    def _keep(self, text: str, recorded: Recorded, name: str) -> None:
        remark = recorded.remark(f"{name} = {text[:60]}" if name else text[:60], "routine")
        self.constants.append(remark)
        if (name, text) not in recorded.headers:
            self.kept.setdefault(remark, text)

    def _is_keyword(self, step: str, name: str, text: str) -> bool:
        if step != "search" or self.searched:
            return False
        return _looks_searched(name, text)

    def has_keyword(self, fields: Iterable[PostedField]) -> bool:
        """Whether a request may be the first search of the capture, by what was typed into its fields."""
        return not self.searched and any(_looks_searched(item.name, item.value) for item in fields)

    def address(self, recorded: Recorded, current: DraftedRequest | None) -> str | None:
        """The expression for a whole address that an earlier answer gave: a link of the page, or any answer for a machine-made one."""
        parts = urlsplit(recorded.url)
        pieces = [*parts.path.split("/"), *re.split("[&=]", parts.query)]
        if any(self.known.get(piece, ("", False))[0] == "receipt" for piece in pieces):
            return None
        texts = {text: written for text, (written, _) in self.known.items() if text not in self.hidden and written != self.keyword}
        if recorded.method == "GET" and current is not None and (link := self._link(current, recorded.url, texts)) is not None:
            return "{{ " + self.extraction(current, Traced("link", link)) + " }}"
        if not any(len(piece) >= 4 and MACHINE_MADE.match(piece) for piece in pieces):
            return None
        if any(piece in self.known for piece in pieces):
            return None
        sign = max((run for piece in pieces if MACHINE_MADE.match(piece) for run in re.findall(r"[A-Za-z0-9]+", piece)), key=len)
        for drafted in reversed(self.drafted):
            if sign not in drafted.page.text:
                continue  # quick: a page is searched for the link only where this part of it stands
            if (found := whole_address(drafted.page, recorded.url)) is not None:
                return "{{ " + self.extraction(drafted, found) + " }}"
        return None

    def _link(self, current: DraftedRequest, url: str, texts: Mapping[str, str]) -> ExtractRule | None:
        """The rule for a link of a page. What another search finds has other words than those of the capture."""
        return link_to(current.page, url, texts, is_found=bool(self.searched) and self.keyword in str(current.rule))


def _looks_searched(name: str, text: str) -> bool:
    if len(text) > 80 or "{" in text:  # a query of GraphQL is none of a person
        return False
    if re.search(r"api[_-]?key|token|secret", name, re.IGNORECASE):
        return False
    words = r"q$|key|tim|tu_?khoa|search|query|text|like|contain"
    return any(map(str.isalpha, text)) and re.search(words, unaccented(name).lower()) is not None


def literal(text: str) -> str:
    """A constant text as a template: braces that a template would read are written as constants."""
    return _TEMPLATE.sub(lambda match: "{{ '" + match.group() + "' }}", text)


def _quoted(name: str) -> str:
    return "'" + name.replace("\\", "").replace("'", "") + "'"


def _pieces(word: str, start: int) -> Iterator[tuple[str, int]]:
    """A word, then its parts: ``string:tk-4477``, ``id=4477``, ``/files/4477``."""
    yield word, start
    for pattern in (r"[^=]+=*$", r"[^=:]+", r"[^=:/?#\\]+", r"[^=:/?#\\.]+"):
        for part in re.finditer(pattern, word):
            if part.group() != word:
                yield part.group(), start + part.start()


def _is_bare_secret(piece: str) -> bool:
    """Whether a part of a text is a secret, and nothing but a secret."""
    return "=" not in piece.rstrip("=") and "/" not in piece and is_secret_text(piece)


def _is_now(text: str, recorded: Recorded) -> bool:
    """Whether a number is the time of its request in milliseconds."""
    if re.fullmatch(r"\d{13}", text) is None or recorded.started is None:
        return False
    return abs(int(text) / 1000 - recorded.started.timestamp()) < 86_400

"""Whether a machine is fit for a night: facts and needs in, findings out, each with what to do. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from harness.evidence.reasons import Language
from harness.load.admission import TIME_OF_DAY_S
from harness.operations.disk_room import RESERVE_BYTES
from harness.operations.machine_facts import MachineFacts
from harness.operations.machine_needs import MachineNeeds
from harness.publish.wording import Phrase, joined, numeral, phrase, same

BUSY_PROCESS = 0.2
"""Processors from which on another process is named (assumed: a machine at rest has none that takes as much)."""
FREE_BESIDE = 0.5
"""Free processors beside one for each worker (assumed: the master and the system take less)."""
MARGIN = 2
"""What lies within this factor of a need is doubtful, neither fit nor unfit (assumed: what a machine has now may be half or twice as much in the night)."""
BUSY_TO_BE_WRONG = 0.5
"""Free processors for each worker below which a window is bound to be void (assumed: ``cpu_percent`` is 85 % of one)."""
HOLDS_PORT_S = 60
"""How long Linux holds the port of a connection that we closed, towards the same address (TCP_TIMEWAIT_LEN)."""
FILES_BESIDE = 200
"""Open files of a worker beside its citizens' connections (assumed: its code, its log, the master, the reference)."""
PROCESS_BYTES, CITIZEN_BYTES = 300_000_000, 35_000
"""Memory of a process of ours, and of one more citizen with a TLS connection (docs/benchmarks.md; the first with a margin)."""
FAST_CLOCKS = frozenset({"tsc", "kvm-clock", "hyperv_clocksource_tsc_page", "xen", "arch_sys_counter"})
"""Clock sources that are read without asking the kernel, or nearly so."""
SLOW_GOVERNORS = frozenset({"powersave", "ondemand", "conservative", "userspace"})
"""Governors that change the frequency with the load, or keep it low."""

_SHOWN_AS_GB = 100_000_000


class Fitness(StrEnum):
    """What a finding says; only ``unfit`` makes the command fail."""

    FIT = "fit"
    DOUBTFUL = "doubtful"
    UNFIT = "unfit"

    @property
    def sign(self) -> str:
        """As a line begins with it."""
        return {"fit": "✓", "doubtful": "!", "unfit": "✗"}[self]


@dataclass(frozen=True, slots=True)
class MachineFinding:
    """One line about the machine."""

    check: str
    fitness: Fitness
    found: Phrase
    needed: Phrase | None = None
    remedy: Phrase | None = None  # None where nothing is to be done

    def line(self, language: Language) -> str:
        """Sign, what was looked at, what was found and what is needed; what to do stands on a line below."""
        text = f"{self.fitness.sign} {phrase(f'doctor.{self.check}').into(language)}: {self.found.into(language)}"
        if self.needed is not None:
            text += f"; {phrase('doctor.needed').into(language).format(self.needed.into(language))}"
        return text if self.remedy is None else f"{text}\n    → {self.remedy.into(language)}"

    def facts(self) -> dict[str, str]:
        """The finding as JSON, which is in English."""
        texts = {"found": self.found, "needed": self.needed, "remedy": self.remedy}
        said = {name: text.en for name, text in texts.items() if text is not None}
        return {"check": self.check, "fitness": self.fitness.value, **said}


def check_machine(facts: MachineFacts, needs: MachineNeeds) -> tuple[MachineFinding, ...]:
    """What there is to say of a machine before a night, in a fixed order."""
    return tuple(
        check(facts, needs)
        for check in (
            _processors, _idle, _steal, _governor, _clock, _clock_source, _files, _ports, _memory, _disk, _proxies, _resolver, _browser,
            _calibration,
        )
    )  # fmt: skip


def _finding(check: str, fitness: Fitness, found: Phrase, needed: Phrase | None = None, remedy: str = "remedy") -> MachineFinding:
    """A finding; its remedy is the phrase ``doctor.CHECK.remedy``, or another one, and none where the machine is fit."""
    return MachineFinding(check, fitness, found, needed, None if fitness is Fitness.FIT else phrase(f"doctor.{check}.{remedy}"))


def _judged(*, unfit: bool, doubtful: bool = False) -> Fitness:
    return Fitness.UNFIT if unfit else Fitness.DOUBTFUL if doubtful else Fitness.FIT


def _processors(facts: MachineFacts, needs: MachineNeeds) -> MachineFinding:
    ours = facts.usable if facts.quota is None else min(float(facts.usable), facts.quota)
    key = "found" if facts.quota is None else "within_quota"
    found = phrase(f"doctor.processors.{key}").filled(str(facts.processors), str(facts.usable), numeral(facts.quota or 0, 1))
    needed = phrase("doctor.processors.needed").filled(str(needs.workers + 1), str(needs.workers))
    return _finding("processors", _judged(unfit=ours < needs.workers, doubtful=ours < needs.workers + 1), found, needed)


def _idle(facts: MachineFacts, needs: MachineNeeds) -> MachineFinding:
    busy = [each for each in facts.busiest if each.processors >= BUSY_PROCESS]
    found = phrase("doctor.idle.found").filled(numeral(facts.free, 1), str(facts.usable), numeral(facts.over_s, 0))
    if busy:
        named = [_named(each.name, each.pid, each.processors) for each in busy]
        found = joined("; ", [found, phrase("doctor.idle.busy").filled(joined(", ", named))])
    needed = phrase("doctor.idle.needed").filled(numeral(needs.workers + FREE_BESIDE, 1))
    unfit = facts.free < BUSY_TO_BE_WRONG * needs.workers
    return _finding("idle", _judged(unfit=unfit, doubtful=facts.free < needs.workers + FREE_BESIDE), found, needed)


def _named(name: str, pid: int, processors: float) -> Phrase:
    """A process; its name is whatever its program calls itself."""
    return joined("", [same(f"{name} ({pid}) "), numeral(100 * processors, 0, " %")])


def _steal(facts: MachineFacts, needs: MachineNeeds) -> MachineFinding:
    found = phrase("doctor.steal.found").filled(numeral(facts.stolen_percent, 1), numeral(facts.over_s, 0))
    needed = phrase("doctor.steal.needed").filled(numeral(needs.steal_percent, 0))
    fitness = _judged(unfit=facts.stolen_percent > needs.steal_percent, doubtful=facts.stolen_percent > needs.steal_percent / MARGIN)
    return _finding("steal", fitness, found, needed)


def _governor(facts: MachineFacts, needs: MachineNeeds) -> MachineFinding:
    slow = sorted(facts.governors & SLOW_GOVERNORS)
    found = same(", ".join(sorted(facts.governors))) if facts.governors else phrase("doctor.governor.unreadable")
    return _finding("governor", _judged(unfit=False, doubtful=bool(slow)), found)


def _clock(facts: MachineFacts, needs: MachineNeeds) -> MachineFinding:
    needed = phrase("doctor.clock.needed").filled(numeral(TIME_OF_DAY_S, 0))
    if facts.clock_error_s is None:
        return _finding("clock", Fitness.DOUBTFUL, phrase("doctor.clock.cannot_tell"), needed, "remedy_unknown")
    found = phrase("doctor.clock.found").filled(numeral(1000 * facts.clock_error_s, 0))
    return _finding("clock", _judged(unfit=facts.clock_error_s > TIME_OF_DAY_S), found, needed)


def _clock_source(facts: MachineFacts, needs: MachineNeeds) -> MachineFinding:
    found = same(facts.clock_source) if facts.clock_source else phrase("doctor.clock_source.unreadable")
    return _finding(
        "clock_source", _judged(unfit=False, doubtful=bool(facts.clock_source) and facts.clock_source not in FAST_CLOCKS), found
    )


def _files(facts: MachineFacts, needs: MachineNeeds) -> MachineFinding:
    found = phrase("doctor.files.found").filled(numeral(facts.open_files, 0))
    if needs.citizens is None:
        return _finding("files", Fitness.FIT, found)
    needed = FILES_BESIDE + needs.connections_each * -(-needs.citizens // max(1, needs.workers))
    words = phrase("doctor.files.needed").filled(numeral(needed, 0), numeral(needs.citizens, 0))
    return _finding("files", _judged(unfit=facts.open_files < needed), found, words)


def _ports(facts: MachineFacts, needs: MachineNeeds) -> MachineFinding:
    found = phrase("doctor.ports.found").filled(numeral(facts.ports, 0), numeral(facts.ports_waiting, 0))
    if needs.citizens is None or needs.arrivals_per_s is None:
        return _finding("ports", Fitness.FIT, found)
    needed = round(needs.citizens + HOLDS_PORT_S * needs.arrivals_per_s)
    words = phrase("doctor.ports.needed").filled(numeral(needed, 0))
    free = facts.ports - facts.ports_waiting
    return _finding("ports", _judged(unfit=facts.ports < needed, doubtful=free < needed), found, words)


def _memory(facts: MachineFacts, needs: MachineNeeds) -> MachineFinding:
    needed = PROCESS_BYTES * (needs.workers + 2 + needs.embedded) + CITIZEN_BYTES * (needs.citizens or 0)
    found, words = (
        phrase("doctor.memory.found").filled(_gigabytes(facts.memory_bytes)),
        phrase("doctor.memory.needed").filled(_gigabytes(needed)),
    )
    return _finding("memory", _judged(unfit=facts.memory_bytes < needed / MARGIN, doubtful=facts.memory_bytes < needed), found, words)


def _disk(facts: MachineFacts, needs: MachineNeeds) -> MachineFinding:
    found = phrase("doctor.disk.found").filled(_gigabytes(facts.disk_bytes), same(f"`{facts.disk}`"))
    if not facts.disk_writable:
        return _finding("disk", Fitness.UNFIT, joined(", ", [found, phrase("doctor.disk.not_writable")]), None, "remedy_writable")
    if needs.disk_bytes is None:
        words = phrase("doctor.disk.needed_by_any").filled(_gigabytes(RESERVE_BYTES))
        return _finding("disk", _judged(unfit=facts.disk_bytes < RESERVE_BYTES), found, words)
    words = phrase("doctor.disk.needed").filled(_gigabytes(needs.disk_bytes))
    return _finding(
        "disk", _judged(unfit=facts.disk_bytes < needs.disk_bytes, doubtful=facts.disk_bytes < MARGIN * needs.disk_bytes), found, words
    )


def _proxies(facts: MachineFacts, needs: MachineNeeds) -> MachineFinding:
    found = same(", ".join(f"`{name}`" for name in facts.proxies)) if facts.proxies else phrase("doctor.proxies.none")
    return _finding("proxies", _judged(unfit=False, doubtful=bool(facts.proxies)), found)


def _resolver(facts: MachineFacts, needs: MachineNeeds) -> MachineFinding:
    found = same(", ".join(facts.name_servers)) if facts.name_servers else phrase("doctor.resolver.none")
    lacking = needs.names and not facts.name_servers
    return _finding("resolver", _judged(unfit=False, doubtful=lacking), found, phrase("doctor.resolver.needed") if needs.names else None)


def _browser(facts: MachineFacts, needs: MachineNeeds) -> MachineFinding:
    return _finding("browser", Fitness.FIT, same(f"`{facts.browser}`") if facts.browser else phrase("doctor.browser.none"))


def _calibration(facts: MachineFacts, needs: MachineNeeds) -> MachineFinding:
    fitness = _judged(unfit=facts.calibration == "failed", doubtful=facts.calibration == "none")
    return _finding("calibration", fitness, phrase(f"doctor.calibration.{facts.calibration}"))


def _gigabytes(count: float) -> Phrase:
    return numeral(count / 1e9, 1, " GB") if count >= _SHOWN_AS_GB else numeral(count / 1e6, 0, " MB")

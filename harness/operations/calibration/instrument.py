"""`harness calibrate`: the instrument against known delays; its errors in % and ms, and a certificate bound to this machine.

Each case is one known distribution at one rate. Two times of the same requests are compared: the harness's, from the
intended arrival to the last byte, and the server's, from the request's arrival there to its last byte. So
lateness, connecting, the client's own work and every request that was lost or invented count as the instrument's error.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from harness.catalog import Catalog
from harness.errors import CalibrationError, Problem
from harness.operations.calibration.certificate import CERTIFICATE
from harness.operations.calibration.known_delays import UNDISTURBED, Case, CaseResult, measure_undisturbed
from harness.operations.manifest import catalog_digest, host_facts
from harness.records.files import write_json
from harness.statistics.percentile import percentile
from harness.version import __version__

CASES = (
    Case("lognormal-50", {"distribution": "lognormal", "median_ms": 100, "sigma": 0.5, "servers": 0}, 50, 20),
    Case("lognormal-100", {"distribution": "lognormal", "median_ms": 100, "sigma": 0.5, "servers": 0}, 100, 20),
    Case("bimodal-100", {"distribution": "bimodal", "median_ms": 60, "slow_median_ms": 900, "slow_share": 0.1, "servers": 0}, 100, 20),
    # Four servers of 40 ms hold 100 a second: 80 a second is a load of 0.8, near the knee.
    Case("queueing-80", {"distribution": "exponential", "median_ms": 27.7, "servers": 4}, 80, 20),
    Case(
        "freezes-100",
        {"distribution": "constant", "median_ms": 5, "servers": 0, "freezes": {"first_at_s": 5, "every_s": 10, "duration_s": 2}},
        100, 20, "constant",
    ),
    Case("errors-50", {"distribution": "lognormal", "median_ms": 100, "sigma": 0.5, "servers": 0, "error_share": 0.2}, 50, 20),
)  # fmt: skip
PERCENTILES = (50, 95, 99)


@dataclass(frozen=True, slots=True)
class CalibrationLimits:
    """The permitted errors of the instrument (assumed). A figure passes within the share or within the milliseconds."""

    percentile_share: float = 0.01
    percentile_ms: float = 1.0  # below a few dozen milliseconds, 1 % is less than a loopback connection takes
    maximum_share: float = 0.02
    maximum_ms: float = 20.0
    lateness_median_ms: float = 2.0
    rate_share: float = 0.01


@dataclass(frozen=True, slots=True)
class CheckedFigure:
    """One figure of one case: measured, true, the error, and whether it is within the limits."""

    case: str
    figure: str
    unit: str
    measured: float
    true: float
    within: bool

    @property
    def error(self) -> float:
        """Measured minus true."""
        return self.measured - self.true

    @property
    def error_percent(self) -> float | None:
        """The error in per cent of the true value; None where that is 0."""
        return 100 * self.error / self.true if self.true else None


def calibrate(
    catalog: Catalog,
    results: Path,
    *,
    workers: int = 1,
    progress: Callable[[str], None] = lambda _line: None,
) -> Path:
    """Measure every case and write ``certificate.json``; raises CalibrationError where a figure is beyond its limit.

    Each observation is also spoilt on purpose (3 % skew, a lost row, a schedule 5 ms late); a control that is not
    detected fails the calibration too: a check that cannot fail shows nothing. A case is measured again if the machine
    was disturbed meanwhile, for example by its host; it fails if that happens each time.
    """
    findings: list[CheckedFigure] = []
    controls: dict[str, bool] = {}
    disturbed: dict[str, list[list[str]]] = {}
    restless: list[Problem] = []
    path = results / CERTIFICATE
    for case in CASES:
        progress(f"{case.name}: {case.rate_per_s:g} arrivals/s for {case.duration_s:g} s")

        def note(reasons: Sequence[str], name: str = case.name) -> None:
            disturbed.setdefault(name, []).append(list(reasons))
            progress(f"{name}: the machine was disturbed ({'; '.join(reasons)})")

        observation = measure_undisturbed(case, catalog.portals["calibration"], results, workers=workers, disturbed=note)
        if observation.disturbances:
            found = "; ".join(observation.disturbances)
            restless.append(Problem(str(path), case.name, f"disturbed each time: {found}", "a calm machine", _REMEDY))
        findings += judge(observation)
        for name, spoilt in negative_controls(observation).items():
            controls[f"{case.name}: {name}"] = not all(finding.within for finding in judge(spoilt))
    certificate = _certificate(catalog, workers, findings, controls, disturbed, calm=not restless)
    write_json(path, certificate)
    beyond = [finding for finding in findings if not finding.within]
    missed = [name for name, detected in controls.items() if not detected]
    if beyond or missed or restless:
        raise CalibrationError(
            *restless,
            *(
                Problem(str(path), f"{f.case} {f.figure}", f"{f.measured:.3f} {f.unit}", f"{f.true:.3f} {f.unit} within its limit", _REMEDY)
                for f in beyond
            ),
            *(
                Problem(str(path), f"negative control {name}", "not detected", "a failure", "Measure longer: the case is too short.")
                for name in missed
            ),
        )
    return path


def judge(observation: CaseResult) -> list[CheckedFigure]:
    """Every figure of one case, compared with the truth of the same requests."""
    case, limits = observation.case.name, CalibrationLimits()
    counts = [
        CheckedFigure(case, "rows", "", len(observation.pairs), len(observation.truth), len(observation.pairs) == len(observation.truth)),
        CheckedFigure(case, "visits", "", len(observation.visits), observation.planned, len(observation.visits) == observation.planned),
    ]
    ok = observation.pairs[observation.pairs["served_status"] == 200]
    errors_measured = float((observation.pairs["outcome"] == "http_error").mean()) if len(observation.pairs) else 1.0
    errors_true = float((observation.truth["status"] != 200).mean())
    counts.append(CheckedFigure(case, "error rate", "", errors_measured, errors_true, abs(errors_measured - errors_true) < 1e-12))
    if ok.empty:
        return counts
    measured = np.sort((ok["end_us"] - ok["intended_us"]).to_numpy()) / 1000
    true = np.sort((ok["served_us"] - ok["arrival_us"]).to_numpy()) / 1000
    counts += [
        _figure(case, f"p{p}", _exact(measured, p), _exact(true, p), limits.percentile_share, limits.percentile_ms) for p in PERCENTILES
    ]
    counts.append(_figure(case, "maximum", float(measured[-1]), float(true[-1]), limits.maximum_share, limits.maximum_ms))
    lateness_ms = float(np.median(ok["start_us"] - ok["planned_us"])) / 1000
    counts.append(CheckedFigure(case, "lateness, median", "ms", lateness_ms, 0.0, abs(lateness_ms) <= limits.lateness_median_ms))
    length_s = observation.case.duration_s
    rate, planned_rate = len(observation.pairs) / length_s, observation.planned / length_s
    counts.append(CheckedFigure(case, "arrival rate", "1/s", rate, planned_rate, abs(rate / planned_rate - 1) <= limits.rate_share))
    return counts


def negative_controls(observation: CaseResult) -> Mapping[str, CaseResult]:
    """The same result distorted in three ways that a calibration must detect."""
    pairs = observation.pairs
    skewed = pairs.assign(end_us=pairs["intended_us"] + ((pairs["end_us"] - pairs["intended_us"]) * 1.03).astype("int64"))
    late = pairs.assign(
        **{name: pairs[name] + 5_000 for name in ("intended_us", "start_us", "end_us", "arrival_us", "begin_us", "served_us")}
    )
    return {
        "latencies 3 % too long": replace(observation, pairs=skewed),
        "one row lost": replace(observation, pairs=pairs.drop(index=pairs.index[len(pairs) // 2])),
        "schedule 5 ms late": replace(observation, pairs=late),
    }


def printed(certificate: Mapping[str, Any]) -> str:
    """The findings of a certificate as a table, and the result of the negative controls."""
    lines = [f"{'case':<16}{'figure':<20}{'measured':>12}{'true':>12}{'error':>10}{'error %':>9}"]
    for finding in certificate["findings"]:
        percent = "" if finding["error_percent"] is None else f"{finding['error_percent']:+.2f}"
        mark = "" if finding["within"] else "  beyond its limit"
        lines.append(
            f"{finding['case']:<16}{finding['figure']:<20}{finding['measured']:>12.3f}{finding['true']:>12.3f}{finding['error']:>+10.3f}{percent:>9}"
            f" {finding['unit']}{mark}"
        )
    lines += [f"{case}: disturbed, {'; '.join(reasons)}" for case, attempts in certificate["disturbed"].items() for reasons in attempts]
    detected = sum(state == "detected" for state in certificate["negative_controls"].values())
    lines.append(f"negative controls: {detected} of {len(certificate['negative_controls'])} detected")
    lines.append("valid" if certificate["valid"] else "NOT VALID")
    return "\n".join(lines)


_REMEDY = "Free the machine (other work, power saving), or lower the rate; `docs/calibration.md` says what each figure depends on."


def _figure(case: str, name: str, measured: float, true: float, share: float, at_least_ms: float) -> CheckedFigure:
    within = abs(measured - true) <= max(share * true, at_least_ms)
    return CheckedFigure(case, name, "ms", float(measured), float(true), within)


def _exact(ordered_ms: Any, percent: float) -> float:
    found = percentile(ordered_ms, percent, floor=False)
    assert found is not None
    return found


def _certificate(
    catalog: Catalog,
    workers: int,
    findings: Sequence[CheckedFigure],
    controls: Mapping[str, bool],
    disturbed: Mapping[str, Sequence[Sequence[str]]],
    *,
    calm: bool,
) -> dict[str, Any]:
    return {
        "schema": "calibration/1",
        "made_utc": datetime.now(UTC).isoformat(timespec="seconds"),
        "valid": calm and all(finding.within for finding in findings) and all(controls.values()),
        "bound_to": {
            "host": host_facts(),
            "versions": {name: metadata.version(name) for name in ("locust", "gevent", "httptools", "numpy")}
            | {"harness": __version__, "python": platform.python_version()},
            "workers": workers,
            "tls": False,
            "rates_per_s": sorted({case.rate_per_s for case in CASES}),
            "catalog_sha256": catalog_digest(catalog),
        },
        "limits": asdict(CalibrationLimits()),
        "health": UNDISTURBED.model_dump(),  # limits of the generator's health in every accepted case
        "disturbed": disturbed,  # case → the reasons of each rejected attempt
        "findings": [{**asdict(finding), "error": finding.error, "error_percent": finding.error_percent} for finding in findings],
        "negative_controls": {name: "detected" if detected else "missed" for name, detected in controls.items()},
    }

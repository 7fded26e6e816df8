"""Rows, window facts and scorecard in, findings out: cause, size and remedy. No file, no network, no Locust."""

from harness.diagnosis.diagnose import EvidenceBeside, diagnose
from harness.diagnosis.finding import Diagnosis, Finding, FindingCode, FindingFigure, FindingSubject, Phase, Remedy, ShareOf, Sureness
from harness.diagnosis.portal_rows import DIAGNOSED_COLUMNS
from harness.diagnosis.time_taken import Encodings

__all__ = [
    "DIAGNOSED_COLUMNS",
    "Diagnosis",
    "Encodings",
    "EvidenceBeside",
    "Finding",
    "FindingCode",
    "FindingFigure",
    "FindingSubject",
    "Phase",
    "Remedy",
    "ShareOf",
    "Sureness",
    "diagnose",
]

"""Rows, window facts and scorecard in, findings out: cause, size and remedy. No file, no network, no Locust."""

from harness.diagnosis.finding import Diagnosis, Finding, FindingCode, FindingFigure, FindingSubject, Phase, Remedy, ShareOf, Sureness

__all__ = ["Diagnosis", "Finding", "FindingCode", "FindingFigure", "FindingSubject", "Phase", "Remedy", "ShareOf", "Sureness"]

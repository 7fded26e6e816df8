"""Exports, delivery to the main evaluation, reports, charts and the scoreboard."""

from harness.publish.delivery import DeliveryReceipt, push
from harness.publish.exports import export, export_totals, read_grades
from harness.publish.import_file import read_scores, schema
from harness.publish.portal_faults import FAULTS_JSON, FaultCount, PortalFaults, explain_faults, write_faults
from harness.publish.portal_findings import (
    FINDINGS_JSON,
    FindingText,
    conclusion_text,
    diagnosis_document,
    explain_findings,
    finding_text,
    write_findings,
)
from harness.publish.printed_card import print_card
from harness.publish.report import report
from harness.publish.report_data import Claim, GivenPermissions, Grades, HealthReading, Provenance, ReportExtras, WorkerFigures
from harness.publish.round_trip import points_at_zero_round_trip
from harness.publish.scoreboard import scoreboard
from harness.publish.site import serve

__all__ = [
    "FAULTS_JSON",
    "FINDINGS_JSON",
    "Claim",
    "DeliveryReceipt",
    "FaultCount",
    "FindingText",
    "GivenPermissions",
    "Grades",
    "HealthReading",
    "PortalFaults",
    "Provenance",
    "ReportExtras",
    "WorkerFigures",
    "conclusion_text",
    "diagnosis_document",
    "explain_faults",
    "explain_findings",
    "export",
    "export_totals",
    "finding_text",
    "points_at_zero_round_trip",
    "print_card",
    "push",
    "read_grades",
    "read_scores",
    "report",
    "schema",
    "scoreboard",
    "serve",
    "write_faults",
    "write_findings",
]

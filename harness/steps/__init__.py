"""The step engine: a platform's profile, compiled once, walked by one citizen at a time."""

from harness.steps.compiled import CompiledPlatform
from harness.steps.compiling import compile_platform
from harness.steps.failure import StepFailed
from harness.steps.functions import function, load_functions
from harness.steps.inspection import whats_there
from harness.steps.observer import Observer, Seen
from harness.steps.page import Page
from harness.steps.person import Person, synthetic_person
from harness.steps.receipts import Duplicate, Findings, Receipt, judge_receipts
from harness.steps.visit import Visit

__all__ = [
    "CompiledPlatform",
    "Duplicate",
    "Findings",
    "Observer",
    "Page",
    "Person",
    "Receipt",
    "Seen",
    "StepFailed",
    "Visit",
    "compile_platform",
    "function",
    "judge_receipts",
    "load_functions",
    "synthetic_person",
    "whats_there",
]

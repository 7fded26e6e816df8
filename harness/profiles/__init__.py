"""The profile language: how a platform does each step, compiled once and frozen."""

from harness.profiles.compile import compile_platform
from harness.profiles.functions import function, load_functions
from harness.profiles.steps import CompiledPlatform

__all__ = ["CompiledPlatform", "compile_platform", "function", "load_functions"]

"""The profile language: how a platform does each step, compiled once and frozen."""

from harness.profiles.compile import compile_platform
from harness.profiles.executable import CompiledPlatform
from harness.profiles.functions import function, load_functions

__all__ = ["CompiledPlatform", "compile_platform", "function", "load_functions"]

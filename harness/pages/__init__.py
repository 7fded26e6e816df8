"""An answer as a citizen's browser reads it: its texts, elements, controls, forms and refreshes."""

from harness.pages.description import describe_page, page_messages
from harness.pages.page import Page
from harness.pages.values import MissingValueError, as_text

__all__ = ["MissingValueError", "Page", "as_text", "describe_page", "page_messages"]

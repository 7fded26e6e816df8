"""A citizen looks for a procedure and reads what it asks for."""

from _keywords import KEYWORDS

from harness.scenario import Citizen, visit


class Search(Citizen):
    """Searches by a keyword and opens one of the procedures found."""

    weight = 3  # with 20 users: 8 search, 6 submit, 6 pay; real usage is in the workloads
    goals = ("find",)

    @visit
    def search_procedure(self) -> None:
        self.find(self.choose(KEYWORDS))

"""A citizen looks for a procedure and reads what it asks for."""

from harness.operations.locustfile import Citizen, visit

KEYWORDS = ("khai sinh", "kết hôn", "đất đai", "xây dựng", "kinh doanh", "cư trú", "lao động", "giấy phép")


class Search(Citizen):
    """Searches by a keyword and opens one of the procedures found."""

    weight = 3  # with 20 users: 10 search, 5 submit, 5 pay; real usage is in the workloads
    goals = ("find",)

    @visit
    def search_procedure(self) -> None:
        self.find(self.choose(KEYWORDS))

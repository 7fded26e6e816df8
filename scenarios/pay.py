"""A citizen files a dossier and pays its fee online."""

from _keywords import KEYWORDS

from harness.scenario import Citizen, visit


class Pay(Citizen):
    """Files a dossier, pays, and sees the payment confirmed."""

    weight = 2
    goals = ("find", "file", "pay")

    @visit
    def pay_fee(self) -> None:
        procedure = self.find(self.choose(KEYWORDS))
        self.think("read")
        receipt = self.file(procedure, self.person.dossier_for(procedure))
        self.think("look_for_fee")
        self.pay(receipt)

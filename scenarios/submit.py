"""A citizen finds a procedure, files a dossier for it and follows it with the receipt."""

from _keywords import KEYWORDS

from harness.scenario import Citizen, visit


class Submit(Citizen):
    """Files a dossier and looks it up again."""

    weight = 2
    goals = ("find", "file", "track")

    @visit
    def submit_dossier(self) -> None:
        procedure = self.find(self.choose(KEYWORDS))
        self.think("read")
        receipt = self.file(procedure, self.person.dossier_for(procedure))
        self.think("note_receipt")
        self.track(receipt)

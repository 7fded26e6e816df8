"""The permissions under which a sweep was measured, and when its rules were fixed, read from the sweep's folder."""

from __future__ import annotations

from harness.catalog.authorisation import NamedPermission
from harness.evidence import SweepFolder
from harness.operations.rules import SweepRules
from harness.publish import GivenPermissions
from harness.records import Plan
from harness.records.plain import read_record


def permissions_of(folder: SweepFolder, plan: Plan) -> GivenPermissions:
    """The permissions with number and date where the rules have them; evidence without rules names them by their ids."""
    rules = read_record(SweepRules, folder.rules) if folder.rules.is_file() else None
    named = {} if rules is None else rules.authorisations
    permissions = {
        target.portal: named.get(target.portal) or NamedPermission(target.authorisation, "", "")
        for target in plan.targets
        if target.authorisation
    }
    contacts = tuple(dict.fromkeys(target.terms.contact for target in plan.targets if target.terms.contact))
    return GivenPermissions(permissions, contacts, "" if rules is None else rules.fixed_utc, rules_signed=folder.rules_signature.is_file())

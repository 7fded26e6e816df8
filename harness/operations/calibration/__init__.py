"""The instrument against a known truth, and the certificate that says how far it is off."""

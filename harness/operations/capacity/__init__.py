"""The search for a portal's capacity: each level is a short sweep with evidence of its own."""

"""The evaluator's bundle: profile, workload and criteria set by digest, so that a vendor measures by the same files and sees every difference."""

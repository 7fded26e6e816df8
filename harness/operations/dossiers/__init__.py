"""The dossiers that a sweep filed: withdrawn, listed, and compared with outside counts."""

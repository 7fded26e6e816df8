"""What is kept: the spool, the Parquet files, the manifest, and the verdict that comes before any score."""

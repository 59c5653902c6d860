"""The corpus: seeds in, versioned Parquet out. Imports cleaners and pyarrow, never Prefect."""

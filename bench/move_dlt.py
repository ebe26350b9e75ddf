"""move_dlt.py URL duckdb|parquet WHERE TABLE: a table of PostgreSQL by dlt, with its pyarrow backend."""
import sys

import dlt
from dlt.sources.sql_database import sql_database

url, kind, where, table = sys.argv[1:]
target = dlt.destinations.duckdb(where) if kind == "duckdb" else dlt.destinations.filesystem(bucket_url="file://" + where)
source = sql_database(url, schema="public", table_names=[table], backend="pyarrow", chunk_size=100000)
pipeline = dlt.pipeline("bench", pipelines_dir=where + ".state", destination=target, dataset_name="raw")
pipeline.run(source, write_disposition="replace", loader_file_format="parquet").raise_on_failed_jobs()

"""DataTrove's closest recipe, in its own environment: python run_datatrove.py IN OUT; IN is a folder of JSON Lines."""

import sys

from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.formatters import FTFYFormatter, SymbolLinesFormatter
from datatrove.pipeline.readers import JsonlReader
from datatrove.pipeline.writers import ParquetWriter

given, made = sys.argv[1:3]
LocalPipelineExecutor(
    pipeline=[
        JsonlReader(given),
        FTFYFormatter(),
        SymbolLinesFormatter(),
        ParquetWriter(f"{made}/documents"),
    ],
    tasks=1,
    workers=1,
    logging_dir=f"{made}/logs",
).run()

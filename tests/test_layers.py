"""Dependencies point one way: flows -> corpus -> cleaners. Each layer is imported in a fresh interpreter."""

import subprocess
import sys

import pytest

STRANGERS = {
    "cleaners": ("corpus", "flows", "prefect", "pyarrow", "click", "rich"),
    "corpus": ("flows", "prefect", "click", "rich"),
    "flows.cli": ("prefect", "pyarrow", "corpus"),
}


@pytest.mark.parametrize("layer", STRANGERS)
def test_a_layer_loads_no_stranger(layer: str) -> None:
    code = f"import sys, {layer}; print(' '.join(sorted(m.partition('.')[0] for m in sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert layer.partition(".")[0] in loaded
    assert not loaded & set(STRANGERS[layer])

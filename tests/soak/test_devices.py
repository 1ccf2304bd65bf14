"""A city's devices send for ten minutes while people look at its map: none that was acknowledged is lost."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).resolve().parents[2] / "bench" / "devices.py"


@pytest.mark.soak
@pytest.mark.timeout(3_600)
def test_a_hundred_thousand_devices_lose_nothing(tmp_path):
    run = subprocess.run(
        [sys.executable, str(BENCH)],
        check=True,
        stdout=subprocess.PIPE,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    told = json.loads(run.stdout.splitlines()[-1])
    print(told)
    assert told["acknowledged"] == told["sent"] == told["kept_after_kill"] == 1_000_000
    assert told["streams"] == 100_000
    assert told["pans_failed"] == 0

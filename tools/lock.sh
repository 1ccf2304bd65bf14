#!/bin/sh
# Renews the locks: hashes, no index, no host.
set -eu
uv=${1:-uv}
compile() { "$uv" pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header pyproject.toml "$@"; }
compile --group build -o requirements/run.txt
compile --group build --group dev -o requirements/dev.txt
compile --group build --group dev --group bench -o requirements/bench.txt

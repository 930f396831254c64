#!/usr/bin/env bash
# Makes the wheel of a target from the release build that is there: cargo, which maturin asks, has nothing to do.
#
#     packaging/wheel.sh TARGET FOLDER
set -euo pipefail
target=$1
mkdir -p "$2"
out=$(cd "$2" && pwd)
cd "$(dirname "$0")/pypi"
compatibility=()
case "$target" in
  # Linked statically, the program does not care which C library the system has.
  *-linux-musl) compatibility=(--compatibility manylinux2014 --compatibility musllinux_1_1) ;;
  *-linux-gnu)
    # As build.sh builds it: other flags would be another build.
    variable=CARGO_TARGET_$(tr a-z- A-Z_ <<<"$target")_RUSTFLAGS
    export "$variable=-C target-feature=+crt-static"
    compatibility=(--compatibility manylinux2014)
    ;;
esac
maturin build --release --locked --target "$target" --out "$out" ${compatibility[@]+"${compatibility[@]}"}

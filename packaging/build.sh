#!/usr/bin/env bash
# The one release build that the packages of this machine are made from. Prints its target and its program.
#
# Releases for Linux are built for musl. Where that target is not installed the GNU one stands in for it,
# linked statically too, so that everything that follows from that can be tried.
set -euo pipefail
cd "$(dirname "$0")/.."
host=$(rustc -vV | sed -n 's/^host: //p')
target=${host/-gnu/-musl}
if [ ! -d "$(rustc --print target-libdir --target "$target" 2>/dev/null)" ]; then
  target=$host
  variable=CARGO_TARGET_$(tr a-z- A-Z_ <<< "$target")_RUSTFLAGS
  export "$variable=-C target-feature=+crt-static"
fi
cargo build --release --locked --target "$target" >&2
if [ $# -gt 0 ]; then packaging/wheel.sh "$target" "$1" >&2; fi
echo "$target"

#!/bin/sh
# Times `iefctl validate` with all rules against `xmllint --noout --schema`, as whole processes over
# the same 192 published policies, side by side in one run of hyperfine, and prints the ratio.
#
# Usage: benches/corpus_vs_xmllint.sh [path of iefctl]      (default: target/release/iefctl)
# Needs hyperfine, xmllint, and the folder `shared` with corpus and schema beside the repository.
set -eu
repository=$(cd "$(dirname "$0")/.." && pwd)
iefctl=$(realpath "${1:-$repository/target/release/iefctl}")
cd "$repository/../shared"
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT

# xmllint gets every file, iefctl every folder that holds files: each is a set of its own. Samples are
# written for a starter pack and are checked against the most common one.
find corpus -name '*.xml' -print0 | sort -z >"$work/files"
find corpus -name '*.xml' -printf '%h\0' | sort -zu >"$work/folders"
base=corpus/starterpack/SocialAndLocalAccounts
schema=schema/TrustFrameworkPolicy_0.3.0.0.w3c.xsd
printf '%s files, %s sets\n' "$(tr -cd '\0' <"$work/files" | wc -c)" "$(tr -cd '\0' <"$work/folders" | wc -c)"

# Without a shell or xargs between, whose own start would count.
quoted() { python3 -c 'import shlex, sys; print(shlex.join(sys.stdin.read().split("\0")[:-1]))' <"$1"; }
hyperfine -N --ignore-failure --warmup 3 --runs "${RUNS:-30}" --export-json "$work/times.json" \
    --command-name xmllint "xmllint --noout --schema $schema $(quoted "$work/files")" \
    --command-name iefctl "'$iefctl' validate -t contoso.onmicrosoft.com --with $base $(quoted "$work/folders")"

python3 - "$work/times.json" <<'PYTHON'
import json, sys
xmllint, iefctl = json.load(open(sys.argv[1]))["results"]
for measure in ("median", "mean", "min"):
    a, b = xmllint[measure], iefctl[measure]
    print(f"{measure:6}: xmllint {a * 1000:6.1f} ms, iefctl {b * 1000:6.1f} ms: iefctl takes {b / a:.2f} of the time")
cpu = lambda result: result["user"] + result["system"]
print(f"cpu   : xmllint {cpu(xmllint) * 1000:6.1f} ms, iefctl {cpu(iefctl) * 1000:6.1f} ms: {cpu(iefctl) / cpu(xmllint):.2f}")
PYTHON

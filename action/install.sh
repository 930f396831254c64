#!/usr/bin/env bash
# Brings iefctl onto the runner: the released binary for its system, verified, or one built from the
# sources beside this script. action.yml calls it. Everything comes through the environment, and no
# value is ever part of a command's text.
#
#   IEFCTL_ACTION_REPOSITORY   owner/name, empty for a local action
#   IEFCTL_ACTION_REF          tag, branch or commit that the workflow names, empty for a local action
#   IEFCTL_VERSION             1.2.3, `source`, or empty for what the ref says
#   IEFCTL_RELEASES            folder of the releases, a URL; default: those of the repository
#   IEFCTL_ATTESTATION         auto, required or off
#   IEFCTL_CARGO_PROFILE       profile to build with; default: release
set -euo pipefail

fail() {
  local message=$1
  message=${message//'%'/%25}
  message=${message//$'\r'/%0D}
  message=${message//$'\n'/%0A}
  # Not to standard output, which some callers read.
  printf '::error title=iefctl::%s\n' "$message" >&2
  exit 2
}

# A path as the tools of this shell take it, and as the runner takes it.
posix() { if command -v cygpath >/dev/null; then cygpath -u -- "$1"; else printf '%s' "$1"; fi; }
native() { if command -v cygpath >/dev/null; then cygpath -w -- "$1"; else printf '%s' "$1"; fi; }

source_path=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
tools=$(posix "$RUNNER_TEMP")/iefctl
repository=${IEFCTL_ACTION_REPOSITORY:-}
server=${GITHUB_SERVER_URL:-https://github.com}
number='[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?'
program=iefctl
[ "${RUNNER_OS:-}" != Windows ] || program=iefctl.exe

# The version that the sources would have, for tags that move and for commits.
source_version() { sed -n 's/^version = "\(.*\)"$/\1/p' "$source_path/Cargo.toml" | head -n 1; }

# Prints the version to install, or `source`.
wanted() {
  local version=${IEFCTL_VERSION:-} ref=${IEFCTL_ACTION_REF:-} own tag tags
  if [ -n "$version" ]; then
    if [ "$version" = source ]; then
      printf source
    elif [[ $version =~ ^v?$number$ ]]; then
      printf '%s' "${version#v}"
    else
      fail "input \`version\` is $version: it takes a version such as 1.2.3, or source"
    fi
    return
  fi
  own=$(source_version)
  if [[ $ref =~ ^v$number$ ]]; then
    printf '%s' "${ref#v}"
  elif [[ $ref =~ ^v[0-9]+(\.[0-9]+)?$ ]]; then
    printf '%s' "$own"
  elif [[ $ref =~ ^[0-9a-f]{40}$ ]] && [ -n "$repository" ]; then
    # A pinned commit: the released binary only if this very commit was released.
    tag=refs/tags/v$own
    tags=$(git ls-remote "$server/$repository" "$tag" "$tag^{}") || tags=
    if grep -q "^$ref" <<<"$tags"; then printf '%s' "$own"; else printf source; fi
  else
    printf source
  fi
}

target() {
  case "${RUNNER_OS:-}-${RUNNER_ARCH:-}" in
    Linux-X64) printf x86_64-unknown-linux-musl ;;
    Linux-ARM64) printf aarch64-unknown-linux-musl ;;
    macOS-X64) printf x86_64-apple-darwin ;;
    macOS-ARM64) printf aarch64-apple-darwin ;;
    Windows-X64) printf x86_64-pc-windows-msvc ;;
    Windows-ARM64) printf aarch64-pc-windows-msvc ;;
    *) fail "there is no released binary for ${RUNNER_OS:-an unknown system} on ${RUNNER_ARCH:-an unknown processor}: \`version: source\` builds it" ;;
  esac
}

# fetch URL FILE
fetch() {
  local protocols='=https'
  # Plain text only to this machine, for tests and mirrors on it.
  if [[ $1 =~ ^http://(127\.0\.0\.1|localhost|\[::1\])(:[0-9]+)?/ ]]; then protocols='=http'; fi
  curl --proto "$protocols" --tlsv1.2 --fail --silent --show-error --location --retry 3 \
    --max-time 300 --output "$2" --url "$1"
}

sha256() {
  if command -v sha256sum >/dev/null; then
    sha256sum <"$1"
  else
    shasum -a 256 <"$1"
  fi | cut -d ' ' -f 1
}

# attest ARCHIVE: where the release says who built it, and the means are there to check that.
attest() {
  local mode=${IEFCTL_ATTESTATION:-auto}
  case $mode in
    off) return ;;
    auto | required) ;;
    *) fail "input \`attestation\` is $mode: it takes auto, required or off" ;;
  esac
  # Old ones do not know the command.
  if ! gh attestation verify --help >/dev/null 2>&1 || [ -z "${GH_TOKEN:-}" ] ||
    [ "$server" != https://github.com ] || [ -n "${IEFCTL_RELEASES:-}" ]; then
    [ "$mode" = auto ] || fail "the attestation cannot be verified here: that needs the program gh in version 2.49 or newer and a release on github.com"
    return
  fi
  gh attestation verify "$(native "$1")" --repo "$repository" >/dev/null ||
    fail "the build attestation of the download is missing or wrong: it was not built by a workflow of $repository"
  echo "attestation verified"
}

# install_release VERSION FOLDER
install_release() {
  local version=$1 folder=$2 triple archive base line expected found work
  triple=$(target)
  # As packaging/targets.json has it.
  archive=iefctl-$version-$triple.tar.gz
  [ "${RUNNER_OS:-}" != Windows ] || archive=iefctl-$version-$triple.zip
  if [ -z "${IEFCTL_RELEASES:-}" ] && [ -z "$repository" ]; then
    fail "a local action has no releases: leave out \`version\`, which builds it from its sources"
  fi
  base=${IEFCTL_RELEASES:-$server/$repository/releases/download}
  base=${base%/}/v$version
  work=$(mktemp -d "$tools/download.XXXXXX")
  # shellcheck disable=SC2064 # the folder as it is called now
  trap "rm -rf -- '$work'" EXIT
  fetch "$base/SHA256SUMS" "$work/SHA256SUMS" ||
    fail "cannot download $base/SHA256SUMS: is there a release $version? \`version: source\` builds from the sources"
  expected=
  while IFS= read -r line || [ -n "$line" ]; do
    line=${line%$'\r'}
    if [[ $line =~ ^([0-9A-Fa-f]{64})[[:space:]]+[*]?(.+)$ ]] && [ "${BASH_REMATCH[2]}" = "$archive" ]; then
      [ -z "$expected" ] || fail "$base/SHA256SUMS names $archive twice"
      expected=${BASH_REMATCH[1]}
    fi
  done <"$work/SHA256SUMS"
  [ -n "$expected" ] ||
    fail "release $version has no $archive: \`version: source\` builds from the sources"
  fetch "$base/$archive" "$work/$archive" || fail "cannot download $base/$archive"
  found=$(sha256 "$work/$archive")
  if [ "$(tr A-F a-f <<<"$expected")" != "$found" ]; then
    fail "$base/$archive is not what the release says: its SHA-256 is $found, and SHA256SUMS says $expected. Nothing was installed"
  fi
  attest "$work/$archive"
  mkdir "$work/unpacked"
  case $archive in
    *.zip) unzip -q "$work/$archive" -d "$work/unpacked" ;;
    *) tar -xzf "$work/$archive" -C "$work/unpacked" ;;
  esac || fail "cannot unpack $archive"
  found=$work/unpacked/iefctl-$version-$triple/$program
  [ -f "$found" ] || fail "$archive does not hold iefctl-$version-$triple/$program"
  chmod +x "$found"
  mkdir -p "$folder"
  mv -f "$found" "$folder/$program"
}

# install_source FOLDER
install_source() {
  local folder=$1 profile=${IEFCTL_CARGO_PROFILE:-release} built
  command -v cargo >/dev/null ||
    fail "there is no Rust toolchain to build iefctl with: name a release with \`version\`, or install Rust first"
  export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$tools/target}
  cargo build --quiet --locked --bin iefctl --profile "$profile" \
    --manifest-path "$source_path/Cargo.toml" || fail "iefctl could not be built from its sources"
  [ "$profile" != dev ] || profile=debug
  built=$(posix "$CARGO_TARGET_DIR")/$profile/$program
  mkdir -p "$folder"
  cp -f "$built" "$folder/$program"
}

mkdir -p "$tools"
version=$(wanted)
folder=$tools/$version
# An earlier step of the job may have brought it.
if [ ! -x "$folder/$program" ]; then
  if [ "$version" = source ]; then install_source "$folder"; else install_release "$version" "$folder"; fi
fi
said=$("$folder/$program" --version) || fail "the installed iefctl does not run on this runner"
if [ "$version" != source ] && [ "$said" != "iefctl $version" ]; then
  rm -f -- "$folder/$program"
  fail "the release $version holds another version: $said"
fi
echo "$said, $([ "$version" = source ] && echo 'built from its sources' || echo 'released binary')"
native "$folder" >>"$GITHUB_PATH"
echo >>"$GITHUB_PATH"
{
  echo "binary=$(native "$folder/$program")"
  echo "version=${said#iefctl }"
} >>"$GITHUB_OUTPUT"

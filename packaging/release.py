#!/usr/bin/env python3
"""Makes the parts of a release from built programs. `packaging/README.md` says what a release is.

Needs nothing but Python 3.11. The version is that of Cargo.toml; everything else that names a version
is a copy, which `check` compares and `set-version` writes.
"""

import argparse
import datetime
import gzip
import hashlib
import io
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
CONTRACT = json.loads((ROOT / "packaging" / "targets.json").read_text())
DOCUMENTS = ["README.md", "CHANGELOG.md", "LICENSE"]
TASKS = ["Iefctl", "IefctlBuild", "IefctlDeploy"]
VERSION = re.compile(r"\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?")
# What archives say of every file: they depend on the content alone.
EPOCH = 315532800  # 1980-01-01, the earliest that a zip file can say


class Refused(Exception):
    """Something that the person who releases has to change."""


def version():
    return tomllib.loads((ROOT / "Cargo.toml").read_text())["package"]["version"]


def target_named(name):
    for target in CONTRACT["targets"]:
        if target["target"] == name:
            return target
    raise Refused(f"packaging/targets.json has no target {name}")


def asset(kind, **values):
    return CONTRACT[kind].format(version=version(), **values)


# Versions


def copies():
    """Every copy of the version: where it is, and what it says."""
    devops = ROOT / "azure-devops"
    package = json.loads((devops / "package.json").read_text())
    lock = json.loads((devops / "package-lock.json").read_text())
    yield "azure-devops/package.json", package["version"]
    yield "azure-devops/package-lock.json", lock["version"]
    yield "azure-devops/package-lock.json, the package itself", lock["packages"][""]["version"]
    extension = json.loads((devops / "vss-extension.json").read_text())
    yield "azure-devops/vss-extension.json", extension["version"]
    for task in TASKS:
        numbers = json.loads((devops / "tasks" / task / "task.json").read_text())["version"]
        yield f"azure-devops/tasks/{task}/task.json", ".".join(
            str(numbers[part]) for part in ("Major", "Minor", "Patch")
        )
    lock = tomllib.loads((ROOT / "Cargo.lock").read_text())
    (own,) = (package for package in lock["package"] if package["name"] == "iefctl")
    yield "Cargo.lock", own["version"]


def check(tag):
    expected = version()
    # The Marketplace and tasks know three numbers and nothing else.
    numbers = expected.split("-")[0]
    wrong = []
    for place, found in copies():
        wanted = numbers if place.startswith("azure-devops/") and "package" not in place else expected
        if found != wanted:
            wrong.append(f"{place} says {found}")
    if tag is not None and tag != CONTRACT["tag"].format(version=expected):
        wrong.append(f"the tag is {tag}")
    if wrong:
        raise Refused(f"Cargo.toml says {expected}, but " + ", ".join(wrong))
    if tag is not None:
        notes()
    print(expected)


def set_version(new):
    if not VERSION.fullmatch(new):
        raise Refused(f"{new} is no version: write it like 1.2.3")
    numbers = new.split("-")[0]
    major, minor, patch = numbers.split(".")
    old = re.escape(version())
    devops = ROOT / "azure-devops"

    def edit(path, pattern, replacement, count=1):
        text = path.read_text()
        edited, found = re.subn(pattern, replacement, text, count=count, flags=re.MULTILINE)
        if found != count:
            raise Refused(f"{path.relative_to(ROOT)} does not look as expected: no version found")
        path.write_text(edited)

    edit(ROOT / "Cargo.toml", rf'^version = "{old}"$', f'version = "{new}"')
    edit(
        ROOT / "Cargo.lock",
        rf'^name = "iefctl"\nversion = "{old}"$',
        f'name = "iefctl"\nversion = "{new}"',
    )
    edit(devops / "package.json", r'^  "version": "[^"]*"', f'  "version": "{new}"')
    edit(devops / "package-lock.json", r'^(  |      )"version": "[^"]*"', rf'\1"version": "{new}"', 2)
    edit(devops / "vss-extension.json", r'^  "version": "[^"]*"', f'  "version": "{numbers}"')
    for task in TASKS:
        edit(
            devops / "tasks" / task / "task.json",
            r'"Major": \d+,\s+"Minor": \d+,\s+"Patch": \d+',
            f'"Major": {major},\n    "Minor": {minor},\n    "Patch": {patch}',
        )
    today = datetime.datetime.now(datetime.timezone.utc).date().isoformat()
    edit(ROOT / "CHANGELOG.md", r"^## \[Unreleased\]$", f"## [Unreleased]\n\n## [{new}] - {today}")
    check(None)


def notes():
    """The section of the changelog about this version."""
    wanted = version()
    lines = (ROOT / "CHANGELOG.md").read_text().splitlines()
    begin = next((n for n, line in enumerate(lines) if line.startswith(f"## [{wanted}]")), None)
    if begin is None:
        raise Refused(f"CHANGELOG.md has no section [{wanted}]: run `release.py set-version {wanted}`")
    section = []
    for line in lines[begin + 1 :]:
        if line.startswith("## ") or re.match(r"\[[^\]]+\]: ", line):
            break
        section.append(line)
    text = "\n".join(section).strip()
    if not text:
        raise Refused(f"CHANGELOG.md says nothing about {wanted}")
    return text + "\n"


# Archives


def make_archive(target_name, program, out):
    target = target_named(target_name)
    name = asset("archive", target=target_name, suffix=target["suffix"])
    folder = name.removesuffix(target["suffix"])
    files = [(target["program"], pathlib.Path(program).read_bytes(), 0o755)]
    files += [(document, (ROOT / document).read_bytes(), 0o644) for document in DOCUMENTS]
    path = pathlib.Path(out) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if target["suffix"] == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for file, content, mode in files:
                info = zipfile.ZipInfo(f"{folder}/{file}")
                info.external_attr = mode << 16
                archive.writestr(info, content, zipfile.ZIP_DEFLATED)
    else:
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
            for file, content, mode in files:
                info = tarfile.TarInfo(f"{folder}/{file}")
                info.size, info.mode, info.mtime = len(content), mode, EPOCH
                archive.addfile(info, io.BytesIO(content))
        path.write_bytes(gzip.compress(buffer.getvalue(), mtime=EPOCH))
    print(path)


def read_archive(path, target):
    """The program in an archive."""
    member = f"{path.name.removesuffix(target['suffix'])}/{target['program']}"
    if target["suffix"] == ".zip":
        with zipfile.ZipFile(path) as archive:
            return archive.read(member)
    with tarfile.open(path) as archive:
        return archive.extractfile(member).read()


def archives(folder, partial):
    """The targets whose archives are in a folder; all must be, except to try things out."""
    for target in CONTRACT["targets"]:
        path = pathlib.Path(folder) / asset("archive", **{k: target[k] for k in ("target", "suffix")})
        if path.exists():
            yield target, path
        elif not partial:
            raise Refused(f"{path} is missing")


def checksums(folder):
    folder = pathlib.Path(folder)
    name = CONTRACT["checksums"]
    lines = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n"
        for path in sorted(folder.iterdir())
        if path.is_file() and path.name != name
    ]
    if not lines:
        raise Refused(f"{folder} is empty")
    (folder / name).write_text("".join(lines))


# npm


def npm(folder, out, repository, partial):
    """A package with the program for each platform, and the package `iefctl` that picks one."""
    out = pathlib.Path(out)
    # Nothing of an earlier run may be published.
    shutil.rmtree(out, ignore_errors=True)
    source = ROOT / "packaging" / "npm"
    launcher = json.loads((source / "package.json").read_text())
    shared = {key: launcher[key] for key in ("license", "homepage", "keywords") if key in launcher}
    if repository:
        shared["repository"] = {"type": "git", "url": f"git+https://github.com/{repository}.git"}
    platforms = {}
    for target, path in archives(folder, partial):
        platform, arch = target["node"]["platform"], target["node"]["arch"]
        name = f"@iefctl/{platform}-{arch}"
        platforms[name] = version()
        package = out / f"{platform}-{arch}"
        (package / "bin").mkdir(parents=True)
        program = package / "bin" / target["program"]
        program.write_bytes(read_archive(path, target))
        program.chmod(0o755)
        write_json(
            package / "package.json",
            {
                "name": name,
                "version": version(),
                "description": f"The program of iefctl for {platform} on {arch}",
                **shared,
                "os": [platform],
                "cpu": [arch],
                "files": ["bin"],
                "preferUnplugged": True,
            },
        )
        (package / "README.md").write_text(
            f"# {name}\n\nThe program of [iefctl](https://www.npmjs.com/package/iefctl) for {platform} on "
            f"{arch}. Install `iefctl`.\n"
        )
        shutil.copy(ROOT / "LICENSE", package)
    package = out / "iefctl"
    shutil.copytree(source, package)
    shutil.copy(ROOT / "LICENSE", package)
    write_json(
        package / "package.json",
        {**launcher, **shared, "version": version(), "optionalDependencies": platforms},
    )
    for package in sorted(out.iterdir()):
        print(package)


def write_json(path, value):
    path.write_text(json.dumps(value, indent=2) + "\n")


# Container


def root_file_system(program, certificates, out):
    """The files of the container image, for the Dockerfile and for trying it without one."""
    out = pathlib.Path(out)
    shutil.rmtree(out, ignore_errors=True)
    (out / "etc" / "ssl" / "certs").mkdir(parents=True)
    shutil.copy(program, out / "iefctl")
    (out / "iefctl").chmod(0o755)
    # A program that trusts what the system trusts needs a system that trusts somebody.
    shutil.copy(certificates, out / "etc" / "ssl" / "certs" / "ca-certificates.crt")
    # Who is who: the image does not run as root.
    (out / "etc" / "passwd").write_text("iefctl:x:65532:65532:iefctl:/work:/\n")
    (out / "etc" / "group").write_text("iefctl:x:65532:\n")
    (out / "tmp").mkdir()
    (out / "tmp").chmod(0o1777)
    (out / "work").mkdir()
    (out / "work").chmod(0o777)


def matrix():
    print(json.dumps({"include": [
        {key: target[key] for key in ("target", "suffix", "program", "runner")}
        for target in CONTRACT["targets"]
    ]}))


def host():
    """The target of this machine's releases."""
    output = subprocess.run(["rustc", "-vV"], capture_output=True, text=True, check=True).stdout
    print(re.search(r"^host: (.+)$", output, re.MULTILINE)[1].replace("-gnu", "-musl"))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("version", help="print the version")
    command = commands.add_parser("check", help="compare all copies of the version, and the tag")
    command.add_argument("--tag")
    command = commands.add_parser("set-version", help="begin a release: write the version everywhere")
    command.add_argument("version")
    command = commands.add_parser("asset", help="print the name of an asset")
    command.add_argument("kind", choices=["sbom", "extension", "checksums"])
    commands.add_parser("notes", help="print the changelog's section about this version")
    commands.add_parser("matrix", help="print the targets for the matrix of a workflow")
    commands.add_parser("host", help="print the target of a release for this machine")
    command = commands.add_parser("archive", help="make the archive of a target")
    command.add_argument("--target", required=True)
    command.add_argument("--program", required=True)
    command.add_argument("--out", required=True)
    command = commands.add_parser("checksums", help="write SHA256SUMS into a folder of assets")
    command.add_argument("folder")
    command = commands.add_parser("npm", help="make the npm packages from the archives")
    command.add_argument("--archives", required=True)
    command.add_argument("--out", required=True)
    command.add_argument("--repository", help="OWNER/NAME on GitHub")
    command.add_argument("--partial", action="store_true", help="only targets that have an archive")
    command = commands.add_parser("rootfs", help="make the files of the container image")
    command.add_argument("--program", required=True)
    command.add_argument("--certificates", default="/etc/ssl/certs/ca-certificates.crt")
    command.add_argument("--out", required=True)
    given = parser.parse_args()
    match given.command:
        case "version":
            print(version())
        case "check":
            check(given.tag)
        case "set-version":
            set_version(given.version)
        case "asset":
            print(asset(given.kind))
        case "notes":
            print(notes(), end="")
        case "matrix":
            matrix()
        case "host":
            host()
        case "archive":
            make_archive(given.target, given.program, given.out)
        case "checksums":
            checksums(given.folder)
        case "npm":
            npm(given.archives, given.out, given.repository, given.partial)
        case "rootfs":
            root_file_system(given.program, given.certificates, given.out)


if __name__ == "__main__":
    try:
        main()
    except Refused as reason:
        sys.exit(f"error: {reason}")

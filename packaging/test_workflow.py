#!/usr/bin/env python3
"""Carries out `.github/workflows/release.yml` on this machine, job after job, as a runner would.

    packaging/test_workflow.py TARGET

The scripts of the steps are run as they stand, in a fresh workspace for each job, with what GitHub sets and with
artifacts in between. Real are: this repository, the release build of this machine, release.py, npm, tfx, tar and
buildah. What would reach the world outside or take minutes is a stand-in that writes down how it was called: cargo,
rustup, sudo, maturin, gh, uv, publishing on npm, and the registry of images, which is a folder.
"""

import glob
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

from ruamel.yaml import YAML

ROOT = pathlib.Path(__file__).resolve().parent.parent
WORKFLOW = YAML(typ="safe").load(ROOT / ".github" / "workflows" / "release.yml")
TARGET = sys.argv[1] if len(sys.argv) > 1 else ""
PROGRAM = ROOT / "target" / TARGET / "release" / "iefctl"
HERE = TARGET.replace("-gnu", "-musl")
REPOSITORY = "Contoso/iefctl"
TOKEN = "ghs-not-a-token"

# Stands in for the programs that are links to it.
STAND_IN = r'''#!/usr/bin/env python3
import json, os, pathlib, shutil, subprocess, sys
name, arguments = pathlib.Path(sys.argv[0]).name, sys.argv[1:]
log, real = pathlib.Path(os.environ["STAND_IN_LOG"]), os.environ["STAND_IN_PATH"]
def go_on(*command):
    os.environ["PATH"] = real
    sys.exit(subprocess.run(command).returncode)
if name == "python":
    go_on(shutil.which("python3", path=real), *arguments) if "pip" not in arguments else None
if name == "npx" and "publish" not in arguments:
    go_on("npx", *arguments)
said = None if sys.stdin is None or sys.stdin.isatty() else sys.stdin.read()
with log.open("a") as out:
    out.write(json.dumps([name, *arguments, *(["<<<", said] if said else [])]) + "\n")
if name == "cargo" and arguments[0] == "cyclonedx":
    sbom = arguments[arguments.index("--override-filename") + 1]
    pathlib.Path(sbom + ".json").write_text('{"bomFormat": "CycloneDX"}')
if name == "cargo" and arguments[0] == "build":
    target = arguments[arguments.index("--target") + 1]
    folder = pathlib.Path("target", target, "release")
    folder.mkdir(parents=True)
    shutil.copy(os.environ["STAND_IN_PROGRAM"], folder / pathlib.Path(os.environ["PROGRAM"]).name)
if name == "maturin":
    out = arguments[arguments.index("--out") + 1]
    pathlib.Path(out, "iefctl-" + arguments[arguments.index("--target") + 1] + ".whl").write_text("wheel")
if name == "buildah" and arguments[0] not in ("login", "logout"):
    store = os.environ["STAND_IN_REGISTRY"]
    arguments = [a.replace("docker://", "oci:" + store + "/").lower() if "docker://" in a else a for a in arguments]
    for part in (a for a in arguments if a.startswith("oci:")):
        pathlib.Path(part[4:]).parent.mkdir(parents=True, exist_ok=True)
    go_on("buildah", "--storage-driver=vfs", "--root", store + "/.store", "--runroot", store + "/.run", *arguments)
'''
PROGRAMS = ["cargo", "rustup", "sudo", "python", "maturin", "gh", "uv", "npx", "buildah"]


class Run:
    """One run of the workflow for a tag."""

    def __init__(self, folder, tag):
        self.folder, self.tag = folder, tag
        self.outputs, self.attested, self.log = {}, [], folder / "calls"
        self.registry, self.artifacts = folder / "registry", folder / "artifacts"
        for name in ("bin", "registry", "artifacts"):
            (folder / name).mkdir()
        stand_in = folder / "stand-in"
        stand_in.write_text(STAND_IN)
        stand_in.chmod(0o755)
        for name in PROGRAMS:
            (folder / "bin" / name).symlink_to(stand_in)
        self.source = folder / "source"
        files = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True
        ).stdout.decode().split("\0")
        for file in filter(lambda file: file and (ROOT / file).is_file(), files):
            (self.source / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / file, self.source / file)
        release = self.source / "packaging" / "release.py"
        subprocess.run([sys.executable, release, "set-version", tag.removeprefix("v")], check=True, stdout=subprocess.DEVNULL)

    def calls(self, *beginning):
        """What the stand-ins were called with, of those calls that begin so."""
        lines = map(json.loads, self.log.read_text().splitlines()) if self.log.exists() else []
        return [line for line in lines if line[: len(beginning)] == list(beginning)]

    def job(self, name, matrix=None, program=PROGRAM):
        job = WORKFLOW["jobs"][name]
        needs = job.get("needs", [])
        assert set([needs] if isinstance(needs, str) else needs) <= set(self.outputs), f"{name} runs too early"
        place = self.folder / f"{name}-{len(os.listdir(self.folder))}"
        workspace, temporary = place / "work space", place / "temp"
        for folder in (workspace, temporary):
            folder.mkdir(parents=True)
        context = {f"matrix.{key}": value for key, value in (matrix or {}).items()}
        context |= {
            "github.ref_name": self.tag, "github.ref": f"refs/tags/{self.tag}", "github.repository": REPOSITORY,
            "github.actor": "somebody", "github.token": TOKEN, "github.server_url": "https://github.com",
        }
        context |= {f"needs.{j}.outputs.{k}": v for j, all in self.outputs.items() for k, v in all.items()}
        environment = {
            "HOME": str(place), "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}", "CI": "true",
            "GITHUB_ACTIONS": "true", "RUNNER_TEMP": str(temporary), "GITHUB_WORKSPACE": str(workspace),
            "STAND_IN_LOG": str(self.log), "STAND_IN_PATH": os.environ["PATH"], "STAND_IN_PROGRAM": str(program),
            "STAND_IN_REGISTRY": str(self.registry), "BUILDAH_ISOLATION": "chroot",
            # The tools of this machine, which a runner has of its own.
            **{name: value for name, value in os.environ.items() if name.lower().startswith(("npm_", "ssl_", "node_"))},
        }
        environment.setdefault("npm_config_cache", os.path.expanduser("~/.npm"))
        environment |= {key: evaluated(value, context) for key, value in job.get("env", {}).items()}
        for step in job["steps"]:
            if "if" in step and not holds(step["if"], context):
                continue
            if "uses" in step:
                self.action(step, workspace, context)
                continue
            self.script(step, workspace, place, environment, context)
        self.outputs[name] = {key: evaluated(value, context) for key, value in job.get("outputs", {}).items()}
        return workspace

    def script(self, step, workspace, place, environment, context):
        assert WORKFLOW["defaults"]["run"]["shell"] == "bash" and "shell" not in step
        assert "${{" not in step["run"], f"an expression in a script: {step['name']}"
        file, output, path = place / "script", place / "output", place / "path"
        file.write_text(step["run"])
        output.write_text("")
        path.write_text("")
        own = {key: evaluated(value, context) for key, value in step.get("env", {}).items()}
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", file], stdin=subprocess.DEVNULL, capture_output=True,
            cwd=workspace / step.get("working-directory", "."), text=True, timeout=900,
            env=environment | own | {"GITHUB_OUTPUT": str(output), "GITHUB_PATH": str(path)},
        )
        assert done.returncode == 0, f"{step['name']}:\n{done.stdout}{done.stderr}"
        assert TOKEN not in done.stdout + done.stderr, f"{step['name']} prints the token"
        # What steps add to the path comes before what is there, but never before the stand-ins.
        stand_ins, rest = environment["PATH"].split(":", 1)
        environment["PATH"] = ":".join([stand_ins, *path.read_text().splitlines(), rest])
        for line in output.read_text().splitlines():
            key, value = line.split("=", 1)
            context[f"steps.{step['id']}.outputs.{key}"] = value

    def action(self, step, workspace, context):
        action = re.fullmatch(r"([\w-]+/[\w-]+)@[0-9a-f]{40}", step["uses"])[1]
        given = {key: evaluated(value, context) for key, value in step.get("with", {}).items()}
        match action:
            case "actions/checkout":
                assert given == {"persist-credentials": False}
                shutil.copytree(self.source, workspace, dirs_exist_ok=True)
            case "actions/upload-artifact":
                self.upload(given, workspace)
            case "actions/download-artifact":
                names = [given["name"]] if "name" in given else glob.glob(given["pattern"], root_dir=self.artifacts)
                assert names and ("name" in given or given["merge-multiple"])
                for name in names:
                    shutil.copytree(self.artifacts / name, workspace / given.get("path", "."), dirs_exist_ok=True)
            case "actions/attest":
                self.attested.append(given | {"files": glob.glob(given.get("subject-path", ""), root_dir=workspace)})
            case "rust-lang/crates-io-auth-action":
                context[f"steps.{step['id']}.outputs.token"] = TOKEN
            case "astral-sh/setup-uv" | "actions/setup-node":
                pass
            case _:
                raise AssertionError(f"this runner knows no {action}")

    def upload(self, given, workspace):
        paths = [workspace / line for line in given["path"].split("\n") if line]
        base = paths[0] if len(paths) == 1 and paths[0].is_dir() else workspace
        out = self.artifacts / given["name"]
        files = [file for path in paths for file in (path.rglob("*") if path.is_dir() else [path]) if file.is_file()]
        assert files, f"nothing to upload for {given['name']}"
        for file in files:
            (out / file.relative_to(base)).parent.mkdir(parents=True, exist_ok=True)
            # An artifact forgets who may execute what.
            shutil.copyfile(file, out / file.relative_to(base))


def evaluated(value, context):
    """A value of the workflow with its expressions replaced; an unknown one is a mistake."""
    if not isinstance(value, str):
        return value
    return re.sub(r"\$\{\{ *(.+?) *\}\}", lambda found: str(context[found[1]]), value)


def holds(condition, context):
    value, end = re.fullmatch(r"endsWith\(([\w.]+), '([^']+)'\)", condition).groups()
    return context[value].endswith(end)


class Release(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="iefctl-release-")
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        version = subprocess.run(
            [sys.executable, ROOT / "packaging/release.py", "version"], capture_output=True, text=True, check=True
        ).stdout.strip()
        (cls.folder / "release").mkdir()
        cls.run_ = Run(cls.folder / "release", f"v{version}")
        cls.version = version
        run = cls.run_
        run.job("check")
        cls.matrix = json.loads(run.outputs["check"]["matrix"])["include"]
        # The program of another system cannot be run here: there, something runs that says the same.
        other = cls.folder / "other"
        other.write_text("#!/bin/sh\necho a program of another system\n")
        other.chmod(0o755)
        for target in cls.matrix:
            run.job("build", target, PROGRAM if target["target"] == HERE else other)
        for job in ("package", "release", "crates", "pypi", "npm", "image"):
            run.job(job)

    def test_every_job_was_carried_out(self):
        self.assertEqual(set(self.run_.outputs), set(WORKFLOW["jobs"]))

    def test_nothing_is_released_twice_or_half(self):
        (create,) = self.run_.calls("gh", "release", "create")
        self.assertEqual(create[3:6], [self.run_.tag, "--verify-tag", "--draft"])
        self.assertNotIn("--prerelease", create)
        self.assertEqual(self.run_.calls("gh")[-1], ["gh", "release", "edit", self.run_.tag, "--draft=false"])

    def test_every_asset_is_listed_attested_and_released(self):
        folder = self.run_.artifacts / "release" / "assets"
        assets = sorted(file.name for file in folder.iterdir())
        self.assertEqual(len([name for name in assets if name.endswith((".tar.gz", ".zip"))]), len(self.matrix))
        self.assertEqual(len(assets), len(self.matrix) + 3)
        listed = (folder / "SHA256SUMS").read_text().splitlines()
        self.assertEqual([line.split("  ")[1] for line in listed], [name for name in assets if name != "SHA256SUMS"])
        subprocess.run(["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"], cwd=folder, check=True)
        expected = [f"assets/{name}" for name in assets]
        self.assertEqual(sorted(self.run_.attested[0]["files"]), expected)
        (create,) = self.run_.calls("gh", "release", "create")
        self.assertEqual([part for part in create if part.startswith("assets/")], expected)
        notes = (self.run_.artifacts / "release" / "notes.md").read_text()
        self.assertIn("iefctl validate", notes)

    def test_the_extension_holds_the_digests_of_the_archives(self):
        folder = self.run_.artifacts / "release" / "assets"
        (extension,) = folder.glob("*.vsix")
        text = subprocess.run(
            ["unzip", "-p", extension, "Iefctl/release.json"], capture_output=True, text=True, check=True
        ).stdout
        release = json.loads(text)
        self.assertEqual((release["version"], release["repository"]), (self.version, REPOSITORY))
        for name in (file.name for file in folder.iterdir() if file.name.endswith((".tar.gz", ".zip"))):
            self.assertEqual(release["checksums"][name], hashlib.sha256((folder / name).read_bytes()).hexdigest())

    def test_npm_gets_the_platforms_before_the_launcher(self):
        published = [call[-1].split("/")[-1] for call in self.run_.calls("npx")]
        self.assertEqual(len(published), len(self.matrix) + 1)
        self.assertEqual(published[-1], f"iefctl-{self.version}.tgz")
        self.assertTrue(all("latest" in call for call in self.run_.calls("npx")))

    def test_wheels_and_crate_are_published(self):
        (upload,) = self.run_.calls("uv", "publish")
        self.assertEqual(len([part for part in upload if part.endswith(".whl")]), len(self.matrix))
        self.assertEqual(self.run_.calls("cargo", "publish"), [["cargo", "publish", "--locked", "--no-verify"]])

    def test_the_image_is_pushed_under_both_names_and_runs(self):
        image = self.run_.registry / "ghcr.io" / REPOSITORY.lower()
        index = json.loads((image / "index.json").read_text())
        named = {entry["annotations"]["org.opencontainers.image.ref.name"]: entry["digest"] for entry in index["manifests"]}
        self.assertEqual(set(named), {self.version, "latest"})
        attested = self.run_.attested[1]
        self.assertEqual(attested["subject-name"], f"ghcr.io/{REPOSITORY.lower()}")
        self.assertEqual(set(named.values()), {attested["subject-digest"]})
        (login,) = self.run_.calls("buildah", "login")
        self.assertEqual(login[-2:], ["<<<", f"{TOKEN}\n"])

        def blob(digest):
            return json.loads((image / "blobs" / digest.replace(":", "/")).read_text())

        platforms = blob(attested["subject-digest"])["manifests"]
        self.assertEqual({entry["platform"]["architecture"] for entry in platforms}, {"amd64", "arm64"})
        architecture = {"x86_64": "amd64", "aarch64": "arm64"}[HERE.split("-")[0]]
        (here,) = (entry for entry in platforms if entry["platform"]["architecture"] == architecture)
        config = blob(blob(here["digest"])["config"]["digest"])
        self.assertEqual(config["config"]["User"], "65532:65532")
        self.assertEqual(config["config"]["Entrypoint"], ["/iefctl"])
        self.assertEqual(config["config"]["Labels"]["org.opencontainers.image.source"], f"https://github.com/{REPOSITORY}")
        store = ["--storage-driver=vfs", "--root", self.run_.registry / ".store", "--runroot", self.run_.registry / ".run"]
        # A relative path: buildah makes a name of it, and not every name of a temporary folder would be one.
        made = subprocess.run(
            ["buildah", *store, "from", "--arch", architecture, f"oci:{image.relative_to(self.run_.registry)}:latest"],
            cwd=self.run_.registry, capture_output=True, text=True,
        )
        self.assertEqual(made.returncode, 0, made.stderr)
        said = subprocess.run(
            ["buildah", *store, "run", "--isolation", "chroot", made.stdout.strip(), "/iefctl", "--version"],
            capture_output=True, text=True,
        )
        self.assertEqual(said.stdout, f"iefctl {self.version}\n", said.stderr)

    def test_a_tag_that_is_not_the_version_is_refused(self):
        (self.folder / "wrong").mkdir()
        run = Run(self.folder / "wrong", self.run_.tag)
        run.tag = "v99.0.0"
        with self.assertRaisesRegex(AssertionError, "the tag is v99.0.0"):
            run.job("check")

    def test_a_version_before_the_release_is_marked_as_such(self):
        (self.folder / "before").mkdir()
        run = Run(self.folder / "before", "v7.0.0-rc.1")
        shutil.copytree(self.run_.artifacts, run.artifacts, dirs_exist_ok=True)
        run.outputs = {"package": {}, "release": {}}
        for job in ("release", "npm", "image"):
            run.job(job)
        (create,) = run.calls("gh", "release", "create")
        self.assertIn("--prerelease", create)
        self.assertTrue(all("next" in call and "latest" not in call for call in run.calls("npx")))
        index = json.loads((run.registry / "ghcr.io" / REPOSITORY.lower() / "index.json").read_text())
        self.assertEqual(len(index["manifests"]), 1)


if __name__ == "__main__":
    if not TARGET:
        sys.exit(__doc__)
    unittest.main(argv=sys.argv[:1], verbosity=2)

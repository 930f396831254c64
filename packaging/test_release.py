#!/usr/bin/env python3
"""Versions, changelog and archives of a release, on a copy of the files that say a version."""

import json
import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
import unittest
import zipfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
FILES = [
    "Cargo.toml", "Cargo.lock", "CHANGELOG.md", "README.md", "LICENSE",
    "packaging/release.py", "packaging/targets.json", "packaging/npm/package.json",
    "packaging/npm/README.md", "packaging/npm/bin/iefctl.js",
    "azure-devops/package.json", "azure-devops/package-lock.json", "azure-devops/vss-extension.json",
    "azure-devops/tasks/Iefctl/task.json", "azure-devops/tasks/IefctlBuild/task.json",
    "azure-devops/tasks/IefctlDeploy/task.json",
]


class Release(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        for file in FILES:
            (self.root / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / file, self.root / file)

    def run_it(self, *arguments, fails=False):
        done = subprocess.run(
            [sys.executable, self.root / "packaging" / "release.py", *map(str, arguments)],
            capture_output=True, text=True,
        )
        self.assertEqual(done.returncode, 1 if fails else 0, done.stderr)
        return done.stderr if fails else done.stdout

    def test_the_repository_names_one_version(self):
        subprocess.run([sys.executable, ROOT / "packaging" / "release.py", "check"], check=True)

    def test_another_version_anywhere_is_found(self):
        for file, old, new in [
            ("azure-devops/tasks/IefctlBuild/task.json", '"Patch": ', '"Patch": 9'),
            ("azure-devops/vss-extension.json", '"version": "', '"version": "9'),
            ("azure-devops/package-lock.json", '"version": "', '"version": "9'),
            ("Cargo.lock", 'name = "iefctl"\nversion = "', 'name = "iefctl"\nversion = "9'),
        ]:
            with self.subTest(file):
                path = self.root / file
                original = path.read_text()
                self.assertIn(old, original)
                path.write_text(original.replace(old, new, 1))
                self.assertIn(file, self.run_it("check", fails=True))
                path.write_text(original)

    def test_a_new_version_is_written_everywhere_and_takes_the_unreleased_changes(self):
        for version in ("7.8.9", "7.9.0-rc.1"):
            with self.subTest(version):
                self.run_it("set-version", version)
                self.assertEqual(self.run_it("version").strip(), version)
                changes = "### Added\n\n- Something.\n"
                log = self.root / "CHANGELOG.md"
                if version == "7.8.9":
                    self.assertIn("iefctl validate", self.run_it("notes"))
                    self.run_it("check", "--tag", "v7.8.9")
                    self.assertIn("the tag is v7.8.8", self.run_it("check", "--tag", "v7.8.8", fails=True))
                    text = log.read_text()
                    log.write_text(text.replace("## [Unreleased]\n", f"## [Unreleased]\n\n{changes}", 1))
                else:
                    self.assertEqual(self.run_it("notes"), changes)
        task = json.loads((self.root / "azure-devops/tasks/Iefctl/task.json").read_text())
        self.assertEqual(task["version"], {"Major": 7, "Minor": 9, "Patch": 0})

    def test_what_cannot_be_released_is_refused(self):
        self.assertIn("is no version", self.run_it("set-version", "v1", fails=True))
        self.assertIn("has no section", self.run_it("notes", fails=True))
        self.run_it("set-version", "7.8.9")
        self.run_it("set-version", "7.8.10")
        self.assertIn("says nothing about 7.8.10", self.run_it("check", "--tag", "v7.8.10", fails=True))

    def test_archives_follow_the_contract_and_depend_on_nothing_but_their_content(self):
        program = self.root / "program"
        program.write_bytes(b"\x7fELF program")
        version = self.run_it("version").strip()
        out = self.root / "out"
        for target in json.loads((ROOT / "packaging/targets.json").read_text())["targets"]:
            make = ["archive", "--target", target["target"], "--program", program, "--out", out]
            path = pathlib.Path(self.run_it(*make).strip())
            name = f"iefctl-{version}-{target['target']}"
            self.assertEqual(path.name, name + target["suffix"])
            member = f"{name}/{target['program']}"
            if target["suffix"] == ".zip":
                names = zipfile.ZipFile(path).namelist()
            else:
                archive = tarfile.open(path)
                names = archive.getnames()
                self.assertEqual(archive.getmember(member).mode, 0o755)
            self.assertEqual(names, [member, *(f"{name}/{doc}" for doc in ("README.md", "CHANGELOG.md", "LICENSE"))])
            first = path.read_bytes()
            self.run_it(*make)
            self.assertEqual(path.read_bytes(), first)
        self.run_it("checksums", out)
        subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=out, check=True)
        # All platforms have a package, and the one that people install names them all.
        packages = self.root / "npm"
        self.run_it("npm", "--archives", out, "--out", packages, "--repository", "contoso/iefctl")
        launcher = json.loads((packages / "iefctl/package.json").read_text())
        self.assertEqual(launcher["version"], version)
        self.assertEqual(set(launcher["optionalDependencies"].values()), {version})
        self.assertEqual(len(launcher["optionalDependencies"]), 6)
        self.assertEqual((packages / "win32-arm64/bin/iefctl.exe").read_bytes(), b"\x7fELF program")
        (out / f"iefctl-{version}-x86_64-apple-darwin.tar.gz").unlink()
        self.assertIn("is missing", self.run_it("npm", "--archives", out, "--out", packages, fails=True))


if __name__ == "__main__":
    unittest.main()

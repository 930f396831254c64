#!/usr/bin/env python3
"""Every way to get the program, from the release build of this machine: archive, npm, wheel, container.

    packaging/test_packages.py TARGET FOLDER_WITH_WHEEL

Each is installed into a fresh place and run from there.
"""

import functools
import hashlib
import http.server
import json
import os
import pathlib
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
RELEASE = ROOT / "packaging" / "release.py"
EXAMPLE = ROOT / "policies-example"

TARGET = sys.argv[1] if len(sys.argv) > 2 else ""
WHEELS = pathlib.Path(sys.argv[2] if len(sys.argv) > 2 else ".").resolve()
PROGRAM = ROOT / "target" / TARGET / "release" / "iefctl"
VERSION = subprocess.run(
    [sys.executable, RELEASE, "version"], capture_output=True, text=True, check=True
).stdout.strip()
# What the archive of this machine is called, whatever stood in for musl.
CONTRACT_TARGET = TARGET.replace("-gnu", "-musl")
NAME = f"iefctl-{VERSION}-{CONTRACT_TARGET}"


def environment(**more):
    """That of a fresh account: nothing that this session has set up."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    # Package managers keep to what they are configured with.
    kept |= {name: value for name, value in os.environ.items() if name.lower().startswith(("npm_", "pip_", "ssl_", "node_"))}
    return kept | more


def call(*command, **options):
    options = {"capture_output": True, "text": True, "env": environment(), "timeout": 300} | options
    return subprocess.run([str(part) for part in command], **options)


class Files(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


class Packages(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="iefctl-packages-")
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        cls.assets = cls.folder / "assets"
        made = call(sys.executable, RELEASE, "archive", "--target", CONTRACT_TARGET, "--program", PROGRAM, "--out", cls.assets)
        assert made.returncode == 0, made.stderr
        cls.policies = cls.folder / "policies"
        shutil.copytree(EXAMPLE, cls.policies)
        cls.broken = cls.folder / "broken"
        shutil.copytree(EXAMPLE, cls.broken)
        file = cls.broken / "SignUpOrSignin.xml"
        file.write_text(file.read_text().replace('ReferenceId="', 'ReferenceId="no-such-thing-', 1))

    def works(self, *program, **options):
        """Version, a good and a bad set, and a mistake in the command line."""
        version = call(*program, "--version", **options)
        self.assertEqual((version.returncode, version.stdout), (0, f"iefctl {VERSION}\n"), version.stderr)
        good = call(*program, "validate", self.policies, "-e", "dev", **options)
        self.assertEqual(good.returncode, 0, good.stdout + good.stderr)
        self.assertIn("6 policies", good.stdout)
        bad = call(*program, "validate", self.broken, "-e", "dev", **options)
        self.assertEqual(bad.returncode, 1, bad.stdout + bad.stderr)
        self.assertIn("no-such-thing-", bad.stdout)
        self.assertEqual(call(*program, "validate", "--no-such-option", **options).returncode, 2)

    def test_archive(self):
        place = self.folder / "unpacked"
        place.mkdir()
        done = call(sys.executable, RELEASE, "checksums", self.assets)
        self.assertEqual(done.returncode, 0, done.stderr)
        done = call("sha256sum", "--check", "--strict", "SHA256SUMS", cwd=self.assets)
        self.assertEqual(done.returncode, 0, done.stderr)
        call("tar", "--extract", "--file", self.assets / f"{NAME}.tar.gz", "--directory", place, check=True)
        self.works(place / NAME / "iefctl")
        self.assertEqual(sorted(path.name for path in (place / NAME).iterdir()), ["CHANGELOG.md", "LICENSE", "README.md", "iefctl"])

    def test_the_action_installs_the_archive_and_runs_it(self):
        done = call(sys.executable, RELEASE, "checksums", self.assets)
        self.assertEqual(done.returncode, 0, done.stderr)
        releases = self.folder / "releases"
        releases.mkdir()
        (releases / f"v{VERSION}").symlink_to(self.assets)
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Files, directory=releases))
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        runner = self.folder / "runner with a space"
        runner.mkdir()
        output, path = runner / "output", runner / "path"
        arch = {"x86_64": "X64", "aarch64": "ARM64"}[TARGET.split("-")[0]]
        installed = call(
            "bash", ROOT / "action" / "install.sh", cwd=runner,
            env=environment(
                RUNNER_OS="Linux", RUNNER_ARCH=arch, RUNNER_TEMP=str(runner), GITHUB_OUTPUT=str(output), GITHUB_PATH=str(path),
                IEFCTL_VERSION=VERSION, IEFCTL_RELEASES=f"http://127.0.0.1:{server.server_port}",
            ),
        )
        self.assertEqual(installed.returncode, 0, installed.stdout + installed.stderr)
        self.assertIn("released binary", installed.stdout)
        outputs = dict(line.split("=", 1) for line in output.read_text().splitlines())
        self.assertEqual(outputs["version"], VERSION)
        self.assertEqual(hashlib.sha256(pathlib.Path(outputs["binary"]).read_bytes()).digest(), hashlib.sha256(PROGRAM.read_bytes()).digest())
        self.assertEqual(path.read_text().strip(), str(pathlib.Path(outputs["binary"]).parent))
        output.write_text("")
        done = call(
            outputs["binary"], "ci", "github", cwd=runner,
            env=environment(
                GITHUB_ACTIONS="true", RUNNER_TEMP=str(runner), GITHUB_OUTPUT=str(output),
                INPUT_FOLDER=str(self.broken), INPUT_ENVIRONMENT="dev",
            ),
        )
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn("::error file=", done.stdout)
        self.assertRegex(output.read_text(), r"errors<<\w+\n[1-9]")

    def npm_folder(self):
        """The packages as the registry would get them, installed as a project would."""
        project = self.folder / "project"
        if project.exists():
            return project
        packages = self.folder / "npm"
        made = call(sys.executable, RELEASE, "npm", "--archives", self.assets, "--out", packages, "--partial")
        self.assertEqual(made.returncode, 0, made.stderr)
        tarballs = []
        for package in made.stdout.split():
            packed = call("npm", "pack", "--json", "--pack-destination", self.folder, package)
            self.assertEqual(packed.returncode, 0, packed.stderr)
            contents = json.loads(packed.stdout)
            contents = contents[0] if isinstance(contents, list) else next(iter(contents.values()))
            tarballs.append(self.folder / contents["filename"])
        project.mkdir()
        (project / "package.json").write_text('{"private": true}')
        done = call("npm", "install", "--offline", "--ignore-scripts", "--no-audit", *tarballs, cwd=project)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return project

    def test_npm(self):
        self.works("npx", "--no-install", "iefctl", cwd=self.npm_folder())

    def test_npm_passes_signals_on_and_ends_as_the_program_ends(self):
        launcher = self.npm_folder() / "node_modules" / ".bin" / "iefctl"

        def emulator():
            child = subprocess.Popen(
                [launcher, "emulator"], stdout=subprocess.PIPE, text=True, env=environment(), start_new_session=True
            )
            self.assertIn("emulator listens on", child.stdout.readline())
            return child

        # The program stops in good order at these.
        for number in (signal.SIGINT, signal.SIGTERM):
            with emulator() as child:
                child.send_signal(number)
                self.assertEqual(child.wait(60), 0)
        # Nobody can pass that one on, but it can be told how the program ended.
        with emulator() as child:
            (program,) = pathlib.Path(f"/proc/{child.pid}/task/{child.pid}/children").read_text().split()
            os.kill(int(program), signal.SIGKILL)
            self.assertEqual(child.wait(60), -signal.SIGKILL)

    def test_npm_without_the_program_says_what_to_do(self):
        project = self.npm_folder()
        alone = self.folder / "alone"
        shutil.copytree(project / "node_modules" / "iefctl", alone / "node_modules" / "iefctl")
        done = call("node", alone / "node_modules" / "iefctl" / "bin" / "iefctl.js", "--version")
        self.assertEqual(done.returncode, 2)
        self.assertIn("install again", done.stderr)
        package = alone / "node_modules" / "iefctl" / "package.json"
        package.write_text(json.dumps(json.loads(package.read_text()) | {"optionalDependencies": {}}))
        done = call("node", alone / "node_modules" / "iefctl" / "bin" / "iefctl.js", "--version")
        self.assertEqual(done.returncode, 2)
        self.assertIn("cargo install iefctl", done.stderr)

    def test_wheel(self):
        (wheel,) = WHEELS.glob(f"iefctl-{VERSION}-*.whl")
        # One wheel for every C library; maturin promises that only of a build for musl.
        self.assertIn("manylinux", wheel.name)
        if TARGET == CONTRACT_TARGET:
            self.assertIn("musllinux", wheel.name)
        venv = self.folder / "venv"
        call(sys.executable, "-m", "venv", venv, check=True)
        done = call(venv / "bin" / "pip", "install", "--no-index", "--no-deps", wheel)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.works(venv / "bin" / "iefctl")
        installed = hashlib.sha256((venv / "bin" / "iefctl").read_bytes()).digest()
        self.assertEqual(installed, hashlib.sha256(PROGRAM.read_bytes()).digest(), "not the program of the release")
        shown = call(venv / "bin" / "pip", "show", "iefctl").stdout
        self.assertIn(f"Version: {VERSION}", shown)

    def test_program_needs_nothing_of_the_system(self):
        listed = call("ldd", PROGRAM)
        self.assertIn("static", (listed.stdout + listed.stderr).replace("not a dynamic executable", "static"))


@unittest.skipUnless(hasattr(os, "geteuid") and os.geteuid() == 0, "changing the root needs root")
class Container(unittest.TestCase):
    """The files of the image, run as a container engine would: another root, another user, no capability."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="iefctl-image-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.folder.chmod(0o755)
        self.authority = self.certificate("authority", "-addext", "keyUsage=keyCertSign")

    def certificate(self, name, *more):
        certificate = self.folder / f"{name}.pem"
        call(
            "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN=contoso {name}",
            "-keyout", self.folder / f"{name}.key", "-out", certificate, *more, check=True,
        )
        return certificate

    def root(self, certificates):
        root = self.folder / "root"
        made = call(sys.executable, RELEASE, "rootfs", "--program", PROGRAM, "--certificates", certificates, "--out", root)
        self.assertEqual(made.returncode, 0, made.stderr)
        shutil.copytree(EXAMPLE, root / "work" / "policies")
        return root

    def inside(self, root, *arguments, **variables):
        def become_the_user():
            os.chroot(root)
            os.chdir("/work")
            os.setgroups([])
            os.setgid(65532)
            os.setuid(65532)

        return subprocess.run(
            ["/iefctl", *arguments], preexec_fn=become_the_user, env=variables, capture_output=True, text=True, timeout=300
        )

    def test_runs_with_nothing_else_there(self):
        root = self.root("/etc/ssl/certs/ca-certificates.crt")
        version = self.inside(root, "--version")
        self.assertEqual(version.stdout, f"iefctl {VERSION}\n", version.stderr)
        done = self.inside(root, "deploy", "policies", "-e", "dev", "--emulator")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("6 created", done.stdout)

    def test_trusts_the_certificates_of_the_image_and_no_others(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server = self.certificate(
            "server", "-CA", self.authority, "-CAkey", self.folder / "authority.key",
            "-addext", "basicConstraints=critical,CA:FALSE", "-addext", "subjectAltName=IP:127.0.0.1",
        )
        context.load_cert_chain(server, self.folder / "server.key")
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)
        body = b'{"error":"invalid_client","error_description":"AADSTS7000215: no","error_codes":[7000215]}'
        answer = b"HTTP/1.1 401 Unauthorized\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s"

        def serve():
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                try:
                    with context.wrap_socket(connection, server_side=True) as secured:
                        secured.recv(65536)
                        secured.sendall(answer % (len(body), body))
                except OSError:
                    pass  # A client that does not trust this server hangs up.

        threading.Thread(target=serve, daemon=True).start()
        # Files for names of hosts are what an engine adds to an image.
        url = f"https://127.0.0.1:{listener.getsockname()[1]}"
        plan = ["plan", "policies", "-e", "dev", "--timeout", "5", f"--graph-endpoint={url}", f"--login-endpoint={url}"]
        who = {"AZURE_CLIENT_ID": "app", "AZURE_CLIENT_SECRET": "secret"}
        root = self.root(self.authority)
        trusting = self.inside(root, *plan, **who)
        self.assertIn("AADSTS7000215", trusting.stderr)
        (root / "etc/ssl/certs/ca-certificates.crt").write_bytes(
            pathlib.Path("/etc/ssl/certs/ca-certificates.crt").read_bytes()
        )
        distrusting = self.inside(root, *plan, **who)
        self.assertEqual(distrusting.returncode, 2)
        self.assertNotIn("AADSTS7000215", distrusting.stderr)
        self.assertIn("certificate", distrusting.stderr)


if __name__ == "__main__":
    if not TARGET:
        sys.exit(__doc__)
    unittest.main(argv=sys.argv[:1], verbosity=2)

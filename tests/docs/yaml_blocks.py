#!/usr/bin/env python3
"""Checks the YAML that people copy: the blocks of every page, and the example pipelines.

A block tells by its content what it is: a workflow of GitHub or a part of one, a pipeline of Azure or a part
of one, a configuration of pre-commit. Each is completed, checked against the schema of its kind, and what it
says to this repository's action, tasks and hooks must be something that those have. Needs check-jsonschema,
which brings a reader for YAML, and pre-commit.
"""

import json
import pathlib
import re
import subprocess
import sys
import tempfile

from ruamel.yaml import YAML

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
DEVOPS = ROOT / "azure-devops"
yaml = YAML(typ="safe")


def read(path):
    return yaml.load((ROOT / path).read_text())


def tasks():
    """The inputs of every task by its name with the major version, in small letters."""
    found = {}
    for manifest in sorted(DEVOPS.glob("tasks/*/task.json")):
        task = json.loads(manifest.read_text())
        inputs = {}
        for given in task["inputs"]:
            for name in [given["name"], *given.get("aliases", [])]:
                inputs[name.lower()] = given
        found[f"{task['name']}@{task['version']['Major']}".lower()] = inputs
    return found


ACTION = read("action.yml")
HOOKS = {hook["id"] for hook in read(".pre-commit-hooks.yaml")}
TASKS = tasks()
BLOCK = re.compile(r"^( *)```yaml\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
OWN = re.compile(r"(\$/|\./|OWNER/iefctl@v[\w.-]+)")


def parts(value, key):
    """Every mapping below a value that has a key."""
    if isinstance(value, dict):
        if key in value:
            yield value
        for part in value.values():
            yield from parts(part, key)
    elif isinstance(value, list):
        for part in value:
            yield from parts(part, key)


def workflow(block):
    """A workflow, and what is wrong in its use of the action."""
    if isinstance(block, list):
        block = {"jobs": {"job": {"runs-on": "ubuntu-latest", "steps": block}}}
    whole = {"on": "push"} | block
    outputs = set()
    for step in parts(whole, "uses"):
        if "/iefctl@" not in step["uses"]:
            continue
        if not OWN.fullmatch(step["uses"]):
            yield f"{step['uses']} is not how the action is named"
        for name in step.get("with", {}):
            if name not in ACTION["inputs"]:
                yield f"the action has no input {name}"
        outputs.add(step.get("id"))
    for step, output in re.findall(r"steps\.([\w-]+)\.outputs\.([\w-]+)", json.dumps(whole)):
        if step in outputs and output not in ACTION["outputs"]:
            yield f"the action has no output {output}"
    yield from schema("github-workflows", whole)


def pipeline(block):
    """The schema of Azure Pipelines knows the tasks of Microsoft and no others: ours stand there as scripts."""
    for step in list(parts(block, "task")):
        inputs = TASKS.get(step["task"].lower())
        if inputs is None:
            yield f"there is no task {step['task']}"
            continue
        for name, value in step.get("inputs", {}).items():
            known = inputs.get(name.lower())
            if known is None:
                yield f"{step['task']} has no input {name}"
            elif "options" in known and value not in known["options"]:
                yield f"input {name} of {step['task']} cannot be {value}"
        for key in ("task", "inputs"):
            step.pop(key, None)
        step["script"] = "a task"
    # Some patterns of that schema are no Unicode expressions.
    yield from schema("azure-pipelines", block if isinstance(block, dict) else {"steps": block}, "--regex-variant", "nonunicode")


def hooks(block):
    for repository in block["repos"]:
        for hook in repository["hooks"]:
            if "/iefctl" in repository["repo"] and hook["id"] not in HOOKS:
                yield f"there is no hook {hook['id']}"
    yield from judged(["pre-commit", "validate-config"], block)


def schema(name, value, *more):
    yield from judged([sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{name}", *more], value)


def judged(command, value):
    with tempfile.TemporaryDirectory() as folder:
        # JSON is YAML.
        file = pathlib.Path(folder) / "block.json"
        file.write_text(json.dumps(value))
        done = subprocess.run([*command, str(file)], capture_output=True, text=True)
    if done.returncode != 0:
        yield done.stdout + done.stderr


def kind(block):
    if isinstance(block, dict) and "repos" in block:
        return hooks
    if any(True for key in ("uses", "run", "runs-on") for _ in parts(block, key)):
        return workflow
    if any(True for key in ("task", "script") for _ in parts(block, key)):
        return pipeline
    return None


def main():
    blocks = [(path, path.read_text()) for path in sorted(DEVOPS.glob("examples/*.yml"))]
    pages = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), DEVOPS / "overview.md", ROOT / "policies-example/README.md"]
    for page in sorted(pages):
        for number, (_, text) in enumerate(BLOCK.findall(page.read_text()), 1):
            blocks.append((f"{page}, block {number}", text))
    complaints = []
    seen = set()
    for place, text in blocks:
        block = yaml.load(text)
        check = kind(block)
        if check is None:
            complaints.append(f"{place}: neither a workflow nor a pipeline nor a configuration of pre-commit")
            continue
        seen.add(check)
        complaints += [f"{place}: {problem}" for problem in check(block)]
    page = (ROOT / "docs" / "github.md").read_text()
    for name in (*ACTION["inputs"], *ACTION["outputs"]):
        if f"`{name}`" not in page:
            complaints.append(f"docs/github.md does not mention `{name}`, which action.yml has")
    page = (ROOT / "docs" / "azure-pipelines.md").read_text()
    for output in json.loads((DEVOPS / "tasks/Iefctl/task.json").read_text())["OutputVariables"]:
        if f"`{output['name']}`" not in page:
            complaints.append(f"docs/azure-pipelines.md does not mention `{output['name']}`, which the task sets")
    assert seen == {workflow, pipeline, hooks}, "a kind of block was not found"
    print("\n".join(complaints) or f"{len(blocks)} pieces of YAML are right")
    sys.exit(1 if complaints else 0)


if __name__ == "__main__":
    main()

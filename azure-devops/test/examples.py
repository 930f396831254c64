#!/usr/bin/env python3
"""Checks what people copy: the example pipelines, and the YAML blocks of the pages.

The schema of Azure Pipelines knows the tasks of Microsoft and no others, so steps with ours are checked
against their task.json here, and stand as a script where the schema looks. Needs check-jsonschema, which
brings a reader for YAML.
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
PAGES = [ROOT / "docs" / "azure-pipelines.md", DEVOPS / "overview.md"]


def declared():
    """The inputs of every task by its name with the major version, in small letters."""
    tasks = {}
    for manifest in sorted(DEVOPS.glob("tasks/*/task.json")):
        task = json.loads(manifest.read_text())
        inputs = {}
        for given in task["inputs"]:
            for name in [given["name"], *given.get("aliases", [])]:
                inputs[name.lower()] = given
        tasks[f"{task['name']}@{task['version']['Major']}".lower()] = inputs
    return tasks


def steps(value):
    """Every step of a pipeline that runs a task."""
    if isinstance(value, dict):
        if "task" in value:
            yield value
        for part in value.values():
            yield from steps(part)
    elif isinstance(value, list):
        for part in value:
            yield from steps(part)


def problems(place, pipeline, tasks):
    found = 0
    for step in steps(pipeline):
        found += 1
        name = step["task"]
        if name.lower() not in tasks:
            yield f"{place}: there is no task {name}"
            continue
        inputs = tasks[name.lower()]
        for given, value in step.get("inputs", {}).items():
            known = inputs.get(given.lower())
            if known is None:
                yield f"{place}: {name} has no input {given}"
            elif "options" in known and value not in known["options"]:
                yield f"{place}: input {given} of {name} cannot be {value}"
    if found == 0:
        yield f"{place}: no step with a task was found"


def as_script(step):
    for key in ("task", "inputs"):
        step.pop(key, None)
    step["script"] = "a task"


def main():
    yaml = YAML(typ="safe")
    tasks = declared()
    complaints = []
    examples = sorted(DEVOPS.glob("examples/*.yml"))
    assert examples, "no examples"
    for page in PAGES:
        blocks = re.findall(r"^( *)```yaml\n(.*?)^ *```$", page.read_text(), re.MULTILINE | re.DOTALL)
        assert blocks, f"{page} shows no pipeline"
        for number, (_, block) in enumerate(blocks, 1):
            place = f"{page.relative_to(ROOT)}, block {number}"
            complaints += problems(place, yaml.load(block), tasks)
    with tempfile.TemporaryDirectory() as folder:
        copies = []
        for example in examples:
            pipeline = yaml.load(example)
            complaints += problems(example.relative_to(ROOT), pipeline, tasks)
            for step in list(steps(pipeline)):
                as_script(step)
            copies.append(pathlib.Path(folder) / f"{example.stem}.json")
            copies[-1].write_text(json.dumps(pipeline))
        schema = subprocess.run(
            [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.azure-pipelines"]
            # Some patterns of that schema are no Unicode expressions.
            + ["--regex-variant", "nonunicode", *map(str, copies)],
            capture_output=True,
            text=True,
        )
        if schema.returncode != 0:
            complaints.append(schema.stdout + schema.stderr)
    print("\n".join(complaints) or f"{len(examples)} example pipelines and {len(PAGES)} pages are right")
    sys.exit(1 if complaints else 0)


if __name__ == "__main__":
    main()

//! Runs what the pages tell people to type.
//!
//! Every fenced block of language `sh` in `README.md`, `docs/**/*.md` and the examples' own pages is
//! pasted into one shell per page, in order, as a reader would. The folder it runs in holds the
//! example set as `policies`, and an emulated tenant stands behind the endpoints of Microsoft Graph.
//! A comment above a block changes what is expected of it:
//!
//! - `<!-- exit: 1 -->`: its one command ends with this status.
//! - `<!-- file: path -->`: the block, of any language, is the content of a file; it is written.
//! - `<!-- folder: from as to -->`: copies a folder of the repository first; no block follows.
//! - `<!-- not run: why -->`: it needs what a test machine does not have.

use std::fmt::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::root;
use super::tenant::Tenant;

/// Languages of blocks that are commands.
const SHELL: [&str; 1] = ["sh"];

#[test]
fn every_command_of_the_documentation_runs() {
    let mut ran = 0;
    let mut failures = Vec::new();
    for page in pages() {
        let name = page.strip_prefix(root()).unwrap().display().to_string();
        let text = std::fs::read_to_string(&page).unwrap();
        let steps = match steps(&text) {
            Ok(steps) => steps,
            Err(problem) => {
                failures.push(format!("{name}: {problem}"));
                continue;
            }
        };
        let commands = steps
            .iter()
            .filter(|step| matches!(step.what, What::Run { .. }));
        let commands = commands.count();
        if commands == 0 {
            continue;
        }
        ran += commands;
        if let Err(problem) = run(&with_free_ports(steps)) {
            failures.push(format!("{name}: {problem}"));
        }
    }
    println!("{ran} blocks of commands ran");
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
    assert!(ran > 10, "the pages with commands were not found");
}

/// The pages that people read, sorted. Those of the rules show XML, not commands.
fn pages() -> Vec<PathBuf> {
    let mut pages = vec![
        root().join("README.md"),
        root().join("policies-example/README.md"),
    ];
    let mut folders = vec![root().join("docs")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                pages.push(path);
            }
        }
    }
    pages.sort();
    pages
}

/// One thing that a page makes the reader do.
struct Step {
    line: usize,
    what: What,
}

enum What {
    Run { script: String, exit: i32 },
    Write { file: String, text: String },
    Copy { from: String, to: String },
}

fn steps(page: &str) -> Result<Vec<Step>, String> {
    let mut steps = Vec::new();
    let mut remark: Option<(&str, &str)> = None;
    let mut lines = page.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        let line_number = number + 1;
        if let Some(found) = comment(line) {
            if found.0 == "folder" {
                let (from, to) = found
                    .1
                    .split_once(" as ")
                    .ok_or(format!("line {line_number}: expected `folder: from as to`"))?;
                let what = What::Copy {
                    from: from.to_owned(),
                    to: to.to_owned(),
                };
                steps.push(Step {
                    line: line_number,
                    what,
                });
            } else {
                remark = Some(found);
            }
            continue;
        }
        let Some((fence, language)) = fence(line) else {
            if !line.trim().is_empty()
                && let Some((kind, _)) = remark
            {
                return Err(format!(
                    "line {line_number}: `{kind}:` stands above no block"
                ));
            }
            continue;
        };
        let mut text = String::new();
        let indentation = line.len() - line.trim_start().len();
        let mut is_closed = false;
        for (_, line) in lines.by_ref() {
            if line.trim() == fence {
                is_closed = true;
                break;
            }
            let kept = line.len().min(indentation);
            let kept = if line[..kept].trim().is_empty() {
                kept
            } else {
                0
            };
            writeln!(text, "{}", &line[kept..]).unwrap();
        }
        if !is_closed {
            return Err(format!("line {line_number}: the block is not closed"));
        }
        let is_shell = SHELL.contains(&language);
        let what = match remark.take() {
            Some(("file", file)) => What::Write {
                file: file.to_owned(),
                text,
            },
            Some(("not run", _)) if is_shell => continue,
            Some(("exit", status)) if is_shell => What::Run {
                script: text,
                exit: status
                    .parse()
                    .map_err(|_| format!("line {line_number}: `{status}` is no exit status"))?,
            },
            None if is_shell => What::Run {
                script: text,
                exit: 0,
            },
            None => continue,
            Some((kind, _)) => {
                return Err(format!(
                    "line {line_number}: `{kind}:` does not fit this block"
                ));
            }
        };
        steps.push(Step {
            line: line_number,
            what,
        });
    }
    Ok(steps)
}

/// The ports that a page lets the emulator listen on may be in use on this machine: each is replaced by
/// one that is free, wherever the page names it.
fn with_free_ports(mut steps: Vec<Step>) -> Vec<Step> {
    let mut ports: Vec<(String, String)> = Vec::new();
    // Held until all are known, so that none is given twice.
    let mut held = Vec::new();
    for step in &steps {
        let What::Run { script, .. } = &step.what else {
            continue;
        };
        for (_, rest) in script
            .match_indices("--port ")
            .map(|(at, word)| script.split_at(at + word.len()))
        {
            let port: String = rest.chars().take_while(char::is_ascii_digit).collect();
            if !ports.iter().any(|(known, _)| *known == port) {
                let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
                let free = listener.local_addr().unwrap().port();
                ports.push((port, free.to_string()));
                held.push(listener);
            }
        }
    }
    for step in &mut steps {
        let (What::Run { script: text, .. } | What::Write { text, .. }) = &mut step.what else {
            continue;
        };
        for (port, free) in &ports {
            for before in ["--port ", "127.0.0.1:", "localhost:"] {
                *text = text.replace(&format!("{before}{port}"), &format!("{before}{free}"));
            }
        }
    }
    steps
}

/// `<!-- key: value -->` with a key that means something here.
fn comment(line: &str) -> Option<(&str, &str)> {
    let inner = line.trim().strip_prefix("<!--")?.strip_suffix("-->")?;
    let (key, value) = inner.trim().split_once(": ")?;
    ["exit", "file", "folder", "not run"]
        .contains(&key)
        .then_some((key, value.trim()))
}

/// The fence and the language of a block that begins here.
fn fence(line: &str) -> Option<(&str, &str)> {
    let line = line.trim();
    let length = line.bytes().take_while(|byte| *byte == b'`').count();
    (length >= 3).then(|| (&line[..length], line[length..].trim()))
}

fn run(steps: &[Step]) -> Result<(), String> {
    let folder = tempfile::tempdir().unwrap();
    copy(
        &root().join("policies-example"),
        &folder.path().join("policies"),
    );
    let tenant = Tenant::start(&[]);
    // A file, not a pipe: what a page leaves running must not keep the test waiting.
    let transcript = tempfile::NamedTempFile::new().unwrap();
    // A page that waits for something that never comes fails instead of keeping the others.
    let mut shell = Command::new("timeout")
        .args(["--kill-after=1", "120", "bash", "-c"])
        .arg(script(steps, folder.path()))
        .current_dir(folder.path())
        .env_clear()
        .env("PATH", path())
        .env("HOME", folder.path())
        .env("IEFCTL_GRAPH_ENDPOINT", &tenant.url)
        .env("IEFCTL_LOGIN_ENDPOINT", &tenant.url)
        .env("AZURE_CLIENT_ID", "11111111-1111-1111-1111-111111111111")
        .env("AZURE_CLIENT_SECRET", "not a secret")
        .env("CONTOSO_REST_API_KEY", "not a secret either")
        .env("CONTOSO_GOOGLE_CLIENT_SECRET", "nor this")
        .stdin(Stdio::null())
        .stdout(transcript.reopen().unwrap())
        .process_group(0)
        .spawn()
        .unwrap();
    let status = shell.wait().unwrap();
    // What the page started in the background; nothing may be left, which is no failure.
    let _ = Command::new("kill")
        .args(["-TERM", "--", &format!("-{}", shell.id())])
        .stderr(Stdio::null())
        .status();
    if status.success() {
        return Ok(());
    }
    let all = std::fs::read_to_string(transcript.path()).unwrap();
    let tail: Vec<&str> = all.lines().rev().take(60).collect();
    let tail: Vec<&str> = tail.into_iter().rev().collect();
    Err(format!("{status}\n{}", tail.join("\n")))
}

/// The page as one script that stops at the first command that does not end as it should. The blocks
/// share a shell: what one exports, the next one sees.
fn script(steps: &[Step], folder: &Path) -> String {
    let mut script = String::from(
        "exec 2>&1\n\
         set -E -o pipefail\n\
         iefctl() {\n\
           case \" $* \" in\n\
             *' --emulator '*) env -u IEFCTL_GRAPH_ENDPOINT -u IEFCTL_LOGIN_ENDPOINT iefctl \"$@\" ;;\n\
             *) command iefctl \"$@\" ;;\n\
           esac\n\
         }\n",
    );
    for step in steps {
        let line = step.line;
        match &step.what {
            What::Copy { from, to } => copy(&root().join(from), &folder.join(to)),
            What::Write { file, text } => {
                writeln!(script, "mkdir -p \"$(dirname '{file}')\"").unwrap();
                writeln!(script, "cat > '{file}' <<'END OF FILE'\n{text}END OF FILE").unwrap();
            }
            What::Run {
                script: block,
                exit: 0,
            } => writeln!(
                script,
                "trap 'echo \"@@@ line {line}: $BASH_COMMAND ended with $?\"; exit 99' ERR\n\
                 {block}trap - ERR"
            )
            .unwrap(),
            What::Run {
                script: block,
                exit,
            } => writeln!(
                script,
                "{block}status=$?\n\
                 [ $status -eq {exit} ] || {{ echo \"@@@ line {line}: ended with $status, not with \
                 {exit}\"; exit 99; }}"
            )
            .unwrap(),
        }
    }
    script
}

/// The search path with the program before everything else.
fn path() -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_iefctl")).parent().unwrap();
    let found = std::env::var("PATH").unwrap_or_default();
    format!("{}:{found}", program.display())
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            std::fs::copy(&path, target).unwrap();
        }
    }
}

#[test]
fn remarks_lead_to_steps() {
    let page = "<!-- exit: 1 -->\n```sh\niefctl a\n```\n\n<!-- file: a/b.xml -->\n```xml\n<x/>\n```\n\
                \n```toml\nx = 1\n```\n1. indented\n   ```sh\n   iefctl b\n   ```\n";
    let steps = steps(page).unwrap();
    assert_eq!(steps.len(), 3);
    assert!(matches!(&steps[0].what, What::Run { script, exit: 1 } if script == "iefctl a\n"));
    assert!(
        matches!(&steps[1].what, What::Write { file, text } if file == "a/b.xml" && text == "<x/>\n")
    );
    assert!(matches!(&steps[2].what, What::Run { script, exit: 0 } if script == "iefctl b\n"));
    for broken in [
        "```sh\nnever closed\n",
        "<!-- exit: one -->\n```sh\nx\n```\n",
        "<!-- exit: 1 -->\ntext\n",
        "<!-- not run: no reason -->\n```xml\n<x/>\n```\n",
        "<!-- folder: only -->\n",
    ] {
        assert!(super::commands::steps(broken).is_err(), "{broken}");
    }
}

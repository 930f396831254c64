//! How a command tells what came of it: on standard output, in the file for programs, on the page of a
//! CI job. For one environment or for several, it is told in the same places.
//!
//! What happened in a tenant does not become undone by a report that cannot be written: then the exit
//! status says that something is wrong, and never that nothing was done.

use std::io::{self, Write as _};

use anyhow::{Context as _, Error, Result};

use crate::output::Format;
use crate::output::json::environments as json;

use super::{Exit, Shell, environments, report_file};

/// What came of a command in one environment.
pub(super) trait Ending {
    /// Writes it to standard output.
    fn show(&self, format: Format, shell: &Shell) -> Result<()>;

    /// Writes it as one JSON document.
    fn as_json(&self, out: &mut Vec<u8>) -> io::Result<()>;

    /// It as part of the JSON document about several environments.
    fn among_others(&self) -> json::Result<'_>;

    /// Publishes it where the CI system shows pages; `format` is the one of standard output.
    fn publish(&self, format: Format, shell: &Shell) -> Result<()>;

    /// What goes with it, on standard error; `format` is the one of standard output.
    fn remark(&self, _format: Format, _shell: &Shell) {}

    /// The exit status.
    fn exit(&self) -> Exit;

    /// Whether a tenant may be another one than before.
    fn has_written(&self) -> bool {
        false
    }
}

/// Tells what came of one environment; the exit status that follows.
///
/// # Errors
/// Whatever cannot be written, unless the command has written to a tenant.
pub(super) fn present(ending: &dyn Ending, asked: Option<Format>, shell: &Shell) -> Result<Exit> {
    let mut telling = Telling::new(shell.format(asked), shell);
    telling.tell(ending, true);
    telling.attempt(report_file::write(shell, |out| ending.as_json(out)));
    ending.remark(telling.format, shell);
    telling.end(ending.exit())
}

/// Tells what came of several environments, one after the other, and how many are as they should be:
/// "2 of 3 environments `done`".
///
/// # Errors
/// As [`present`].
pub(super) fn present_all(
    (command, done): (&str, &str),
    format: Format,
    ends: &[(&str, Result<&dyn Ending, &Error>)],
    shell: &Shell,
) -> Result<Exit> {
    let is_json = format == Format::Json;
    let mut telling = Telling::new(format, shell);
    let mut statuses = Vec::new();
    for (name, end) in ends {
        if !is_json {
            let heading = environments::heading(name, format, shell);
            let printed = shell.print(|out| writeln!(out, "{heading}"));
            telling.attempt(printed.map_err(Into::into));
        }
        statuses.push(match end {
            Ok(ending) => {
                telling.tell(*ending, !is_json);
                ending.remark(format, shell);
                ending.exit()
            }
            Err(error) => {
                environments::fail(name, error, shell);
                Exit::CouldNotRun
            }
        });
    }
    let is_complete = |status: &Exit| matches!(status, Exit::Clean | Exit::ChangesPending);
    let entries = ends
        .iter()
        .zip(&statuses)
        .map(|((name, end), status)| json::Environment {
            name,
            is_complete: is_complete(status),
            result: match end {
                Ok(ending) => ending.among_others(),
                Err(error) => json::Result::NotRun(format!("{error:#}")),
            },
        });
    let entries: Vec<_> = entries.collect();
    let render = |out: &mut Vec<u8>| json::render(command, &entries, out);
    if is_json {
        telling.attempt(shell.print(render).map_err(Into::into));
    }
    telling.attempt(report_file::write(shell, render));
    let complete = statuses.iter().filter(|status| is_complete(status)).count();
    shell.say(environments::summary(complete, ends.len(), done));
    telling.end(environments::exit(statuses))
}

/// What could be told and what could not.
struct Telling<'s> {
    format: Format,
    shell: &'s Shell,
    has_written: bool,
    troubles: Vec<Error>,
}

impl<'s> Telling<'s> {
    const fn new(format: Format, shell: &'s Shell) -> Self {
        Self {
            format,
            shell,
            has_written: false,
            troubles: Vec::new(),
        }
    }

    fn attempt(&mut self, result: Result<()>) {
        if let Err(trouble) = result {
            self.troubles.push(trouble);
        }
    }

    fn tell(&mut self, ending: &dyn Ending, shows: bool) {
        self.has_written |= ending.has_written();
        if shows {
            let shown = ending.show(self.format, self.shell);
            self.attempt(shown.context("cannot write the result to standard output"));
        }
        self.attempt(ending.publish(self.format, self.shell));
    }

    fn end(self, exit: Exit) -> Result<Exit> {
        let mut troubles = self.troubles.into_iter();
        let Some(first) = troubles.next() else {
            return Ok(exit);
        };
        if !self.has_written {
            return Err(first);
        }
        for trouble in std::iter::once(first).chain(troubles) {
            self.shell.fail(&trouble);
        }
        self.shell.say(match exit {
            Exit::Clean => "the tenant is as it should be; only telling so failed",
            _ => "the command has ended as far as it could; telling so failed as well",
        });
        Ok(match exit {
            Exit::Clean | Exit::ChangesPending => Exit::Findings,
            worse => worse,
        })
    }
}

//! The command line as a whole: global options, the list of commands, logging, and what an error
//! looks like.

use std::io::IsTerminal as _;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};
use tracing_subscriber::EnvFilter;

use crate::commands::shell::ColourChoice;
use crate::commands::{
    Exit, Shell, build, ci, config, deploy, destroy, doctor, emulator, explain, graph, init, keys,
    man, plan, pull, rollback, validate,
};

/// Checks Azure AD B2C custom policies as strictly as the tenant would, and deploys them through
/// Microsoft Graph.
#[derive(Debug, Parser)]
#[command(
    name = "iefctl",
    version,
    propagate_version = true,
    arg_required_else_help = true,
    max_term_width = 100,
    after_help = "\
Examples:
  iefctl validate policies
  iefctl deploy policies --environment dev --emulator
  iefctl deploy policies --environment test

Exit status: 0 nothing to report, 1 errors or an incomplete deployment, 2 could not run"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,

    /// Say more: -v notes and hints in full, -vv requests, -vvv everything
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,

    /// Only the result
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    quiet: bool,

    /// When to write colours
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN")]
    color: ColourChoice,
}

#[derive(Debug, Subcommand)]
enum Command {
    Validate(validate::ValidateArgs),
    Plan(plan::PlanArgs),
    Deploy(deploy::DeployArgs),
    Destroy(destroy::DestroyArgs),
    Build(build::BuildArgs),
    Pull(pull::PullArgs),
    Keys(keys::KeysArgs),
    Rollback(rollback::RollbackArgs),
    Doctor(doctor::DoctorArgs),
    Init(init::InitArgs),
    Graph(graph::GraphArgs),
    Emulator(emulator::EmulatorArgs),
    Explain(explain::ExplainArgs),
    #[command(hide = true)]
    Ci(ci::CiArgs),
    Config(config::ConfigArgs),
    /// Print shell completions
    #[command(after_help = "\
Examples:
  iefctl completions bash > /etc/bash_completion.d/iefctl
  iefctl completions zsh > ~/.zfunc/_iefctl
  iefctl completions fish > ~/.config/fish/completions/iefctl.fish
  iefctl completions powershell >> $PROFILE")]
    Completions {
        /// The shell
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
    Man(man::ManArgs),
}

/// Runs the program with the arguments of the process.
pub fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are no failures; clap chooses the stream.
            let exit = if error.use_stderr() {
                Exit::CouldNotRun
            } else {
                Exit::Clean
            };
            if error.use_stderr() {
                complain(&error);
            } else {
                // Nothing can be done about a closed terminal.
                let _ = error.print();
            }
            return exit.into();
        }
    };
    let shell = Shell {
        verbosity: cli.verbose,
        quiet: cli.quiet,
        colour: cli.color,
    };
    log(&shell);
    match execute(cli.command, &shell) {
        Ok(exit) => exit.into(),
        Err(error) => {
            shell.fail(&error);
            Exit::CouldNotRun.into()
        }
    }
}

/// What is wrong with the command line. It repeats values as they were given, and those can be
/// anybody's text: the name of a branch, the input of a step.
fn complain(error: &clap::Error) {
    let shell = Shell {
        verbosity: 0,
        quiet: false,
        colour: ColourChoice::default(),
    };
    let text = error.render();
    let text = match shell.error_style().colour {
        true => text.ansi().to_string(),
        false => text.to_string(),
    };
    shell.say(text.trim_end());
}

fn execute(command: Command, shell: &Shell) -> anyhow::Result<Exit> {
    match command {
        Command::Validate(args) => validate::run(&args, shell),
        Command::Plan(args) => plan::run(&args, shell),
        Command::Deploy(args) => deploy::run(&args, shell),
        Command::Destroy(args) => destroy::run(&args, shell),
        Command::Build(args) => build::run(&args, shell),
        Command::Pull(args) => pull::run(&args, shell),
        Command::Keys(args) => keys::run(&args, shell),
        Command::Rollback(args) => rollback::run(&args, shell),
        Command::Doctor(args) => doctor::run(&args, shell),
        Command::Init(args) => init::run(&args, shell),
        Command::Graph(args) => graph::run(&args, shell),
        Command::Emulator(args) => emulator::run(&args, shell),
        Command::Explain(args) => explain::run(&args, shell),
        Command::Ci(args) => ci::run(&args, shell),
        Command::Config(args) => config::run(&args, shell),
        Command::Completions { shell: kind } => {
            shell.print(|out| {
                clap_complete::generate(kind, &mut Cli::command(), "iefctl", out);
                Ok(())
            })?;
            Ok(Exit::Clean)
        }
        Command::Man(args) => man::run(&args, Cli::command(), shell),
    }
}

/// Logs go to standard error; `IEFCTL_LOG` takes the directives of tracing.
fn log(shell: &Shell) {
    let default = match shell.verbosity {
        0 | 1 => "off",
        2 => "iefctl=debug",
        _ => "iefctl=trace,hyper_util=debug",
    };
    let directives = shell.variable("IEFCTL_LOG");
    let filter = EnvFilter::new(directives.as_deref().unwrap_or(default));
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(shell.error_style().colour && std::io::stderr().is_terminal())
        .finish();
    // Fails only if one is set already, as in a test that runs commands in-process.
    let _ = tracing::subscriber::set_global_default(subscriber);
}

#[cfg(test)]
mod tests {
    use clap::error::ErrorKind;

    use super::*;

    /// Every command with its name, the program itself first.
    fn commands(command: &clap::Command, name: &str, all: &mut Vec<(String, clap::Command)>) {
        all.push((name.to_owned(), command.clone()));
        for inner in command
            .get_subcommands()
            .filter(|it| it.get_name() != "help")
        {
            commands(inner, &format!("{name} {}", inner.get_name()), all);
        }
    }

    fn all() -> Vec<(String, clap::Command)> {
        let mut program = Cli::command();
        program.build();
        let mut all = Vec::new();
        commands(&program, "iefctl", &mut all);
        all
    }

    /// The command lines of the section with examples: without the remark that two spaces set off, and
    /// without what the shell does with variables and output.
    fn examples(help: &str) -> Vec<Vec<String>> {
        let section = help.split("Examples:\n").nth(1).unwrap_or_default();
        let lines = section.lines().take_while(|line| line.starts_with("  "));
        lines
            .filter_map(|line| line.trim().split("  ").next())
            .flat_map(|line| line.split(" && "))
            .filter_map(|line| line.split(['>', '|']).next())
            .map(|line| {
                let words = line.split_whitespace();
                let words = words.skip_while(|word| word.contains('='));
                words
                    .map(|word| word.trim_matches('\'').to_owned())
                    .collect()
            })
            .collect()
    }

    #[test]
    fn the_definitions_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_help_has_examples_and_every_example_is_one() {
        let mut problems = Vec::new();
        let mut seen = 0;
        for (name, command) in all() {
            let help = command.get_after_help().map(ToString::to_string);
            let examples = examples(&help.unwrap_or_default());
            if examples.is_empty() {
                problems.push(format!("{name}: no examples"));
            }
            let own = examples.iter().any(|words| {
                let line = words.join(" ");
                line == name || line.starts_with(&format!("{name} "))
            });
            if !own {
                problems.push(format!("{name}: no example of it"));
            }
            for words in examples {
                seen += 1;
                match Cli::try_parse_from(&words) {
                    Ok(_) => {}
                    Err(error) if error.kind() == ErrorKind::DisplayHelp => {}
                    Err(error) => problems.push(format!("{name}: `{}`: {error}", words.join(" "))),
                }
            }
        }
        assert!(problems.is_empty(), "{}", problems.join("\n"));
        assert!(seen > 40, "{seen} examples were found");
    }
}

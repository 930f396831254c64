//! `iefctl graph`.

mod journeys;

use anyhow::{Result, bail};

use crate::output::graph::{self, PolicyNode, PolicyTree};
use crate::policy::{Base, Kind, Role};

use super::project::{self, ProjectArgs, Validated};
use super::{Exit, Shell};

/// How to draw the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Drawing {
    /// Text tree
    #[default]
    Text,
    /// Mermaid, as GitHub and Azure DevOps draw it in Markdown
    Mermaid,
    /// DOT, for Graphviz
    Dot,
    /// SVG picture
    Svg,
    /// Page for the browser with the tree and the journeys, one file that loads nothing
    Html,
}

/// Show which policy inherits from which, and what relying parties execute
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  iefctl graph policies
  iefctl graph policies --journeys             the steps of every relying party as well
  iefctl graph policies --format mermaid
  iefctl graph policies --format html > policies.html
  iefctl graph policies --format svg > policies.svg

Exit status: 0, or 2 if the policies cannot be read. What is wrong with them, `iefctl validate` tells.")]
pub struct GraphArgs {
    #[command(flatten)]
    project: ProjectArgs,

    /// Draw what each relying party executes, step by step; --format html does anyway
    #[arg(long)]
    journeys: bool,

    /// How to draw
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    format: Drawing,
}

/// Runs `iefctl graph`.
///
/// # Errors
/// What keeps the command from running.
pub fn run(args: &GraphArgs, shell: &Shell) -> Result<Exit> {
    let project = args.project.load(shell)?;
    let validated = project::validate(&project, None, shell)?;
    if args.journeys && matches!(args.format, Drawing::Dot | Drawing::Svg) {
        bail!("journeys are drawn as text, mermaid or html");
    }
    let tree = tree(&validated);
    let charts = match args.journeys || args.format == Drawing::Html {
        true => journeys::charts(&validated),
        false => Vec::new(),
    };
    let unicode = shell.style().unicode;
    shell.print(|out| {
        let drawn = match args.format {
            Drawing::Text => {
                graph::text(&tree, unicode, out)?;
                return graph::journeys::text(&charts, out);
            }
            Drawing::Mermaid if args.journeys => graph::journeys::mermaid(&charts),
            Drawing::Mermaid => graph::mermaid(&tree),
            Drawing::Dot => graph::dot(&tree),
            Drawing::Svg => graph::svg::document(&tree),
            Drawing::Html => {
                let names = project.sets.iter().map(|set| set.name.as_str());
                let names: Vec<&str> = names.collect();
                graph::html::page(&names.join(", "), &tree, &charts)
            }
        };
        out.extend_from_slice(drawn.as_bytes());
        Ok(())
    })?;
    let summary = validated.report.summary();
    if summary.errors > 0 {
        shell.say(format!(
            "the set has {} errors; see `iefctl validate`",
            summary.errors
        ));
    }
    Ok(Exit::Clean)
}

/// The inheritance of all sets as a plain tree.
pub(super) fn tree(validated: &Validated) -> PolicyTree {
    let mut nodes = Vec::new();
    for set in &validated.sets {
        // Context policies appear only where an own policy inherits from them.
        let wanted: Vec<_> = set
            .own()
            .flat_map(|(index, _)| set.chain(index).0)
            .collect();
        for (index, policy) in set.iter() {
            if !wanted.contains(&index) {
                continue;
            }
            let ids = |kind: Kind| {
                policy
                    .declarations(kind)
                    .filter_map(|element| element.attribute_value("Id"))
                    .map(str::to_owned)
            };
            let base = match set.base(index) {
                Base::Root => None,
                Base::InSet(base) => Some(set.get(base).id().to_owned()),
                Base::Elsewhere => policy
                    .header
                    .base
                    .as_ref()
                    .map(|base| base.policy_id.value.clone()),
            };
            let relying_party = policy.relying_party();
            let runs = relying_party
                .and_then(|it| it.child("DefaultUserJourney")?.attribute("ReferenceId"));
            nodes.push(PolicyNode {
                id: policy.id().to_owned(),
                file: Some(
                    validated
                        .report
                        .sources
                        .get(policy.source)
                        .name()
                        .to_owned(),
                ),
                base,
                external: policy.role == Role::Context,
                journeys: ids(Kind::UserJourney)
                    .chain(ids(Kind::SubJourney))
                    .collect(),
                runs: runs.map(str::to_owned),
            });
        }
    }
    PolicyTree { nodes }
}

//! What each relying party executes, step by step, as text and as Mermaid.

use std::fmt::Write as _;
use std::io;

use crate::output::visible::one_line;

use super::mermaid_text;

/// A journey as a relying party executes it, merged over the policies that write it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JourneyChart {
    /// PolicyId of the relying party.
    pub policy: String,
    /// Id of the user journey.
    pub journey: String,
    /// The steps by their order; none if the journey is not known.
    pub steps: Vec<JourneyStep>,
}

/// An orchestration step.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JourneyStep {
    /// `Order`.
    pub order: u32,
    /// `Type`.
    pub kind: String,
    /// The content definition of the page, where the step has one of its own.
    pub page: Option<String>,
    /// What happens in it: one of these, if there are several.
    pub choices: Vec<Choice>,
    /// When it is skipped: "objectId exists".
    pub skipped_if: Vec<String>,
    /// PolicyIds of the policies that write it, the root's first.
    pub written_by: Vec<String>,
}

/// What a step leads to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choice {
    /// Id of the claims exchange; empty where the step names its target directly.
    pub exchange: String,
    /// The technical profile, or the sub journey.
    pub target: String,
}

impl Choice {
    fn label(&self) -> String {
        let target = one_line(&self.target);
        if self.exchange.is_empty() || self.exchange.eq_ignore_ascii_case(&self.target) {
            target.into_owned()
        } else {
            format!("{}: {target}", one_line(&self.exchange))
        }
    }
}

/// Writes every journey with a line per step and a line per choice.
///
/// # Errors
/// Only those of `out`.
pub fn text(charts: &[JourneyChart], out: &mut dyn io::Write) -> io::Result<()> {
    for chart in charts {
        writeln!(
            out,
            "\n{} runs {}",
            one_line(&chart.policy),
            one_line(&chart.journey)
        )?;
        if chart.steps.is_empty() {
            writeln!(out, "     (no steps are known)")?;
        }
        for step in &chart.steps {
            let mut line = format!("{:>4} {}", step.order, one_line(&step.kind));
            if let Some(page) = &step.page {
                let _ = write!(line, " on {}", one_line(page));
            }
            if !step.skipped_if.is_empty() {
                let _ = write!(
                    line,
                    ", skipped if {}",
                    one_line(&step.skipped_if.join(" or "))
                );
            }
            writeln!(out, "{line}")?;
            for choice in &step.choices {
                writeln!(out, "       {}", choice.label())?;
            }
        }
    }
    Ok(())
}

/// Mermaid source, a frame for each relying party. Skipping is drawn as a dashed arrow past the step.
pub fn mermaid(charts: &[JourneyChart]) -> String {
    let mut text = String::from("flowchart TD\n");
    for (number, chart) in charts.iter().enumerate() {
        let title = format!("{} runs {}", chart.policy, chart.journey);
        let _ = writeln!(text, "  subgraph j{number}[\"{}\"]", mermaid_text(&title));
        for step in &chart.steps {
            let mut label = mermaid_text(&format!("{} {}", step.order, step.kind));
            for choice in &step.choices {
                let _ = write!(label, "<br/>{}", mermaid_text(&choice.label()));
            }
            let _ = writeln!(text, "    j{number}s{}[\"{label}\"]", step.order);
        }
        for pair in chart.steps.windows(2) {
            let (from, to) = (pair[0].order, pair[1].order);
            let _ = writeln!(text, "    j{number}s{from} --> j{number}s{to}");
        }
        for triple in chart.steps.windows(3) {
            let [from, skipped, to] = triple else {
                continue;
            };
            if !skipped.skipped_if.is_empty() {
                let why = mermaid_text(&skipped.skipped_if.join(" or "));
                let _ = writeln!(
                    text,
                    "    j{number}s{} -. \"{why}\" .-> j{number}s{}",
                    from.order, to.order
                );
            }
        }
        text.push_str("  end\n");
    }
    text
}

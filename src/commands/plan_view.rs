//! A plan as the formats take it, and showing it.

use std::io;

use anyhow::Result;
use similar::TextDiff;

use crate::deploy::{
    Change, How, KeysetAction, KeysetCondition, KeysetStep, Local, Plan, PolicyAction, PolicyStep,
    Remote,
};
use crate::diagnostics::Report;
use crate::output::json::deploy::Action;
use crate::output::json::plan::{
    ChangeJson, ChangeKindJson, KeysetActionJson, KeysetConditionJson, PlanFindingJson, PlanJson,
    PlannedKeysetJson, PlannedPolicyJson,
};
use crate::output::{self, Format, Options, azure, github, human, json, markdown};

use super::ending::Ending;
use super::{Exit, Shell, ci_summary};

/// What is shown of a plan.
pub(super) struct View<'a> {
    pub(super) command: &'static str,
    pub(super) plan: &'a Plan,
    pub(super) local: &'a Local,
    pub(super) remote: &'a Remote,
    /// What was found in files and tenant.
    pub(super) report: &'a Report,
    /// Whether the text differences are wanted.
    pub(super) diff: bool,
    /// The exit status if anything would change.
    pub(super) pending: Exit,
}

impl Ending for View<'_> {
    /// A format for findings alone gets those on standard output, and the plan goes to standard error.
    fn show(&self, format: Format, shell: &Shell) -> Result<()> {
        let view = self.plan();
        let style = shell.style();
        match format {
            Format::Json => shell.print(|out| json::plan::render(&view, out))?,
            Format::Markdown => shell.print(|out| {
                out.extend_from_slice(markdown::plan::document(&view).as_bytes());
                Ok(())
            })?,
            Format::Github => shell.print(|out| {
                github::findings(self.report, out)?;
                human::plan::render(&view, style, out)
            })?,
            Format::Azure => shell.print(|out| {
                azure::findings(self.report, out)?;
                human::plan::render(&view, style, out)
            })?,
            Format::Human => shell.print(|out| {
                human::findings(self.report, style, out)?;
                human::plan::render(&view, style, out)
            })?,
            format @ (Format::Sarif | Format::Junit) => {
                let options = Options {
                    command: self.command,
                    style,
                    ..Options::default()
                };
                shell.print(|out| output::render(self.report, format, &options, out))?;
                let mut text = Vec::new();
                human::plan::render(&view, shell.error_style(), &mut text)?;
                shell.say(String::from_utf8_lossy(&text).trim_end());
            }
        }
        Ok(())
    }

    fn as_json(&self, out: &mut Vec<u8>) -> io::Result<()> {
        json::plan::render(&self.plan(), out)
    }

    fn among_others(&self) -> json::environments::Result<'_> {
        json::environments::Result::Planned(Box::new(self.plan()))
    }

    fn publish(&self, format: Format, shell: &Shell) -> Result<()> {
        let page = markdown::plan::document(&self.plan());
        ci_summary::publish_page(&page, format, shell)
    }

    fn exit(&self) -> Exit {
        if self.report.has_errors() {
            Exit::Findings
        } else if self.plan.has_changes() {
            self.pending
        } else {
            Exit::Clean
        }
    }
}

impl View<'_> {
    /// Writes the plan for people alone, without findings, to standard error.
    pub(super) fn say(&self, shell: &Shell) -> io::Result<()> {
        let mut text = Vec::new();
        human::plan::render(&self.plan(), shell.error_style(), &mut text)?;
        shell.say(String::from_utf8_lossy(&text).trim_end());
        Ok(())
    }

    fn plan(&self) -> PlanJson {
        let plan = self.plan;
        let mut view = PlanJson::new(self.command, &plan.tenant);
        view.production = plan.production;
        view.keysets = plan.keysets.iter().map(keyset).collect();
        view.policies = plan.policies.iter().map(|step| self.policy(step)).collect();
        view.only_in_tenant.clone_from(&plan.only_in_tenant);
        view.findings = findings(self.report);
        view.count();
        view
    }

    fn policy(&self, step: &PolicyStep) -> PlannedPolicyJson {
        let difference = step.difference.as_ref();
        let changes = difference.map_or(&[][..], |difference| &difference.changes);
        PlannedPolicyJson {
            id: step.id.clone(),
            file: step.file().map(str::to_owned),
            action: action(step.action),
            base: step.base.clone(),
            is_breaking: difference.is_some_and(crate::deploy::Difference::is_breaking),
            changes: changes.iter().map(change).collect(),
            diff: self.diff.then(|| self.text_difference(step)).flatten(),
        }
    }

    /// The difference of the canonical forms, which have one element a line.
    fn text_difference(&self, step: &PolicyStep) -> Option<String> {
        if step.action != PolicyAction::Update {
            return None;
        }
        let remote = self.remote.policy(&step.id)?;
        let from = remote.canonical.as_deref().unwrap_or(&remote.text);
        let to = &self.local.find(&step.id)?.canonical;
        let diff = TextDiff::from_lines(from, to);
        let mut unified = diff.unified_diff();
        let file = step.file().unwrap_or(&step.id);
        Some(unified.context_radius(3).header("tenant", file).to_string())
    }
}

fn findings(report: &Report) -> Vec<PlanFindingJson> {
    let findings = report.diagnostics.iter();
    findings
        .map(|finding| {
            let location = finding.primary.location;
            let (start, _) = report.sources.position(location);
            PlanFindingJson {
                rule: finding.rule.id.to_owned(),
                level: finding.level.to_string(),
                message: finding.message.clone(),
                file: report.sources.get(location.source).name().to_owned(),
                line: start.line,
                column: start.column,
                help: finding.help.clone(),
            }
        })
        .collect()
}

pub(super) const fn action(action: PolicyAction) -> Action {
    match action {
        PolicyAction::Create => Action::Create,
        PolicyAction::Update => Action::Update,
        PolicyAction::Unchanged => Action::Unchanged,
        PolicyAction::Delete => Action::Delete,
    }
}

fn keyset(step: &KeysetStep) -> PlannedKeysetJson {
    let mut needed_by: Vec<String> = Vec::new();
    for need in &step.needed_by {
        if !needed_by.contains(&need.policy_id) {
            needed_by.push(need.policy_id.clone());
        }
    }
    PlannedKeysetJson {
        id: step.id.clone(),
        action: match step.action {
            KeysetAction::Present => KeysetActionJson::Present,
            KeysetAction::Create => KeysetActionJson::Create,
            KeysetAction::Fill => KeysetActionJson::Fill,
            KeysetAction::Missing => KeysetActionJson::Missing,
        },
        condition: match step.condition {
            KeysetCondition::Good => KeysetConditionJson::Good,
            KeysetCondition::WrongKind => KeysetConditionJson::WrongKind,
            KeysetCondition::Expiring => KeysetConditionJson::Expiring,
            KeysetCondition::Expired => KeysetConditionJson::Expired,
        },
        how: step.content.as_ref().map(ToString::to_string),
        inferred: step.inferred,
        expires: step.expires.clone(),
        needed_by,
    }
}

fn change(change: &Change) -> ChangeJson {
    let (kind, from, to) = match change.how.clone() {
        How::Added { to } => (ChangeKindJson::Added, None, to),
        How::Removed { from } => (ChangeKindJson::Removed, from, None),
        How::Changed { from, to } => (ChangeKindJson::Changed, Some(from), Some(to)),
        How::Renumbered { from, to } => (ChangeKindJson::Renumbered, Some(from), Some(to)),
        How::Reordered => (ChangeKindJson::Reordered, None, None),
        How::Other => (ChangeKindJson::Other, None, None),
        How::Unreadable => (ChangeKindJson::Unreadable, None, None),
    };
    ChangeJson {
        kind,
        path: change.path.clone(),
        attribute: change.attribute.clone(),
        from,
        to,
        used_by: change.used_by.clone(),
    }
}

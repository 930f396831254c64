use std::fmt;

use super::{KnownNames, Location, Rule};

/// How bad a finding is. The order is from mild to severe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Worth knowing.
    Hint,
    /// Likely wrong.
    Warning,
    /// The tenant rejects it at upload, or it surely fails at run time.
    Error,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hint => "hint",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

/// A place with a word on why it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// Where.
    pub location: Location,
    /// What is to be seen there; the primary label may do without.
    pub message: Option<String>,
}

/// Replaces one range of the original file by other text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// The range, in the resolved text. An edit that touches a replaced placeholder must not be
    /// applied: the file does not hold that text.
    pub location: Location,
    /// What stands there afterwards.
    pub replacement: String,
}

/// A change that removes the finding without changing anything else; applied only by `--fix`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// What the change does, in the imperative.
    pub title: String,
    /// The edits, in text order, without overlap.
    pub edits: Vec<Edit>,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The rule that found it.
    pub rule: &'static Rule,
    /// How bad it is, after configuration.
    pub level: Level,
    /// The headline: one sentence, no full stop.
    pub message: String,
    /// Where it is.
    pub primary: Label,
    /// Other places that explain it, possibly in other files.
    pub related: Vec<Label>,
    /// What to do about it.
    pub help: Option<String>,
    /// The sentence with which the tenant would answer, where one is known.
    pub service_message: Option<String>,
    /// The policy that has the finding, as its file writes the id.
    pub policy_id: Option<String>,
    /// A safe change that removes it.
    pub fix: Option<Fix>,
    /// The element that is wrong, where several findings of the rule may come from it: through each
    /// profile that includes it, each journey that runs it. Findings with one cause at one place are
    /// one mistake, and so are all with that cause if one of them is at the cause itself.
    pub cause: Option<Location>,
    /// The id of a rule of which an error, as long as it is shown, makes this finding doubtful: what is
    /// missed here may be what is misnamed there.
    pub doubtful_while: Option<&'static str>,
}

impl Diagnostic {
    /// A finding of `rule` at its default level. There is no finding without a place.
    pub fn new(rule: &'static Rule, location: Location, message: impl Into<String>) -> Self {
        Self {
            rule,
            level: rule.level,
            message: message.into(),
            primary: Label {
                location,
                message: None,
            },
            related: Vec::new(),
            help: None,
            service_message: None,
            policy_id: None,
            fix: None,
            cause: None,
            doubtful_while: None,
        }
    }

    /// Sets another level than the rule's default, for rules whose level depends on the evidence.
    #[must_use]
    pub fn level(mut self, level: Level) -> Self {
        self.level = level;
        self
    }

    /// The word at the primary place.
    #[must_use]
    pub fn label(mut self, message: impl Into<String>) -> Self {
        self.primary.message = Some(message.into());
        self
    }

    /// Adds another place.
    #[must_use]
    pub fn related(mut self, location: Location, message: impl Into<String>) -> Self {
        self.related.push(Label {
            location,
            message: Some(message.into()),
        });
        self
    }

    /// What to do about it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Sets what to do where nothing better is known.
    #[must_use]
    pub fn or_help(mut self, help: impl Into<String>) -> Self {
        self.help.get_or_insert_with(|| help.into());
        self
    }

    /// Asks for the id that was likely meant by the one at `location`, and offers to write it where
    /// no other can have been meant.
    #[must_use]
    pub fn did_you_mean(self, location: Location, written: &str, known: &KnownNames<'_>) -> Self {
        let Some(near) = known.near_miss(written) else {
            return self;
        };
        let finding = self.help(format!("did you mean `{near}`?"));
        // Where the text differs in length, white space or escapes belong to it.
        let is_plain = location.span.len() as usize == written.len();
        match known.only_slip(written) {
            // An id that would have to be escaped is left to people.
            Some(meant) if is_plain && !meant.contains(['&', '<', '>', '"', '\'', '{']) => finding
                .fix(
                    format!("write `{meant}`"),
                    vec![Edit {
                        location,
                        replacement: meant.to_owned(),
                    }],
                ),
            _ => finding,
        }
    }

    /// The sentence with which the tenant would answer.
    #[must_use]
    pub fn service_message(mut self, message: impl Into<String>) -> Self {
        self.service_message = Some(message.into());
        self
    }

    /// Names the element that is wrong, from which findings like this one may come again.
    #[must_use]
    pub const fn cause(mut self, element: Location) -> Self {
        self.cause = Some(element);
        self
    }

    /// The policy that has the finding.
    #[must_use]
    pub fn policy_id(mut self, id: impl Into<String>) -> Self {
        self.policy_id = Some(id.into());
        self
    }

    /// A safe change that removes the finding.
    #[must_use]
    pub fn fix(mut self, title: impl Into<String>, edits: Vec<Edit>) -> Self {
        self.fix = Some(Fix {
            title: title.into(),
            edits,
        });
        self
    }
}

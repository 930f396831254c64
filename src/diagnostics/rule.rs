use super::Level;

/// The static record of one rule: everything that `explain`, SARIF and the configuration need to
/// know of it besides the function that checks it.
///
/// A room that finds something by itself (ill-formed XML, an undefined setting, a cycle of bases)
/// declares its records beside the code that finds it; `rules::ALL` lists every record once.
#[derive(Debug)]
pub struct Rule {
    /// Kebab-case name, stable for ever; it names the bad pattern ("allow *id*").
    pub id: &'static str,
    /// The level unless a team configures another.
    pub level: Level,
    /// One sentence without a full stop: what the rule finds.
    pub summary: &'static str,
}

impl PartialEq for Rule {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for Rule {}

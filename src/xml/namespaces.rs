/// What the prefix `xml` is always bound to.
const XML: &str = "http://www.w3.org/XML/1998/namespace";
/// What the prefix `xmlns` stands for; nothing may be bound to it.
const XMLNS: &str = "http://www.w3.org/2000/xmlns/";

/// The namespace declarations that are in force at a point of the text.
pub(super) struct Namespaces<'t> {
    /// Every name once; index 0 is "no namespace".
    names: Vec<Box<str>>,
    /// Prefix, index of the name, and depth of the declaring element; innermost last.
    bindings: Vec<(&'t str, u16, usize)>,
    /// What no prefix stands for.
    default: u16,
}

impl Default for Namespaces<'_> {
    fn default() -> Self {
        Self {
            names: vec!["".into()],
            bindings: Vec::new(),
            default: 0,
        }
    }
}

impl<'t> Namespaces<'t> {
    /// Binds a prefix (empty: the default namespace) for an element at `depth` and everything in it;
    /// false if Namespaces in XML forbids this binding.
    pub(super) fn declare(&mut self, prefix: &'t str, name: &str, depth: usize) -> bool {
        let forbidden = match prefix {
            "xml" => name != XML,
            "xmlns" => true,
            _ => matches!(name, XML | XMLNS),
        };
        if forbidden || (name.is_empty() && !prefix.is_empty()) {
            return false;
        }
        let index = self.index(name);
        self.bindings.push((prefix, index, depth));
        if prefix.is_empty() {
            self.default = index;
        }
        true
    }

    /// The index of the name that a prefix stands for; `None` if it is not bound.
    pub(super) fn resolve(&mut self, prefix: &str) -> Option<u16> {
        if prefix.is_empty() {
            return Some(self.default);
        }
        match self.binding(prefix) {
            None if prefix == "xml" => Some(self.index(XML)),
            binding => binding,
        }
    }

    /// The index of the namespace of elements without prefix.
    pub(super) const fn unprefixed(&self) -> u16 {
        self.default
    }

    fn binding(&self, prefix: &str) -> Option<u16> {
        let mut innermost_first = self.bindings.iter().rev();
        let (_, index, _) = innermost_first.find(|(known, ..)| *known == prefix)?;
        Some(*index)
    }

    /// Ends the declarations of elements at `depth` and below.
    #[inline]
    pub(super) fn leave(&mut self, depth: usize) {
        if self.bindings.last().is_some_and(|(_, _, at)| *at >= depth) {
            self.end(depth);
        }
    }

    fn end(&mut self, depth: usize) {
        while let Some((prefix, ..)) = self.bindings.pop_if(|(_, _, at)| *at >= depth) {
            if prefix.is_empty() {
                self.default = self.binding("").unwrap_or(0);
            }
        }
    }

    pub(super) fn into_names(self) -> Vec<Box<str>> {
        self.names
    }

    fn index(&mut self, name: &str) -> u16 {
        if let Some(index) = self.names.iter().position(|known| &**known == name) {
            return index as u16;
        }
        if self.names.len() >= usize::from(u16::MAX) {
            return 0;
        }
        self.names.push(name.into());
        (self.names.len() - 1) as u16
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn without_prefix_it_is_what_the_innermost_declaration_says(
            steps in prop::collection::vec((0..6_usize, prop::sample::select(vec!["", "a", "b"]), prop::sample::select(vec!["", "u", "v"])), 0..40),
        ) {
            let mut namespaces = Namespaces::default();
            let mut open: Vec<Vec<&str>> = Vec::new();
            for (step, prefix, name) in steps {
                match step {
                    0 | 1 => open.push(Vec::new()),
                    2 => {
                        open.pop();
                        namespaces.leave(open.len());
                    }
                    _ => {
                        let depth = open.len().saturating_sub(1);
                        let declared = namespaces.declare(prefix, name, depth);
                        prop_assert_eq!(declared, prefix.is_empty() || !name.is_empty());
                        if open.is_empty() {
                            open.push(Vec::new());
                        }
                        if prefix.is_empty() {
                            open[depth].push(name);
                        }
                    }
                }
                let expected = open.iter().flatten().last().copied().unwrap_or_default();
                let index = namespaces.unprefixed();
                prop_assert_eq!(namespaces.resolve(""), Some(index));
                prop_assert_eq!(&*namespaces.names[usize::from(index)], expected);
            }
        }
    }
}

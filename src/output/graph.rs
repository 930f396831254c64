//! The inheritance tree of a policy set as text, Mermaid, DOT and SVG, the journeys of its relying
//! parties, and a page with both.
//!
//! The input is a plain list of nodes; nothing here asks whether the tree is right. A base that is
//! not in the list is drawn as missing, and the members of a cycle, which hang from no root, are
//! drawn once each, so that every policy of the set is to be seen.

pub mod html;
pub mod journeys;
pub mod svg;

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io;

use super::visible::one_line;

/// The policies of a set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PolicyTree {
    /// The policies, in the order in which they are to be drawn.
    pub nodes: Vec<PolicyNode>,
}

/// One policy.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PolicyNode {
    /// PolicyId.
    pub id: String,
    /// The file, where there is one.
    pub file: Option<String>,
    /// PolicyId of the base, which may differ from the base's own spelling in case.
    pub base: Option<String>,
    /// Whether it exists only outside of the set, in the tenant or a `--with` folder.
    pub external: bool,
    /// Ids of the journeys that the policy itself defines.
    pub journeys: Vec<String>,
    /// Id of the journey that its relying party runs.
    pub runs: Option<String>,
}

/// Writes the tree with one line per policy; `unicode` chooses the branches.
///
/// # Errors
/// Only those of `out`.
pub fn text(tree: &PolicyTree, unicode: bool, out: &mut dyn io::Write) -> io::Result<()> {
    let (fork, last, pipe) = if unicode {
        ("├── ", "└── ", "│   ")
    } else {
        ("|-- ", "`-- ", "|   ")
    };
    let forest = Forest::new(tree);
    let mut stack: Vec<Branch> = Vec::new();
    for root in forest.roots.iter().rev() {
        stack.push(Branch {
            node: *root,
            indent: String::new(),
            is_last: None,
        });
    }
    while let Some(branch) = stack.pop() {
        let (joint, below) = match branch.is_last {
            None => ("", String::new()),
            Some(true) => (last, format!("{}    ", branch.indent)),
            Some(false) => (fork, format!("{}{pipe}", branch.indent)),
        };
        let label = forest.label(branch.node);
        writeln!(out, "{}{joint}{label}", branch.indent)?;
        let children = forest.children(branch.node);
        for (index, child) in children.iter().enumerate().rev() {
            stack.push(Branch {
                node: *child,
                indent: below.clone(),
                is_last: Some(index + 1 == children.len()),
            });
        }
    }
    Ok(())
}

/// Mermaid source (`graph TD`), an arrow from each base to the policies that inherit from it.
pub fn mermaid(tree: &PolicyTree) -> String {
    let forest = Forest::new(tree);
    let mut text = String::from("graph TD\n");
    for node in 0..forest.len() {
        let label = mermaid_text(forest.id(node));
        let shape = if forest.is_external(node) {
            format!("([\"{label}\"])")
        } else {
            format!("[\"{label}\"]")
        };
        let _ = writeln!(text, "  p{node}{shape}");
    }
    for (base, policy) in forest.arrows() {
        let _ = writeln!(text, "  p{base} --> p{policy}");
    }
    text
}

/// DOT source for Graphviz, with the same nodes and arrows.
pub fn dot(tree: &PolicyTree) -> String {
    let forest = Forest::new(tree);
    let mut text = String::from("digraph policies {\n  node [shape=box];\n");
    for node in 0..forest.len() {
        let style = if forest.is_external(node) {
            ", style=dashed"
        } else {
            ""
        };
        let label = dot_text(forest.id(node));
        let _ = writeln!(text, "  p{node} [label=\"{label}\"{style}];");
    }
    for (base, policy) in forest.arrows() {
        let _ = writeln!(text, "  p{base} -> p{policy};");
    }
    text.push_str("}\n");
    text
}

struct Branch {
    node: usize,
    indent: String,
    /// Whether it is the last child; roots are no children.
    is_last: Option<bool>,
}

/// The nodes by number, the missing bases behind those of the tree.
struct Forest<'t> {
    tree: &'t PolicyTree,
    missing: Vec<&'t str>,
    bases: Vec<Option<usize>>,
    children: Vec<Vec<usize>>,
    roots: Vec<usize>,
}

impl<'t> Forest<'t> {
    fn new(tree: &'t PolicyTree) -> Self {
        let mut numbers: HashMap<String, usize> = HashMap::new();
        for (number, node) in tree.nodes.iter().enumerate() {
            numbers.entry(key(&node.id)).or_insert(number);
        }
        let mut missing = Vec::new();
        for base in tree.nodes.iter().filter_map(|node| node.base.as_deref()) {
            let next = tree.nodes.len() + missing.len();
            numbers.entry(key(base)).or_insert_with(|| {
                missing.push(base);
                next
            });
        }
        let mut bases: Vec<Option<usize>> = tree
            .nodes
            .iter()
            .map(|node| numbers.get(&key(node.base.as_deref()?)).copied())
            .collect();
        bases.resize(tree.nodes.len() + missing.len(), None);
        let mut children = vec![Vec::new(); bases.len()];
        let mut roots = Vec::new();
        for (number, base) in bases.iter().enumerate() {
            match base {
                Some(base) => children[*base].push(number),
                None => roots.push(number),
            }
        }
        let mut forest = Self {
            tree,
            missing,
            bases,
            children,
            roots,
        };
        forest.open_cycles();
        forest
    }

    /// Makes one member of each cycle a root and takes it from the children of its base, so that a
    /// walk from the roots meets every node exactly once.
    fn open_cycles(&mut self) {
        let mut met = vec![false; self.bases.len()];
        let roots = self.roots.clone();
        for root in roots {
            self.meet(root, &mut met);
        }
        for number in 0..self.bases.len() {
            if met[number] {
                continue;
            }
            let member = self.cycle_member(number);
            if let Some(base) = self.bases[member] {
                self.children[base].retain(|child| *child != member);
            }
            self.roots.push(member);
            self.meet(member, &mut met);
        }
    }

    fn meet(&self, root: usize, met: &mut [bool]) {
        let mut stack = vec![root];
        while let Some(node) = stack.pop() {
            met[node] = true;
            stack.extend(&self.children[node]);
        }
    }

    /// The first node that is met twice on the way from `node` to its bases.
    fn cycle_member(&self, node: usize) -> usize {
        let mut seen = vec![false; self.bases.len()];
        let mut current = node;
        while !seen[current] {
            seen[current] = true;
            match self.bases[current] {
                Some(base) => current = base,
                None => break,
            }
        }
        current
    }

    fn len(&self) -> usize {
        self.bases.len()
    }

    fn node(&self, number: usize) -> Option<&'t PolicyNode> {
        self.tree.nodes.get(number)
    }

    fn id(&self, number: usize) -> &'t str {
        match self.node(number) {
            Some(node) => &node.id,
            None => self.missing[number - self.tree.nodes.len()],
        }
    }

    fn is_external(&self, number: usize) -> bool {
        self.node(number).is_none_or(|node| node.external)
    }

    fn children(&self, number: usize) -> &[usize] {
        &self.children[number]
    }

    fn arrows(&self) -> impl Iterator<Item = (usize, usize)> {
        let numbered = self.bases.iter().enumerate();
        numbered.filter_map(|(policy, base)| Some(((*base)?, policy)))
    }

    fn label(&self, number: usize) -> String {
        let mut label = one_line(self.id(number)).into_owned();
        let Some(node) = self.node(number) else {
            label.push_str(" (not in the set)");
            return label;
        };
        if let Some(file) = &node.file {
            let _ = write!(label, " ({})", one_line(file));
        }
        if node.external {
            label.push_str(" (external)");
        }
        let is_opened_cycle = self.roots.contains(&number) && self.bases[number].is_some();
        if is_opened_cycle {
            let base = node.base.as_deref().unwrap_or_default();
            let _ = write!(label, " (cycle: inherits from {})", one_line(base));
        }
        if let Some(journey) = &node.runs {
            let _ = write!(label, " runs {}", one_line(journey));
        }
        if !node.journeys.is_empty() {
            let _ = write!(label, " defines {}", one_line(&node.journeys.join(", ")));
        }
        label
    }
}

/// Policy ids are equal but for case.
fn key(id: &str) -> String {
    id.to_lowercase()
}

fn mermaid_text(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in one_line(text).chars() {
        if c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ' ' | '/') {
            escaped.push(c);
        } else {
            let _ = write!(escaped, "#{};", u32::from(c));
        }
    }
    escaped
}

fn dot_text(text: &str) -> String {
    one_line(text).replace('\\', "\\\\").replace('"', "\\\"")
}

#[cfg(test)]
mod tests;

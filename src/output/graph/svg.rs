//! The inheritance tree as an SVG picture: a column for each level, a box for each policy.

use std::fmt::Write as _;

use crate::output::visible::one_line;

use super::{Forest, PolicyTree};

/// Height of a box, and the distance between two of them.
const BOX: (usize, usize) = (46, 14);
/// Distance between two columns.
const GAP: usize = 40;
/// Width of a character of the font, roughly; boxes are made a little too wide rather than too
/// narrow.
const CHARACTER: usize = 9;
const MARGIN: usize = 16;

/// How it looks, in daylight and in the dark.
pub(super) const STYLE: &str = "\
.box{fill:#eef4fb;stroke:#2b6cb0;rx:6}\
.external{fill:#f5f5f5;stroke:#888;stroke-dasharray:5 4}\
.runs{fill:#eaf7ee;stroke:#2f855a}\
.id{font:600 13px system-ui,sans-serif;fill:#1a202c}\
.note{font:11px system-ui,sans-serif;fill:#4a5568}\
.line{fill:none;stroke:#718096;stroke-width:1.5}\
@media(prefers-color-scheme:dark){\
.box{fill:#1e2a3a;stroke:#63b3ed}.external{fill:#2a2a2a;stroke:#999}.runs{fill:#1d3327;stroke:#68d391}\
.id{fill:#f7fafc}.note{fill:#cbd5e0}.line{stroke:#a0aec0}}";

/// A document of its own.
pub fn document(tree: &PolicyTree) -> String {
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    text.push_str(&picture(tree, Some(STYLE)));
    text
}

/// The `svg` element, with its own style or that of the page it stands in.
pub(super) fn picture(tree: &PolicyTree, style: Option<&str>) -> String {
    let layout = Layout::new(tree);
    let forest = &layout.forest;
    let (width, height) = layout.size();
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" role=\"img\">\n<title>Which policy inherits from which</title>\n"
    );
    if let Some(style) = style {
        let _ = writeln!(text, "<style>{style}</style>");
    }
    for &policy in &layout.order {
        for &child in forest.children(policy) {
            let (x1, y1) = layout.right_middle(policy);
            let (x2, y2) = layout.left_middle(child);
            let bend = GAP / 2;
            let _ = writeln!(
                text,
                "<path class=\"line\" d=\"M{x1} {y1} C{} {y1} {} {y2} {x2} {y2}\"/>",
                x1 + bend,
                x2 - bend
            );
        }
    }
    for &policy in &layout.order {
        let (x, y) = layout.corner(policy);
        let runs = forest.node(policy).and_then(|node| node.runs.as_deref());
        let class = match (forest.is_external(policy), runs) {
            (true, _) => "box external",
            (false, Some(_)) => "box runs",
            (false, None) => "box",
        };
        let _ = writeln!(
            text,
            "<g><title>{}</title><rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{}\" \
             height=\"{}\"/><text class=\"id\" x=\"{}\" y=\"{}\">{}</text><text class=\"note\" \
             x=\"{}\" y=\"{}\">{}</text></g>",
            escaped(&forest.label(policy)),
            layout.widths[layout.depths[policy]],
            BOX.0,
            x + 10,
            y + 19,
            escaped(forest.id(policy)),
            x + 10,
            y + 36,
            escaped(&note(forest, policy)),
        );
    }
    text.push_str("</svg>\n");
    text
}

/// The second line of a box.
fn note(forest: &Forest<'_>, policy: usize) -> String {
    let Some(node) = forest.node(policy) else {
        return "not in the set".to_owned();
    };
    match (&node.runs, &node.file) {
        (Some(journey), _) => format!("runs {journey}"),
        (None, Some(file)) => {
            let name = file.rsplit(['/', '\\']).next();
            name.unwrap_or(file).to_owned()
        }
        (None, None) => String::new(),
    }
}

/// Where the boxes are: leaves below each other, a base beside the middle of what inherits from it.
struct Layout<'t> {
    forest: Forest<'t>,
    /// Every policy, bases before what inherits from them.
    order: Vec<usize>,
    depths: Vec<usize>,
    /// Twice the row of each policy, so that a middle between two rows is a whole number.
    rows: Vec<usize>,
    /// Width of the boxes of each column.
    widths: Vec<usize>,
    leaves: usize,
}

impl<'t> Layout<'t> {
    fn new(tree: &'t PolicyTree) -> Self {
        let forest = Forest::new(tree);
        let mut order = Vec::new();
        let mut depths = vec![0_usize; forest.len()];
        let mut rows = vec![0_usize; forest.len()];
        let mut leaves = 0;
        let mut stack: Vec<usize> = forest.roots.iter().rev().copied().collect();
        while let Some(policy) = stack.pop() {
            order.push(policy);
            let children = forest.children(policy);
            if children.is_empty() {
                rows[policy] = 2 * leaves;
                leaves += 1;
            }
            for &child in children.iter().rev() {
                depths[child] = depths[policy] + 1;
                stack.push(child);
            }
        }
        for &policy in order.iter().rev() {
            let children = forest.children(policy);
            if let (Some(&first), Some(&last)) = (children.first(), children.last()) {
                rows[policy] = rows[first].midpoint(rows[last]);
            }
        }
        let mut widths = Vec::new();
        for &policy in &order {
            let depth = depths[policy];
            if widths.len() <= depth {
                widths.resize(depth + 1, 0);
            }
            let longest = |text: &str| one_line(text).chars().count();
            let characters = longest(forest.id(policy)).max(longest(&note(&forest, policy)));
            widths[depth] = widths[depth].max(characters * CHARACTER + 20);
        }
        Self {
            forest,
            order,
            depths,
            rows,
            widths,
            leaves,
        }
    }

    fn size(&self) -> (usize, usize) {
        let columns: usize = self.widths.iter().map(|width| width + GAP).sum();
        let width = columns.saturating_sub(GAP) + 2 * MARGIN;
        let height = (self.leaves * (BOX.0 + BOX.1)).saturating_sub(BOX.1) + 2 * MARGIN;
        (width, height)
    }

    fn corner(&self, policy: usize) -> (usize, usize) {
        let before = &self.widths[..self.depths[policy]];
        let x = MARGIN + before.iter().map(|width| width + GAP).sum::<usize>();
        (x, MARGIN + self.rows[policy] * (BOX.0 + BOX.1) / 2)
    }

    fn left_middle(&self, policy: usize) -> (usize, usize) {
        let (x, y) = self.corner(policy);
        (x, y + BOX.0 / 2)
    }

    fn right_middle(&self, policy: usize) -> (usize, usize) {
        let (x, y) = self.left_middle(policy);
        (x + self.widths[self.depths[policy]], y)
    }
}

/// Text in SVG or HTML.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in one_line(text).chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(c),
        }
    }
    escaped
}

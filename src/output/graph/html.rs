//! A page for the browser: the tree, and below it what each relying party executes. It is one file
//! that loads nothing.

use std::fmt::Write as _;

use super::journeys::{JourneyChart, JourneyStep};
use super::svg::{self, escaped};
use super::{PolicyTree, key};

const STYLE: &str = "\
:root{color-scheme:light dark;--line:#cbd5e0;--faint:#4a5568;--card:#f7fafc;--mark:#2b6cb0}\
@media(prefers-color-scheme:dark){:root{--line:#4a5568;--faint:#a0aec0;--card:#1a202c;--mark:#63b3ed}}\
body{font:15px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:72rem;padding:0 1rem}\
h1{font-size:1.5rem}h2{font-size:1.15rem;margin:2rem 0 .5rem}\
.tree{overflow-x:auto}.tree svg{max-width:100%;height:auto}\
details{border:1px solid var(--line);border-radius:8px;margin:.6rem 0;padding:.4rem .9rem}\
summary{cursor:pointer;font-weight:600}summary span{color:var(--faint);font-weight:400}\
ol{list-style:none;margin:.6rem 0;padding:0}\
li.step{display:grid;grid-template-columns:2.2rem 1fr;border-left:0;margin-bottom:.5rem}\
.order{background:var(--mark);color:#fff;border-radius:50%;width:1.6rem;height:1.6rem;text-align:center;\
line-height:1.6rem;font-size:.85rem}\
.card{background:var(--card);border:1px solid var(--line);border-radius:6px;padding:.4rem .7rem}\
.kind{font-weight:600}.faint{color:var(--faint);font-size:.88rem}\
ul{margin:.2rem 0;padding-left:1.2rem}code{font-size:.9em}";

/// The page.
pub fn page(title: &str, tree: &PolicyTree, charts: &[JourneyChart]) -> String {
    let title = escaped(title);
    let mut text = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta \
         name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n\
         <style>{STYLE}{}</style>\n</head>\n<body>\n<h1>{title}</h1>\n<h2>Inheritance</h2>\n\
         <div class=\"tree\">\n{}</div>\n",
        svg::STYLE,
        svg::picture(tree, None)
    );
    if !charts.is_empty() {
        text.push_str("<h2>Journeys</h2>\n");
    }
    for chart in charts {
        let open = if charts.len() == 1 { " open" } else { "" };
        let _ = writeln!(
            text,
            "<details{open}>\n<summary>{} <span>runs {}, {} steps</span></summary>\n<ol>",
            escaped(&chart.policy),
            escaped(&chart.journey),
            chart.steps.len()
        );
        for step in &chart.steps {
            text.push_str(&card(step, &chart.policy));
        }
        text.push_str("</ol>\n</details>\n");
    }
    text.push_str("</body>\n</html>\n");
    text
}

fn card(step: &JourneyStep, policy: &str) -> String {
    let mut text = format!(
        "<li class=\"step\"><span class=\"order\">{}</span><div class=\"card\"><span \
         class=\"kind\">{}</span>",
        step.order,
        escaped(&step.kind)
    );
    if let Some(page) = &step.page {
        let _ = write!(text, " on <code>{}</code>", escaped(page));
    }
    if !step.choices.is_empty() {
        text.push_str("<ul>");
        for choice in &step.choices {
            let _ = write!(text, "<li><code>{}</code>", escaped(&choice.target));
            if !choice.exchange.is_empty() {
                let _ = write!(
                    text,
                    " <span class=\"faint\">{}</span>",
                    escaped(&choice.exchange)
                );
            }
            text.push_str("</li>");
        }
        text.push_str("</ul>");
    }
    if !step.skipped_if.is_empty() {
        let _ = write!(
            text,
            "<div class=\"faint\">skipped if {}</div>",
            escaped(&step.skipped_if.join(" or "))
        );
    }
    let inherited: Vec<&str> = step
        .written_by
        .iter()
        .map(String::as_str)
        .filter(|id| key(id) != key(policy))
        .collect();
    if !inherited.is_empty() {
        let _ = write!(
            text,
            "<div class=\"faint\">from {}</div>",
            escaped(&inherited.join(", "))
        );
    }
    text.push_str("</div></li>\n");
    text
}

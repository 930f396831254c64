//! The XML room against roxmltree, a conforming parser that nobody here wrote: whatever it rejects
//! must be rejected, whatever it accepts must give the same tree, and spans must point at what they
//! claim.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "beside/corpus.rs"]
mod corpus;
#[path = "beside/xml_files.rs"]
mod xml_files;

use std::sync::Arc;

use iefctl::diagnostics::{Source, SourceMap};
use iefctl::xml::{self, Document, Element};
use proptest::prelude::*;

use corpus::corpus;
use xml_files::xml_files;

fn parse(text: &str) -> (Document, Vec<String>) {
    let mut sources = SourceMap::new();
    let text: Arc<str> = text.into();
    let id = sources.add(Source::new("test.xml", Arc::clone(&text)));
    let (document, findings) = xml::parse(&text, id);
    for finding in &findings {
        let span = finding.primary.location.span;
        assert!(
            text.get(span.start as usize..span.end as usize).is_some(),
            "span {span:?} of {finding:?} does not fit {text:?}"
        );
    }
    (document, findings.into_iter().map(|f| f.message).collect())
}

/// Compares verdict and tree; returns what differs.
fn difference(text: &str) -> Option<String> {
    let options = roxmltree::ParsingOptions {
        allow_dtd: false,
        nodes_limit: u32::MAX,
        ..Default::default()
    };
    let oracle = roxmltree::Document::parse_with_options(text, options);
    let (document, findings) = parse(text);
    match oracle {
        Err(error) if findings.is_empty() => Some(format!("the oracle rejects it: {error}")),
        Err(_) => None,
        Ok(_) if !findings.is_empty() => {
            // The oracle is lenient about the form of qualified names; the recommendation is not.
            // It takes `</:a>` for the end of `<a>`, for example.
            let odd_name = ["<:", "</:", " :", "\n:", "\t:"]
                .iter()
                .any(|start| text.contains(start));
            let lenient = odd_name
                || findings
                    .iter()
                    .any(|finding| finding.contains("is not a name with at most one prefix"));
            (!lenient).then(|| format!("the oracle accepts it: {findings:?}"))
        }
        Ok(oracle) => {
            let Some(root) = document.root() else {
                return Some("no root".into());
            };
            compare(root, oracle.root_element(), text)
        }
    }
}

fn compare(ours: Element<'_>, theirs: roxmltree::Node<'_, '_>, text: &str) -> Option<String> {
    if ours.name() != theirs.tag_name().name()
        || ours.namespace() != theirs.tag_name().namespace().unwrap_or_default()
    {
        return Some(format!("{ours:?} is {:?}", theirs.tag_name()));
    }
    let range = theirs.range();
    let span = ours.span();
    if (span.start as usize, span.end as usize) != (range.start, range.end) {
        return Some(format!("{ours:?} stands at {range:?}, not {span:?}"));
    }
    assert_eq!(ours.name_span().of(text), ours.qualified_name());
    let mut left: Vec<_> = ours
        .attributes()
        .map(|a| {
            (
                a.namespace().to_owned(),
                a.name().to_owned(),
                a.value().to_owned(),
                a.value_span().start as usize,
                a.value_span().end as usize,
            )
        })
        .collect();
    let mut right: Vec<_> = theirs
        .attributes()
        .map(|a| {
            (
                a.namespace().unwrap_or_default().to_owned(),
                a.name().to_owned(),
                a.value().to_owned(),
                a.range_value().start,
                a.range_value().end,
            )
        })
        .collect();
    left.sort();
    right.sort();
    if left != right {
        return Some(format!(
            "attributes of {ours:?}: {left:?} against {right:?}"
        ));
    }
    if theirs.children().all(|child| !child.is_element()) {
        let text: String = theirs
            .children()
            .filter(|child| child.is_text())
            .filter_map(|child| child.text())
            .collect();
        let same = ours.text() == text || (text.trim().is_empty() && ours.text().trim().is_empty());
        if !same {
            return Some(format!(
                "text of {ours:?}: {:?} against {text:?}",
                ours.text()
            ));
        }
    }
    let left: Vec<_> = ours.children().collect();
    let right: Vec<_> = theirs.children().filter(|n| n.is_element()).collect();
    if left.len() != right.len() {
        return Some(format!(
            "{ours:?} has {} children, not {}",
            left.len(),
            right.len()
        ));
    }
    left.into_iter()
        .zip(right)
        .find_map(|(ours, theirs)| compare(ours, theirs, text))
}

/// Documents that quick-xml lets pass or that are otherwise easy to accept by mistake.
const MALFORMED: &[&str] = &[
    "",
    "   \n",
    "text",
    "<a/><b/>",
    "<a></a><b></b>",
    "<a/>text",
    "text<a/>",
    "&amp;<a/>",
    "<![CDATA[x]]><a/>",
    "<a/><![CDATA[x]]>",
    "<a>",
    "<a><b></a>",
    "<a><b></b>",
    "</a>",
    "<a></a></a>",
    "<a></b>",
    "<p:a/>",
    "<a p:b='1'/>",
    "<a>&nbsp;</a>",
    "<a b='&nbsp;'/>",
    "<a>&</a>",
    "<a b='&'/>",
    "<a b='a&b;c&d'/>",
    "<a>&#0;</a>",
    "<a>&#xFFFF;</a>",
    "<a>&#x110000;</a>",
    "<a>&#;</a>",
    "<a>&#x;</a>",
    "<a>&amp</a>",
    "<a b='<'/>",
    "<a b='<c>'/>",
    "<a>]]></a>",
    "<a>\u{1}</a>",
    "<a b='\u{1}'/>",
    "<a>\u{FFFF}</a>",
    "<a><!-- -- --></a>",
    "<a><!-- x ---></a>",
    " <?xml version='1.0'?><a/>",
    "<a/><?xml version='1.0'?>",
    "<a><?xml version='1.0'?></a>",
    "<?xml?><a/>",
    "<?xml version=1.0?><a/>",
    "<?xml encoding='utf-8'?><a/>",
    "<?xml version='1.0' standalone='maybe'?><a/>",
    "<?XML version='1.0'?><a/>",
    "<? x?><a/>",
    "<a b='1'c='2'/>",
    "<a b=1/>",
    "<a b/>",
    "<a b=/>",
    "<a b='1' b='2'/>",
    "<a xmlns:p='u' xmlns:q='u' p:b='1' q:b='2'/>",
    "<1a/>",
    "<-a/>",
    "<a 1b='x'/>",
    "<a b='1/>",
    "<a",
    "<a><",
    "< a/>",
    "<a>< /a>",
    "<a:/>",
    "<:a/>",
    "<a:b:c xmlns:a='u'/>",
    "<!DOCTYPE a><a/>",
    "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
    "<!-- never closed <a/>",
    "<a><![CDATA[x</a>",
    "<a><?pi x</a>",
    "<a xmlns:p=''/>",
    "<a xmlns:xml='other'/>",
    "<a xmlns:xmlns='u'/>",
    "<!x><a/>",
    "<a b=\"x\" / >",
    "<a/ >",
];

const WELL_FORMED: &[&str] = &[
    "<a/>",
    "<?xml version=\"1.0\"?><a/>",
    "<?xml version='1.0' encoding='UTF-8' standalone='yes' ?>\n<a/>\n",
    "<!-- c --><a/><!-- d --><?pi x?>",
    "<a b='1' c = \"2\"\n d='&lt;&#65;&#x42;\t\r\n'/>",
    "<a>x&amp;y<![CDATA[<&]]>z<!-- c -->w</a>",
    "<a xmlns='u' xmlns:p='v' p:b='1' b='2'><p:c/><c xmlns=''/></a>",
    "<a xml:lang='en' xml:space='preserve'> </a>",
    "<ä ö='ü'>é</ä>",
    "<a\n/>",
    "<a></a\n>",
    "<a>]] ></a>",
    "<a>></a>",
    "<a b='>'/>",
    "<a>\r\nx\ry\n</a>",
];

#[test]
fn malformed_documents_are_rejected() {
    for text in MALFORMED {
        let (_, findings) = parse(text);
        assert!(!findings.is_empty(), "accepted: {text:?}");
    }
}

#[test]
fn one_mistake_is_one_finding() {
    // These hold two mistakes by nature.
    let double = [
        "<a>< /a>",
        "<a b=\"x\" / >",
        "<a/ >",
        "<a b='a&b;c&d'/>",
        "<a xmlns:p='u' xmlns:q='u' p:b='1' q:b='2'/>",
    ];
    for text in MALFORMED.iter().filter(|text| !double.contains(text)) {
        let (_, findings) = parse(text);
        assert_eq!(findings.len(), 1, "{text:?}: {findings:?}");
    }
}

#[test]
fn well_formed_documents_give_the_same_tree() {
    for text in WELL_FORMED {
        assert_eq!(difference(text), None, "{text:?}");
    }
}

#[test]
fn deep_and_wide_documents_are_read() {
    let deep = format!("{}{}", "<a>".repeat(10_000), "</a>".repeat(10_000));
    assert_eq!(parse(&deep).1, Vec::<String>::new());
    let unclosed = "<a>".repeat(100_000);
    assert_eq!(parse(&unclosed).1.len(), 1);
    let wide = format!(
        "<a{}/>",
        (0..100_000)
            .map(|i| format!(" b{i}='1'"))
            .collect::<String>()
    );
    assert_eq!(parse(&wide).1, Vec::<String>::new());
}

#[test]
fn real_policies_give_the_same_tree() {
    let Some(corpus) = corpus() else {
        return;
    };
    let files = xml_files(&corpus);
    assert!(files.len() > 100);
    for file in &files {
        let text = std::fs::read_to_string(file).unwrap();
        let text = text.strip_prefix('\u{FEFF}').unwrap_or(&text);
        assert_eq!(difference(text), None, "{}", file.display());
    }
    println!("compared {} files", files.len());
}

fn tree() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec!["a", "b", "Item", "p:c", "ä", "TechnicalProfile"]);
    // Names that are known and others go different ways.
    let key = prop::sample::select(vec!["k", "Key", "ClaimTypeReferenceId"]);
    let value = "[ -~äöü\t\n]{0,12}".prop_map(|v| xml::escape_attribute(&v).into_owned());
    let text = "[ -~äöü\t\n]{0,12}".prop_map(|v| xml::escape_text(&v).into_owned());
    let leaf = (
        name.clone(),
        prop::option::of((key.clone(), value.clone())),
        text.clone(),
    )
        .prop_map(|(name, attribute, text)| match attribute {
            Some((key, value)) => format!("<{name} {key}=\"{value}\">{text}</{name}>"),
            None => format!("<{name}/>{text}<!--c-->"),
        });
    leaf.prop_recursive(4, 40, 5, move |inner| {
        (
            name.clone(),
            (key.clone(), value.clone()),
            prop::collection::vec(inner, 0..5),
        )
            .prop_map(|(name, (key, value), children)| {
                format!(
                    "<{name} {key}='{value}'>\n  {}\n</{name}>",
                    children.concat()
                )
            })
    })
    .prop_map(|content| format!("<r xmlns:p='urn:p' xmlns='urn:d'>{content}</r>"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn generated_trees_are_read_alike(text in tree()) {
        prop_assert_eq!(difference(&text), None);
    }

    /// Random damage: delete, insert or replace a few characters.
    #[test]
    fn damaged_documents_get_the_same_verdict(
        text in tree(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), 0..3u8, prop::sample::select(
            vec!['<', '>', '&', ';', '"', '\'', '/', '=', ' ', '-', '!', '?', ']', '[', ':', 'x', '\u{1}', '#', '\n']
        )), 1..4),
    ) {
        let mut chars: Vec<char> = text.chars().collect();
        for (index, kind, c) in damage {
            let at = index.index(chars.len());
            match kind {
                0 => { chars.remove(at); }
                1 => chars.insert(at, c),
                _ => chars[at] = c,
            }
        }
        let text: String = chars.into_iter().collect();
        prop_assert_eq!(difference(&text), None, "{}", text);
    }

    #[test]
    fn any_text_is_read_without_panic(text in "\\PC{0,60}") {
        parse(&text);
    }
}

//! Reads YAML of other tools into a tree with positions. Scalars keep their text as it is written, since
//! that is what those tools insert. Aliases and merge keys are followed, within bounds.

use std::collections::HashMap;
use std::ops::Range;
use std::rc::Rc;

use granit_parser::{Event, Parser, ScalarStyle, Span, Tag};

/// More values than this aliases may not stand for.
pub(super) const MAX_VALUES: usize = 100_000;

/// A value with its place.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) range: Range<usize>,
    pub(super) content: Content,
}

#[derive(Debug)]
pub(super) enum Content {
    Scalar {
        text: String,
        /// Written without quotes, so that `null`, `true` or `1` are no strings.
        plain: bool,
    },
    Sequence(Vec<Rc<Node>>),
    /// In the order of the file, what was merged behind it. Every key is there once.
    Mapping(Vec<(Key, Rc<Node>)>),
}

#[derive(Debug, Clone)]
pub(super) struct Key {
    pub(super) name: String,
    pub(super) range: Range<usize>,
}

/// Why a text cannot be read.
#[derive(Debug)]
pub(super) struct Mistake {
    pub(super) range: Range<usize>,
    pub(super) message: String,
}

impl Node {
    /// What a scalar says; nothing for `null` and for what is no scalar.
    pub(super) fn scalar(&self) -> Option<&str> {
        match &self.content {
            Content::Scalar { text, plain } => (!(*plain && is_null(text))).then_some(text),
            _ => None,
        }
    }

    pub(super) fn mapping(&self) -> Option<&[(Key, Rc<Self>)]> {
        match &self.content {
            Content::Mapping(entries) => Some(entries),
            _ => None,
        }
    }

    /// What kind of value this is, in words.
    pub(super) fn kind(&self) -> &'static str {
        match &self.content {
            Content::Scalar { text, plain: true } if is_null(text) => "null",
            Content::Scalar { .. } => "a text",
            Content::Sequence(_) => "a list",
            Content::Mapping(_) => "a mapping",
        }
    }
}

fn is_null(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

/// Reads a text that holds one document; nothing for an empty one.
pub(super) fn parse(text: &str) -> Result<Option<Rc<Node>>, Mistake> {
    let mut builder = Builder::default();
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| {
            let at = error.marker().byte_offset().unwrap_or(0).min(text.len());
            Mistake {
                range: at..at,
                message: error.info(),
            }
        })?;
        builder.event(event, range(&span, text))?;
    }
    Ok(builder.root)
}

fn range(span: &Span, text: &str) -> Range<usize> {
    let start = span.start.byte_offset().unwrap_or(0).min(text.len());
    let end = span
        .end
        .byte_offset()
        .unwrap_or(start)
        .clamp(start, text.len());
    let held = text.get(start..end).unwrap_or_default();
    start..start + held.trim_end().len()
}

#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    anchors: HashMap<usize, Rc<Node>>,
    root: Option<Rc<Node>>,
    documents: usize,
    merged: usize,
}

/// A collection whose end was not yet reached.
struct Open {
    range: Range<usize>,
    anchor: usize,
    content: OpenContent,
}

enum OpenContent {
    Sequence(Vec<Rc<Node>>),
    Mapping {
        entries: Vec<(Key, Rc<Node>)>,
        places: HashMap<String, usize>,
        key: Option<Key>,
        merges: Vec<Rc<Node>>,
    },
}

impl Builder {
    fn event(&mut self, event: Event<'_>, range: Range<usize>) -> Result<(), Mistake> {
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    return mistake(
                        range,
                        "the file holds several documents, of which the tool reads one",
                    );
                }
            }
            Event::Scalar(text, style, anchor, tag) => {
                let is_text = known(tag.as_deref(), &range)?;
                let content = Content::Scalar {
                    text: text.into_owned(),
                    plain: style == ScalarStyle::Plain && !is_text,
                };
                self.complete(Rc::new(Node { range, content }), anchor)?;
            }
            Event::SequenceStart(_, anchor, tag) => {
                known(tag.as_deref(), &range)?;
                self.open(range, anchor, OpenContent::Sequence(Vec::new()));
            }
            Event::MappingStart(_, anchor, tag) => {
                known(tag.as_deref(), &range)?;
                let content = OpenContent::Mapping {
                    entries: Vec::new(),
                    places: HashMap::new(),
                    key: None,
                    merges: Vec::new(),
                };
                self.open(range, anchor, content);
            }
            Event::SequenceEnd | Event::MappingEnd => self.close()?,
            Event::Alias(anchor) => match self.anchors.get(&anchor) {
                Some(node) => self.complete(Rc::clone(node), 0)?,
                None => return mistake(range, "this alias stands within the value that it means"),
            },
            _ => {}
        }
        Ok(())
    }

    fn open(&mut self, range: Range<usize>, anchor: usize, content: OpenContent) {
        self.open.push(Open {
            range: range.start..range.start,
            anchor,
            content,
        });
    }

    fn close(&mut self) -> Result<(), Mistake> {
        let Some(open) = self.open.pop() else {
            return Ok(());
        };
        let content = match open.content {
            OpenContent::Sequence(items) => Content::Sequence(items),
            OpenContent::Mapping {
                entries,
                places,
                merges,
                ..
            } => Content::Mapping(self.merge(entries, places, &merges)?),
        };
        let node = Node {
            range: open.range,
            content,
        };
        self.complete(Rc::new(node), open.anchor)
    }

    /// Adds what `<<` names and the mapping does not say itself; of several the first counts.
    fn merge(
        &mut self,
        mut entries: Vec<(Key, Rc<Node>)>,
        mut places: HashMap<String, usize>,
        merges: &[Rc<Node>],
    ) -> Result<Vec<(Key, Rc<Node>)>, Mistake> {
        for merged in merges {
            let several = match &merged.content {
                Content::Sequence(items) => items.iter().collect(),
                _ => vec![merged],
            };
            for node in several {
                let Some(more) = node.mapping() else {
                    return mistake(node.range.clone(), "`<<` can only mean mappings");
                };
                self.merged += more.len();
                if self.merged > MAX_VALUES {
                    return mistake(
                        node.range.clone(),
                        "aliases stand for more than 100000 values",
                    );
                }
                for (key, value) in more {
                    if !places.contains_key(&key.name) {
                        places.insert(key.name.clone(), entries.len());
                        entries.push((key.clone(), Rc::clone(value)));
                    }
                }
            }
        }
        Ok(entries)
    }

    /// Puts a value where it belongs.
    fn complete(&mut self, node: Rc<Node>, anchor: usize) -> Result<(), Mistake> {
        if anchor > 0 {
            self.anchors.insert(anchor, Rc::clone(&node));
        }
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        let (entries, places, key, merges) = match &mut open.content {
            OpenContent::Sequence(items) => {
                items.push(node);
                return Ok(());
            }
            OpenContent::Mapping {
                entries,
                places,
                key,
                merges,
            } => (entries, places, key, merges),
        };
        let Some(key) = key.take() else {
            let Content::Scalar { text, .. } = &node.content else {
                return mistake(node.range.clone(), "a key must be a text");
            };
            *key = Some(Key {
                name: text.clone(),
                range: node.range.clone(),
            });
            return Ok(());
        };
        if key.name == "<<" {
            merges.push(node);
            return Ok(());
        }
        if places.insert(key.name.clone(), entries.len()).is_some() {
            return mistake(key.range, format!("key `{}` stands here twice", key.name));
        }
        entries.push((key, node));
        Ok(())
    }
}

/// Whether a tag says that the value is a text. Tags of other kinds mean nothing to the tools.
fn known(tag: Option<&Tag>, range: &Range<usize>) -> Result<bool, Mistake> {
    match tag {
        None => Ok(false),
        Some(tag) if tag.is_yaml_core_schema() => Ok(tag.is_yaml_core_schema_tag("str")),
        Some(tag) => mistake(range.clone(), format!("unknown tag `{}`", tag.original())),
    }
}

fn mistake<T>(range: Range<usize>, message: impl Into<String>) -> Result<T, Mistake> {
    Err(Mistake {
        range,
        message: message.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(node: &Node) -> String {
        match &node.content {
            Content::Scalar { text, .. } => match node.scalar() {
                Some(text) => text.to_owned(),
                None => format!("null({text})"),
            },
            Content::Sequence(items) => {
                let items: Vec<String> = items.iter().map(|item| shown(item)).collect();
                format!("[{}]", items.join(", "))
            }
            Content::Mapping(entries) => {
                let entries = entries.iter();
                let entries: Vec<String> = entries
                    .map(|(key, value)| format!("{}={}", key.name, shown(value)))
                    .collect();
                format!("{{{}}}", entries.join(", "))
            }
        }
    }

    #[track_caller]
    fn read(text: &str) -> String {
        shown(&parse(text).expect("is YAML").expect("holds something"))
    }

    #[test]
    fn scalars_keep_what_is_written() {
        assert_eq!(
            read(
                "a: 0o14\nb: 007\nc: yes\nd: 1e3\ne: \"x\\ty\"\nf: 'null'\ng: null\nh: ~\ni:\nj: !!str null"
            ),
            "{a=0o14, b=007, c=yes, d=1e3, e=x\ty, f=null, g=null(null), h=null(~), i=null(~), j=null}"
        );
        assert_eq!(
            read("a: |\n  x\n  y\nb: >-\n  x\n  y\n"),
            "{a=x\ny\n, b=x y}"
        );
        assert_eq!(read("\u{feff}a: ä # b\n"), "{a=ä}");
        assert!(parse("# nothing\n").expect("is YAML").is_none());
    }

    #[test]
    fn aliases_and_merges_are_followed() {
        assert_eq!(
            read("x: &x {a: 1, b: 2}\ny: {<<: *x, b: 3}\nz: {b: 4, <<: [*x, {c: 5}]}\nv: *x"),
            "{x={a=1, b=2}, y={b=3, a=1}, z={b=4, a=1, c=5}, v={a=1, b=2}}"
        );
    }

    #[test]
    fn places_are_those_of_the_text() {
        let text = "ä: b\nc:\n  - d e # f\n";
        let root = parse(text).expect("is YAML").expect("holds something");
        let entries = root.mapping().expect("is a mapping");
        assert_eq!(&text[entries[0].0.range.clone()], "ä");
        assert_eq!(&text[entries[0].1.range.clone()], "b");
        let Content::Sequence(items) = &entries[1].1.content else {
            panic!("is a sequence");
        };
        assert_eq!(&text[items[0].range.clone()], "d e");
    }

    #[test]
    fn mistakes_have_a_place() {
        for (text, words, at) in [
            ("a: 1\nb: 2\na: 3", "twice", 10),
            ("a: 1\n---\nb: 2", "several documents", 5),
            ("a: &a [*a]", "within", 7),
            ("a: *b", "", 3),
            ("a: !vault x", "unknown tag", 10),
            ("? [a]\n: b", "key must be a text", 2),
            ("a: &a 1\nb: {<<: *a}", "`<<` can only", 6),
            ("a: [1", "bracket", 3),
            ("a: \"x", "", 3),
        ] {
            let mistake = parse(text).expect_err(text);
            assert!(
                mistake.message.contains(words),
                "{text}: {}",
                mistake.message
            );
            assert!(
                mistake.range.start.abs_diff(at) <= 1,
                "{text}: {:?}, {}",
                mistake.range,
                mistake.message
            );
        }
    }

    #[test]
    fn bombs_stay_small() {
        let mut merges = String::from("k0: &k0 {a: 1}\n");
        for level in 1..2000 {
            merges.push_str(&format!(
                "k{level}: &k{level} {{<<: *k{}, b{level}: 1}}\n",
                level - 1
            ));
        }
        let mistake = parse(&merges).expect_err("is a bomb");
        assert!(mistake.message.contains("100000"), "{}", mistake.message);
        let mut lists = String::from("k0: &k0 [x, x]\n");
        for level in 1..60 {
            let below = level - 1;
            lists.push_str(&format!("k{level}: &k{level} [*k{below}, *k{below}]\n"));
        }
        parse(&lists).expect("takes no more room than its text");
        assert!(parse(&"[".repeat(100_000)).is_err());
    }
}

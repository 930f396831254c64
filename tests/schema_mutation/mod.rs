//! Single mistakes for the schema tests: each mutation changes one thing in a policy.

mod values;

use std::collections::BTreeMap;

use iefctl::diagnostics::{SourceMap, Span};
use iefctl::xml::{Document, Element, NodeId};

use values::VALUES;

/// A reproducible sequence of numbers (splitmix64).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    /// A number below `bound`, which is not 0.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % bound as u64) as usize
    }

    /// One of the items.
    pub(crate) fn pick<'i, T>(&mut self, items: &'i [T]) -> &'i T {
        &items[self.below(items.len())]
    }
}

/// A place to break: an element, or an attribute of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Site {
    pub(crate) policy: usize,
    pub(crate) element: NodeId,
    pub(crate) attribute: Option<usize>,
}

/// Parses a text that is known to be well-formed.
pub(crate) fn parse(text: &str) -> Document {
    let id = SourceMap::new().add(iefctl::diagnostics::Source::new("test.xml", ""));
    iefctl::xml::parse(&text.into(), id).0
}

/// Where an element stands: its name with those of its parent and grandparent.
pub(crate) fn element_kind(element: Element<'_>) -> String {
    let mut names: Vec<&str> = element.ancestors().take(2).map(Element::name).collect();
    names.reverse();
    names.push(element.name());
    names.join("/")
}

/// All sites of the policies by kind of element (and attribute) and mutation.
pub(crate) fn sites(policies: &[Document]) -> BTreeMap<(String, &'static str), Vec<Site>> {
    let mut sites: BTreeMap<(String, &str), Vec<Site>> = BTreeMap::new();
    for (policy, document) in policies.iter().enumerate() {
        for element in document.elements() {
            let kind = element_kind(element);
            let mut add = |kind: &str, attribute, mutation: &'static str| {
                let entry = sites.entry((kind.to_owned(), mutation)).or_default();
                // A few of each are enough to choose from, of several policies.
                let of_policy = entry.iter().filter(|site| site.policy == policy).count();
                if entry.len() < 12 && of_policy < 3 {
                    entry.push(Site {
                        policy,
                        element: element.id(),
                        attribute,
                    });
                }
            };
            for (name, _) in ELEMENT_MUTATIONS {
                add(&kind, None, name);
            }
            for (index, attribute) in element.attributes().enumerate() {
                let kind = format!("{kind}/@{}", attribute.name());
                for (name, _) in ATTRIBUTE_MUTATIONS {
                    add(&kind, Some(index), name);
                }
            }
        }
    }
    sites
}

/// The text with one thing changed; `None` where the mutation does not apply.
pub(crate) fn mutate(
    document: &Document,
    site: Site,
    mutation: &str,
    random: &mut Random,
) -> Option<String> {
    let element = document.element(site.element)?;
    if let Some(index) = site.attribute {
        let (_, mutate) = ATTRIBUTE_MUTATIONS
            .iter()
            .find(|(name, _)| *name == mutation)?;
        return mutate(element, index, random);
    }
    let (_, mutate) = ELEMENT_MUTATIONS
        .iter()
        .find(|(name, _)| *name == mutation)?;
    mutate(element, random)
}

type ElementMutation = fn(Element<'_>, &mut Random) -> Option<String>;
type AttributeMutation = fn(Element<'_>, usize, &mut Random) -> Option<String>;

/// What can be done to an element.
pub(crate) const ELEMENT_MUTATIONS: &[(&str, ElementMutation)] = &[
    ("drop", |e, _| not_root(e).map(|e| replace(e, e.span(), ""))),
    ("duplicate", |e, _| {
        let copy = text_of(e).to_owned();
        not_root(e).map(|e| insert(e, e.span().end, &copy))
    }),
    ("empty", |e, _| inner(e).map(|inner| replace(e, inner, ""))),
    ("swap with next", |e, _| {
        let next = next_sibling(e)?;
        let between = Span::new(e.span().end, next.span().start).of(e.document().text());
        let swapped = format!("{}{between}{}", text_of(next), text_of(e));
        Some(replace(e, e.span().cover(next.span()), &swapped))
    }),
    ("move to start of parent", |e, _| {
        let first = e.parent()?.children().next()?;
        (first != e).then(|| moved(e, first.span().start))
    }),
    ("move to end of parent", |e, _| {
        let last = e.parent()?.children().last()?;
        (last != e).then(|| moved(e, last.span().end))
    }),
    ("move into previous", |e, _| {
        let previous = previous_sibling(e)?;
        inner(previous).map(|inner| moved(e, inner.end))
    }),
    ("move out", |e, _| {
        let parent = not_root(e.parent()?)?;
        Some(moved(e, parent.span().end))
    }),
    ("move anywhere", |e, random| {
        let root = e.document().root()?;
        let targets: Vec<_> = root
            .descendants()
            .filter(|t| e.span().contains(t.span().start).eq(&false))
            .filter_map(inner)
            .collect();
        if targets.is_empty() {
            return None;
        }
        let target = *random.pick(&targets);
        not_root(e).map(|e| moved(e, target.end))
    }),
    ("unwrap", |e, _| {
        let inner = inner(not_root(e)?)?.of(e.document().text()).to_owned();
        Some(replace(e, e.span(), &inner))
    }),
    ("wrap in itself", |e, _| {
        let wrapped = format!("<{0}>{1}</{0}>", e.qualified_name(), text_of(e));
        not_root(e).map(|e| replace(e, e.span(), &wrapped))
    }),
    ("rename to nothing known", |e, _| renamed(e, "Nonsense")),
    ("rename by a letter", |e, _| {
        renamed(e, &format!("{}x", e.name()))
    }),
    ("rename in small letters", |e, _| {
        renamed(e, &e.name().to_lowercase())
    }),
    ("rename to another", |e, random| {
        let names: Vec<_> = e.document().elements().map(Element::name).collect();
        let name = *random.pick(&names);
        (name != e.name()).then(|| renamed(e, name))?
    }),
    ("insert unknown child", |e, _| {
        inside(e, "<Nonsense a='b'><c/></Nonsense>")
    }),
    ("insert known child", |e, random| {
        let all: Vec<_> = e.document().elements().skip(1).collect();
        let child = text_of(*random.pick(&all)).to_owned();
        inside(e, &child)
    }),
    ("insert text", |e, _| inside(e, "stray")),
    ("insert white space", |e, _| inside(e, " \n")),
    ("insert white space reference", |e, _| inside(e, "&#32;")),
    ("insert CDATA", |e, _| inside(e, "<![CDATA[x]]>")),
    ("insert blank CDATA", |e, _| inside(e, "<![CDATA[ ]]>")),
    ("insert empty CDATA", |e, _| inside(e, "<![CDATA[]]>")),
    ("insert comment", |e, _| inside(e, "<!-- x -->")),
    ("insert instruction", |e, _| inside(e, "<?x y?>")),
    ("insert foreign child", |e, _| {
        inside(e, "<x xmlns='urn:x'/>")
    }),
    ("no namespace", |e, _| with_attribute(e, "xmlns=''")),
    ("other namespace", |e, _| {
        with_attribute(
            e,
            "xmlns='http://schemas.microsoft.com/online/cpim/schemas/2014/07'",
        )
    }),
    ("add unknown attribute", |e, _| {
        with_attribute(e, "nonsense='x'")
    }),
    ("add known attribute", |e, random| {
        let all: Vec<_> = e
            .document()
            .elements()
            .flat_map(Element::attributes)
            .collect();
        let attribute = *random.pick(&all);
        if !attribute.namespace().is_empty() || e.attribute(attribute.name()).is_some() {
            return None;
        }
        let value = attribute.value_span().of(e.document().text());
        with_attribute(e, &format!("{}=\"{value}\"", attribute.name()))
    }),
    ("add xml:lang", |e, _| with_attribute(e, "xml:lang='en'")),
    ("add xsi:nil", |e, _| {
        with_attribute(e, &format!("{XSI} x:nil='false'"))
    }),
    ("add xsi:schemaLocation", |e, _| {
        with_attribute(
            e,
            &format!("{XSI} x:noNamespaceSchemaLocation='a' x:schemaLocation='a b'"),
        )
    }),
    ("add xsi:other", |e, _| {
        with_attribute(e, &format!("{XSI} x:other='a'"))
    }),
    ("add xsi:type of its name", |e, _| {
        with_attribute(e, &format!("{XSI} x:type='{}'", e.name()))
    }),
    ("add xsi:type string", |e, _| {
        let xsd = "xmlns:xs='http://www.w3.org/2001/XMLSchema'";
        with_attribute(e, &format!("{XSI} {xsd} x:type='xs:string'"))
    }),
    ("add xsi:type unknown", |e, _| {
        with_attribute(e, &format!("{XSI} x:type='u:x'"))
    }),
    ("change text", |e, random| {
        let inner = inner(e).filter(|_| e.children().next().is_none())?;
        let value = value(e, random);
        Some(replace(e, inner, &value))
    }),
    ("change text again", |e, random| {
        let inner = inner(e).filter(|_| e.children().next().is_none())?;
        let value = value(e, random);
        Some(replace(e, inner, &value))
    }),
    ("text in other case", |e, _| {
        let inner = inner(e).filter(|_| e.children().next().is_none())?;
        Some(replace(
            e,
            inner,
            &other_case(inner.of(e.document().text())),
        ))
    }),
    ("white space around text", |e, _| {
        let inner = inner(e).filter(|_| e.children().next().is_none())?;
        let padded = format!("\n  {}\t", inner.of(e.document().text()));
        Some(replace(e, inner, &padded))
    }),
];

/// What can be done to an attribute.
pub(crate) const ATTRIBUTE_MUTATIONS: &[(&str, AttributeMutation)] = &[
    ("drop", |e, i, _| {
        let attribute = e.attributes().nth(i)?;
        let span = Span::new(attribute.name_span().start, attribute.value_span().end + 1);
        Some(replace(e, span, ""))
    }),
    ("rename to nothing known", |e, i, _| {
        rename_attribute(e, i, "nonsense")
    }),
    ("rename by a letter", |e, i, _| {
        let name = e.attributes().nth(i)?.name();
        rename_attribute(e, i, &format!("{name}x"))
    }),
    ("rename in small letters", |e, i, _| {
        let name = e.attributes().nth(i)?.name();
        rename_attribute(e, i, &name.to_lowercase())
    }),
    ("rename to another", |e, i, random| {
        let all: Vec<_> = e
            .document()
            .elements()
            .flat_map(Element::attributes)
            .collect();
        rename_attribute(e, i, random.pick(&all).name())
    }),
    ("prefix", |e, i, _| {
        let attribute = e.attributes().nth(i)?;
        let name = format!("xmlns:q='{}' q:{}", e.namespace(), attribute.name());
        Some(replace(e, attribute.name_span(), &name))
    }),
    ("empty", |e, i, _| set(e, i, "")),
    ("white space around", |e, i, _| {
        let value = raw(e, i)?;
        set(e, i, &format!(" {value}&#10;"))
    }),
    ("in other case", |e, i, _| {
        set(e, i, &other_case(&raw(e, i)?))
    }),
    ("one letter more", |e, i, _| {
        let value = raw(e, i)?;
        set(e, i, &format!("{value}x"))
    }),
    ("one letter less", |e, i, _| {
        let value = raw(e, i)?;
        let mut shorter = value.chars();
        shorter.next_back().filter(|last| *last != ';')?;
        set(e, i, shorter.as_str())
    }),
    ("change value", |e, i, random| set(e, i, &value(e, random))),
    ("change value again", |e, i, random| {
        set(e, i, &value(e, random))
    }),
    ("change value once more", |e, i, random| {
        set(e, i, &value(e, random))
    }),
    ("value of the one before", |e, i, _| {
        let name = e.attributes().nth(i)?.name();
        set(e, i, &value_before(e, name)?)
    }),
    ("value of the one before, 0 in front", |e, i, _| {
        let name = e.attributes().nth(i)?.name();
        set(e, i, &format!("0{}", value_before(e, name)?))
    }),
    ("value of the one before in other case", |e, i, _| {
        let name = e.attributes().nth(i)?.name();
        set(e, i, &other_case(&value_before(e, name)?))
    }),
];

const XSI: &str = "xmlns:x='http://www.w3.org/2001/XMLSchema-instance'";

/// A value that is written somewhere in the document, or one of the list.
fn value(element: Element<'_>, random: &mut Random) -> String {
    if random.below(4) > 0 {
        return (*random.pick(VALUES)).to_owned();
    }
    let text = element.document().text();
    let all: Vec<_> = element
        .document()
        .elements()
        .flat_map(Element::attributes)
        .collect();
    let value = random.pick(&all).value_span().of(text);
    value
        .replace('<', "&lt;")
        .replace('"', "&quot;")
        .replace('\'', "&apos;")
}

fn other_case(value: &str) -> String {
    let small = value.to_lowercase();
    if small == value {
        // References keep their small letters.
        value
            .split_inclusive(';')
            .map(|part| match part.split_once('&') {
                Some((before, reference)) => format!("{}&{reference}", before.to_uppercase()),
                None => part.to_uppercase(),
            })
            .collect()
    } else {
        small
    }
}

fn not_root(element: Element<'_>) -> Option<Element<'_>> {
    element.parent().map(|_| element)
}

fn text_of(element: Element<'_>) -> &str {
    element.span().of(element.document().text())
}

fn next_sibling(element: Element<'_>) -> Option<Element<'_>> {
    element
        .parent()?
        .children()
        .find(|other| other.id() > element.id())
}

fn previous_sibling(element: Element<'_>) -> Option<Element<'_>> {
    let siblings = element.parent()?.children();
    siblings
        .take_while(|other| other.id() < element.id())
        .last()
}

/// The range between the tags; `None` for an empty-element tag.
fn inner(element: Element<'_>) -> Option<Span> {
    let (tag, whole) = (element.tag_span(), element.span());
    if tag == whole {
        return None;
    }
    let end = whole.start + text_of(element).rfind("</")? as u32;
    Some(Span::new(tag.end, end))
}

fn replace(element: Element<'_>, span: Span, by: &str) -> String {
    let text = element.document().text();
    format!(
        "{}{by}{}",
        &text[..span.start as usize],
        &text[span.end as usize..]
    )
}

fn insert(element: Element<'_>, at: u32, what: &str) -> String {
    replace(element, Span::at(at), what)
}

/// The element cut out and put at another place.
fn moved(element: Element<'_>, to: u32) -> String {
    let (text, span) = (element.document().text(), element.span());
    let (start, end, to) = (span.start as usize, span.end as usize, to as usize);
    if to <= start {
        format!(
            "{}{}{}{}",
            &text[..to],
            &text[start..end],
            &text[to..start],
            &text[end..]
        )
    } else {
        format!(
            "{}{}{}{}",
            &text[..start],
            &text[end..to],
            &text[start..end],
            &text[to..]
        )
    }
}

fn renamed(element: Element<'_>, name: &str) -> Option<String> {
    let qualified = element.qualified_name();
    let own = text_of(element);
    let mut renamed = format!("<{name}{}", &own[1 + qualified.len()..]);
    if let Some(inner) = inner(element) {
        let tail = element.span().end - inner.end;
        renamed.truncate(renamed.len() - tail as usize);
        renamed.push_str(&format!("</{name}>"));
    }
    Some(replace(element, element.span(), &renamed))
}

/// Content put behind what the element holds.
fn inside(element: Element<'_>, what: &str) -> Option<String> {
    match inner(element) {
        Some(inner) => Some(insert(element, inner.end, what)),
        None => {
            let tag = text_of(element).strip_suffix("/>")?;
            let open = format!("{tag}>{what}</{}>", element.qualified_name());
            Some(replace(element, element.span(), &open))
        }
    }
}

fn with_attribute(element: Element<'_>, attribute: &str) -> Option<String> {
    let tag = element.tag_span().of(element.document().text());
    let name = attribute.split(['=', ' ']).next()?;
    if tag.contains(&format!("{name}=")) {
        return None;
    }
    Some(insert(
        element,
        element.name_span().end,
        &format!(" {attribute}"),
    ))
}

fn rename_attribute(element: Element<'_>, index: usize, name: &str) -> Option<String> {
    let attribute = element.attributes().nth(index)?;
    if element.attribute(name).is_some() {
        return None;
    }
    Some(replace(element, attribute.name_span(), name))
}

fn raw(element: Element<'_>, index: usize) -> Option<String> {
    let attribute = element.attributes().nth(index)?;
    Some(
        attribute
            .value_span()
            .of(element.document().text())
            .to_owned(),
    )
}

fn set(element: Element<'_>, index: usize, value: &str) -> Option<String> {
    let attribute = element.attributes().nth(index)?;
    Some(replace(element, attribute.value_span(), value))
}

/// The value of the same attribute on the element of this name that comes before.
fn value_before(element: Element<'_>, name: &str) -> Option<String> {
    let before = element
        .document()
        .elements()
        .take_while(|other| other.id() < element.id())
        .filter(|other| element_kind(*other) == element_kind(element))
        .filter_map(|other| other.attribute(name))
        .last()?;
    Some(before.value_span().of(element.document().text()).to_owned())
}

//! Replacing settings in the text of policies.

mod origins;

use std::collections::BTreeSet;

use iefctl::diagnostics::{Diagnostic, Level, Location, Source, SourceId, SourceMap, Span};
use iefctl::policy::{Elsewhere, Guidance, Resolver, Semantics, Setting, Settings};
use origins::Origins;
use proptest::prelude::*;

/// A configuration source to which the values point, and the settings in it.
struct Fixture {
    sources: SourceMap,
    config: SourceId,
    settings: Settings,
}

impl Fixture {
    fn new(semantics: Semantics, values: &[(&str, &str)]) -> Self {
        let mut sources = SourceMap::new();
        let config = sources.add(Source::new("config", "x".repeat(2 * values.len())));
        let location = |offset: usize| Location {
            source: config,
            span: Span::new(offset as u32, offset as u32 + 1),
        };
        let values = values
            .iter()
            .enumerate()
            .map(|(index, (key, value))| Setting {
                key: (*key).to_owned(),
                value: (*value).to_owned(),
                key_location: location(2 * index),
                value_location: location(2 * index + 1),
                semantics,
            })
            .collect();
        Self {
            sources,
            config,
            settings: Settings {
                values,
                ..Settings::default()
            },
        }
    }

    fn recursive(values: &[(&str, &str)]) -> Self {
        Self::new(Semantics::Recursive, values)
    }

    fn ordered(values: &[(&str, &str)]) -> Self {
        Self::new(Semantics::Ordered, values)
    }

    fn in_environment(mut self, tenant: &str, environment: &str) -> Self {
        self.settings.tenant = Some(tenant.to_owned());
        self.settings.environment = Some(environment.to_owned());
        self
    }

    /// The resolved text and every finding.
    fn resolve_as(&self, name: &str, text: &str) -> (String, Vec<Diagnostic>) {
        let mut sources = self.sources.clone();
        let resolver = Resolver::new(&self.settings);
        let resolution = resolver.resolve(Source::new(name, text), &mut sources);
        let mut diagnostics = resolution.diagnostics;
        diagnostics.extend(resolver.check(&resolution.used));
        (sources.get(resolution.id).text().to_string(), diagnostics)
    }

    fn resolve(&self, text: &str) -> (String, Vec<Diagnostic>) {
        self.resolve_as("policies/a.xml", text)
    }

    /// The resolved text, where nothing is wrong.
    fn text(&self, text: &str) -> String {
        let (resolved, diagnostics) = self.resolve(text);
        let error = diagnostics.iter().find(|found| found.level == Level::Error);
        assert_eq!(error, None);
        resolved
    }

    /// The rules of all findings, and the words of the first.
    fn findings(&self, text: &str) -> (Vec<&'static str>, String) {
        let (_, diagnostics) = self.resolve(text);
        let rules = diagnostics.iter().map(|found| found.rule.id).collect();
        let words = diagnostics.first().map(|found| {
            let help = found.help.as_deref().unwrap_or_default();
            format!("{} / {help}", found.message)
        });
        (rules, words.unwrap_or_default())
    }
}

/// `K0` refers to `K1` and so on, `times` per value.
fn chain(length: usize, times: usize) -> Fixture {
    let value = |n: usize| format!("{{Settings:K{}}}", n + 1).repeat(times);
    let mut values: Vec<(String, String)> =
        (0..length).map(|n| (format!("K{n}"), value(n))).collect();
    values.push((format!("K{length}"), "x".to_owned()));
    let values: Vec<(&str, &str)> = values
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_str()))
        .collect();
    Fixture::recursive(&values)
}

#[test]
fn keys_and_prefix_are_case_insensitive() {
    let fixture = Fixture::recursive(&[("ApiHost", "https://t.example")]);
    assert_eq!(
        fixture.text("<Item>{settings:APIHOST}/v1 {Settings:ApiHost}</Item>"),
        "<Item>https://t.example/v1 https://t.example</Item>"
    );
}

#[test]
fn keys_are_no_patterns_and_values_no_templates() {
    let fixture = Fixture::recursive(&[("Api.Url", "pa$$word$&$1"), ("a(b", "x")]);
    assert_eq!(
        fixture.text("{Settings:Api.Url} {Settings:a(b}"),
        "pa$$word$&amp;$1 x"
    );
    let (rules, _) = fixture.findings("{Settings:ApiXUrl}{Settings:Api.Url}{Settings:a(b}");
    assert_eq!(rules, ["settings-undefined"]);
}

#[test]
fn built_in_settings_come_from_tenant_environment_and_file_name() {
    let fixture = Fixture::recursive(&[]).in_environment("fab.onmicrosoft.com", "Test");
    let all =
        "{Settings:Tenant}|{settings:filename}|{Settings:PolicyFilename}|{Settings:ENVIRONMENT}";
    for (name, file, policy) in [
        ("x/B2C_1A_Base.v2.xml", "B2C_1A_Base.v2", "Base.v2"),
        ("B2C_1A_B2C_1A_x.XML", "B2C_1A_B2C_1A_x", "x"),
        ("b2c_1a_x.xml", "b2c_1a_x", "b2c_1a_x"),
        ("noextension", "noextension", "noextension"),
        ("dot.", "dot.", "dot."),
    ] {
        let (text, diagnostics) = fixture.resolve_as(name, all);
        assert_eq!(text, format!("fab.onmicrosoft.com|{file}|{policy}|Test"));
        assert_eq!(diagnostics, []);
    }
}

#[test]
fn the_sample_tenant_is_replaced_when_a_tenant_is_set() {
    let text = "<a TenantId='YourTenant.onmicrosoft.com'>cljunyourtenantx.onmicrosoft.com</a>";
    assert_eq!(Fixture::recursive(&[]).text(text), text);
    let fixture = Fixture::recursive(&[]).in_environment("contoso.onmicrosoft.com", "dev");
    assert_eq!(
        fixture.text(text),
        "<a TenantId='contoso.onmicrosoft.com'>cljunyourtenantx.onmicrosoft.com</a>"
    );
    let label = Fixture::recursive(&[]).in_environment("contoso", "dev");
    assert_eq!(
        label.text("yourtenant.onmicrosoft.com {Settings:Tenant}"),
        "contoso.onmicrosoft.com contoso"
    );
}

#[test]
fn values_are_escaped_for_where_they_stand() {
    let fixture = Fixture::recursive(&[("V", "a<b>&\"c'\r\n]]>")]);
    assert_eq!(
        fixture.text(
            "<x a=\"{Settings:V}\" b='{Settings:V}'>{Settings:V}<![CDATA[{Settings:V}]]></x>"
        ),
        "<x a=\"a&lt;b>&amp;&quot;c'&#13;&#10;]]>\" b='a&lt;b>&amp;\"c&apos;&#13;&#10;]]>'>\
         a&lt;b>&amp;\"c'&#13;\n]]&gt;<![CDATA[a<b>&\"c']]>&#13;<![CDATA[\n]]]]><![CDATA[>]]></x>"
    );
}

#[test]
fn escaped_values_of_appsettings_stay_escaped() {
    let fixture = Fixture::ordered(&[("Hand", "a=1&amp;b=2&c"), ("Raw", "a=1&b=2")]);
    assert_eq!(
        fixture.text("<x>{Settings:Hand} {Settings:Raw}</x>"),
        "<x>a=1&amp;b=2&amp;c a=1&amp;b=2</x>"
    );
    let literal = Fixture::recursive(&[("Hand", "a=1&amp;b=2")]);
    assert_eq!(
        literal.text("<x>{Settings:Hand}</x>"),
        "<x>a=1&amp;amp;b=2</x>"
    );
}

#[test]
fn comments_stay_as_they_are_and_count_for_nothing() {
    let fixture = Fixture::recursive(&[("K", "--> <v/>")]);
    let text = "<!-- {Settings:K} {Settings:Missing} yourtenant.onmicrosoft.com --><a/>";
    let (resolved, diagnostics) = fixture.resolve(text);
    assert_eq!(resolved, text);
    let rules: Vec<_> = diagnostics.iter().map(|found| found.rule.id).collect();
    assert_eq!(rules, ["settings-unused"]);
}

#[test]
fn a_value_cannot_become_markup() {
    let values = [("Name", "Item"), ("Evil", "x onload='1'"), ("End", "?>")];
    let fixture = Fixture::recursive(&values);
    let resolved = fixture.text("<{Settings:Name} a='1'/>");
    assert_eq!(resolved, "<Item a='1'/>");
    let (rules, _) = fixture.findings("<a {Settings:Evil}/><?p {Settings:End}?>{Settings:Name}");
    assert_eq!(rules, ["settings-malformed-placeholder"; 2]);
}

#[test]
fn an_undefined_setting_is_told_once_per_file_at_its_first_place() {
    let fixture = Fixture::recursive(&[("ApiHost", "h")]);
    let mut sources = fixture.sources.clone();
    let resolver = Resolver::new(&fixture.settings);
    let text = "{Settings:ApiHost}\n  {Settings:ApiHots} {settings:apihots}";
    let resolution = resolver.resolve(Source::new("a.xml", text), &mut sources);
    let resolved = sources.get(resolution.id).text();
    assert_eq!(
        resolved.as_ref(),
        "h\n  {Settings:ApiHots} {settings:apihots}"
    );
    let [found] = &resolution.diagnostics[..] else {
        panic!("{:#?}", resolution.diagnostics);
    };
    assert_eq!(
        (found.rule.id, found.level),
        ("settings-undefined", Level::Error)
    );
    let (start, end) = sources.position(found.primary.location);
    assert_eq!(
        (start.to_string(), end.to_string()),
        ("2:3".to_owned(), "2:21".to_owned())
    );
    assert_eq!(found.related.len(), 1);
    let help = found.help.as_deref().unwrap_or_default();
    assert!(help.contains("did you mean `ApiHost`?"), "{help}");
    let left: Vec<&str> = resolution
        .unresolved
        .iter()
        .map(|span| span.of(resolved))
        .collect();
    assert_eq!(left, ["{Settings:ApiHots}", "{settings:apihots}"]);
}

#[test]
fn the_help_says_where_to_add_a_setting_or_which_environment_to_choose() {
    let mut fixture = Fixture::recursive(&[]);
    fixture.settings.guidance = Guidance {
        place: Some("`[settings]` in iefctl.toml".to_owned()),
        environments: vec!["dev".to_owned(), "prod".to_owned()],
        elsewhere: vec![Elsewhere {
            key: "Known".to_owned(),
            environment: "prod".to_owned(),
        }],
    };
    let words = |fixture: &Fixture, text| fixture.findings(text).1;
    let known = words(&fixture, "{Settings:known}");
    assert!(
        known.contains("`prod` define") && known.contains("--environment prod"),
        "{known}"
    );
    let other = words(&fixture, "{Settings:Unheard}");
    assert!(
        other.contains("iefctl.toml") && other.contains("--environment dev"),
        "{other}"
    );
    assert!(words(&fixture, "{Settings:Tenant}").contains("--environment dev"));
    assert!(words(&fixture, "{Settings:Environment}").contains("--environment dev"));
    fixture.settings.environment = Some("dev".to_owned());
    assert!(words(&fixture, "{Settings:Known}").contains("`dev` does not"));
    assert!(words(&fixture, "{Settings:Tenant}").contains("--tenant"));
    let bare = Fixture::recursive(&[]);
    assert!(words(&bare, "{Settings:Tenant}").contains("--tenant"));
    assert!(words(&bare, "{Settings:K}").contains("iefctl.toml"));
}

#[test]
fn what_only_begins_like_a_placeholder_is_an_error() {
    let fixture = Fixture::recursive(&[("K", "v")]);
    for text in [
        "{Settings:",
        "{Settings:}",
        "{settings: }",
        "{Settings:K",
        "<a b='{Settings:K'/>\n}",
        "{Settings:K<b/>}",
    ] {
        let (rules, _) = fixture.findings(text);
        assert!(
            rules.contains(&"settings-malformed-placeholder"),
            "{text}: {rules:?}"
        );
    }
    let (resolved, _) = fixture.resolve("{Settings:{Settings:K}}");
    assert_eq!(resolved, "{Settings:v}");
}

#[test]
fn unused_settings_are_hints_at_their_key() {
    let fixture = Fixture::recursive(&[("A", "{Settings:B}"), ("B", "b"), ("C", "c")]);
    let (_, diagnostics) = fixture.resolve("{Settings:A}");
    let [found] = &diagnostics[..] else {
        panic!("{diagnostics:#?}");
    };
    assert_eq!(
        (found.rule.id, found.level),
        ("settings-unused", Level::Hint)
    );
    assert_eq!(
        found.primary.location,
        fixture.settings.values[2].key_location
    );
}

#[test]
fn ordered_values_may_refer_only_to_later_keys() {
    let later = Fixture::ordered(&[
        ("Title", "See {settings:apihost}"),
        ("ApiHost", "https://t"),
    ]);
    assert_eq!(later.text("{Settings:Title}"), "See https://t");
    let earlier = Fixture::ordered(&[
        ("ApiHost", "https://t"),
        ("Title", "See {Settings:ApiHost}"),
    ]);
    let (resolved, diagnostics) = earlier.resolve("{Settings:Title}");
    assert_eq!(resolved, "{Settings:Title}");
    let [found] = &diagnostics[..] else {
        panic!("{diagnostics:#?}");
    };
    assert_eq!(found.rule.id, "settings-order");
    assert_eq!(
        found.primary.location,
        earlier.settings.values[1].value_location
    );
    let help = found.help.as_deref().unwrap_or_default();
    assert!(help.contains("move `ApiHost` behind `Title`"), "{help}");
    let built_in = Fixture::ordered(&[("Url", "https://{Settings:Tenant}")])
        .in_environment("t.example", "dev");
    assert_eq!(built_in.findings("{Settings:Url}").0, ["settings-order"]);
    let itself = Fixture::ordered(&[("A", "{Settings:A}")]);
    assert_eq!(itself.findings("{Settings:A}").0, ["settings-cycle"]);
}

#[test]
fn recursive_values_may_refer_to_anything_but_themselves() {
    let values = [
        ("B", "{Settings:A}-{settings:Filename}"),
        ("A", "{Settings:Tenant}"),
    ];
    let fixture = Fixture::recursive(&values).in_environment("t.example", "dev");
    assert_eq!(fixture.text("{Settings:B}"), "t.example-a");
    let cycle = Fixture::recursive(&[
        ("Into", "{Settings:A}"),
        ("A", "{Settings:B}"),
        ("B", "{Settings:C}"),
        ("C", "{Settings:A}"),
    ]);
    let (_, diagnostics) = cycle.resolve("{Settings:Into}");
    let [found] = &diagnostics[..] else {
        panic!("{diagnostics:#?}");
    };
    assert_eq!(found.rule.id, "settings-cycle");
    assert!(found.message.contains("`A`, `B`, `C`"), "{}", found.message);
    assert_eq!(found.related.len(), 2);
    for (value, rule) in [
        ("{Settings:Nope}", "settings-undefined"),
        ("{Settings:Tenant}", "settings-undefined"),
        ("{Settings:", "settings-malformed-placeholder"),
    ] {
        let fixture = Fixture::recursive(&[("A", value)]);
        assert_eq!(fixture.findings("{Settings:A}").0, [rule]);
    }
}

#[test]
fn characters_that_xml_cannot_hold_are_refused_at_the_value() {
    for value in ["a\u{0}", "\u{1b}[0m", "\u{fffe}", "\u{ffff}"] {
        let fixture = Fixture::recursive(&[("K", value)]);
        let (resolved, diagnostics) = fixture.resolve("<a>{Settings:K}</a>");
        assert_eq!(resolved, "<a>{Settings:K}</a>");
        let [found] = &diagnostics[..] else {
            panic!("{diagnostics:#?}");
        };
        assert_eq!(found.rule.id, "settings-illegal-character");
        assert_eq!(found.primary.location.source, fixture.config);
    }
    let (_, diagnostics) = Fixture::recursive(&[]).resolve_as("a\u{1}.xml", "{Settings:Filename}");
    assert_eq!(diagnostics[0].rule.id, "settings-illegal-character");
}

#[test]
fn values_that_double_for_ever_are_stopped() {
    let (rules, _) = chain(64, 2).findings("{Settings:K0}");
    assert_eq!(rules, ["settings-oversized"]);
}

#[test]
fn a_long_chain_of_values_needs_no_stack() {
    assert_eq!(chain(50_000, 1).text("{Settings:K0}"), "x");
}

#[test]
fn a_megabyte_of_placeholders_is_no_trouble() {
    let fixture = Fixture::recursive(&[("K", "value&"), ("N", "a b")]);
    let text = format!("<a>{}</a>", "{Settings:K}".repeat(100_000));
    assert_eq!(fixture.text(&text).len(), 7 + 10 * 100_000);
    let left = format!(
        "<a {}",
        "{Settings:N} {Settings:Missing} {Settings:".repeat(30_000)
    );
    let (resolved, diagnostics) = fixture.resolve(&left);
    assert_eq!(resolved, left);
    assert!(diagnostics.len() > 60_000);
    let comment = format!("<!--{}", "{Settings:K}".repeat(100_000));
    assert_eq!(fixture.text(&comment), comment);
    let huge = "v".repeat(1 << 20);
    let fixture = Fixture::recursive(&[("K", &huge)]);
    let (resolved, diagnostics) = fixture.resolve(&"{Settings:K}".repeat(50_000));
    assert!(resolved.len() <= 70 << 20);
    let rules: BTreeSet<_> = diagnostics.iter().map(|found| found.rule.id).collect();
    assert_eq!(rules, BTreeSet::from(["settings-oversized"]));
    assert_eq!(diagnostics.len(), 1);
}

#[test]
fn untouched_text_is_not_copied() {
    let fixture = Fixture::recursive(&[("K", "v")]);
    let mut sources = fixture.sources.clone();
    let resolver = Resolver::new(&fixture.settings);
    let source = Source::new("a.xml", "<a>{Settings:X}{</a>").with_bom(true);
    let id = resolver.resolve(source, &mut sources).id;
    let source = sources.get(id);
    assert!(std::sync::Arc::ptr_eq(source.text(), source.original()));
    assert!(source.has_bom());
}

/// Text that XML can contain, rich in what must be escaped.
fn value() -> impl Strategy<Value = String> {
    let characters: Vec<char> = "<>&\"'][!?-;#\t\n\r {}a$ä😀\u{85}\u{2028}\u{feff}/"
        .chars()
        .collect();
    prop::collection::vec(prop::sample::select(characters), 0..12)
        .prop_map(|characters| characters.into_iter().collect())
}

/// Character data that is legal around a placeholder.
fn data() -> impl Strategy<Value = String> {
    let pieces = vec!["]", ">", "x", " ", "\n", "é", "}", "{"];
    prop::collection::vec(prop::sample::select(pieces), 0..6)
        .prop_map(|pieces| pieces.concat())
        .prop_filter("legal", |text| !text.contains("]]>"))
}

proptest! {
    #[test]
    fn a_parser_reads_exactly_the_value(
        value in value(),
        second in value(),
        before in data(),
        between in data(),
        after in data(),
    ) {
        let fixture = Fixture::recursive(&[("V", &value), ("W", &second)]);
        let content = format!("{before}{{Settings:V}}{between}{{settings:w}}{after}");
        let text = format!(
            "<r a=\"{{Settings:V}}{{Settings:W}}\" b='{{Settings:V}}'><t>{content}</t>\
             <c><![CDATA[{content}]]></c></r>"
        );
        let resolved = fixture.text(&text);
        let expected = format!("{before}{value}{between}{second}{after}");
        let document = roxmltree::Document::parse(&resolved).expect("is well-formed");
        let root = document.root_element();
        let both = format!("{value}{second}");
        prop_assert_eq!(root.attribute("a"), Some(both.as_str()));
        prop_assert_eq!(root.attribute("b"), Some(value.as_str()));
        for name in ["t", "c"] {
            let element = root.children().find(|child| child.has_tag_name(name));
            let element = element.expect("is there");
            let read: String = element.children().filter_map(|child| child.text()).collect();
            prop_assert_eq!(&read, &expected, "{} in {}", name, resolved);
        }
    }

    #[test]
    fn hand_escaped_values_are_read_as_xml(value in value(), in_attribute in any::<bool>()) {
        let escaped = value.replace('&', "&amp;").replace('<', "&lt;") + "&#x41;";
        let fixture = Fixture::ordered(&[("V", &escaped)]);
        let text = if in_attribute { "<r a='{Settings:V}'/>" } else { "<r>{Settings:V}</r>" };
        let resolved = fixture.text(text);
        let document = roxmltree::Document::parse(&resolved).expect("is well-formed");
        let root = document.root_element();
        let read = if in_attribute { root.attribute("a") } else { root.text() };
        let expected = format!("{value}A");
        prop_assert_eq!(read, Some(expected.as_str()));
    }

    #[test]
    fn every_range_leads_back_to_the_original(
        pieces in prop::collection::vec((data(), 0..5usize), 0..8),
        tail in data(),
        from in any::<prop::sample::Index>(),
        to in any::<prop::sample::Index>(),
    ) {
        let values = [("Long", "a longer value & é than its key"), ("S", "s")];
        let fixture = Fixture::recursive(&values).in_environment("t.example", "dev");
        let placeholders = [
            ("{Settings:Long}", Some("a longer value &amp; é than its key")),
            ("{settings:S}", Some("s")),
            ("yourtenant.onmicrosoft.com", Some("t.example")),
            ("{Settings:No}", None),
            ("<!--{Settings:S}-->", None),
        ];
        let mut origins = Origins::default();
        for (data, kind) in &pieces {
            // A blank keeps data from joining a placeholder or the name of the tenant.
            origins.add(&format!(" {data} "), None);
            let (placeholder, value) = placeholders[*kind];
            origins.add(placeholder, value);
        }
        origins.add(&format!(" {tail}"), None);

        let mut sources = fixture.sources.clone();
        let resolver = Resolver::new(&fixture.settings);
        let source = Source::new("a.xml", origins.text.as_str());
        let id = resolver.resolve(source, &mut sources).id;
        origins.check(sources.get(id), from, to)?;
    }

    #[test]
    fn nothing_panics_and_positions_stay_inside(
        text in "([<>!?'\"=a/ {}é\n-]|\\{Settings:|K\\}|<!\\[CDATA\\[|\\]\\]>|<!--|-->|yourtenant.onmicrosoft.com){0,60}",
        value in ".{0,10}",
    ) {
        let fixture = Fixture::ordered(&[("K", &value)]).in_environment("t.example", "dev");
        let (resolved, diagnostics) = fixture.resolve(&text);
        for found in diagnostics {
            if found.primary.location.source != fixture.config {
                let span = found.primary.location.span;
                let covered = resolved.get(span.start as usize..span.end as usize);
                prop_assert!(covered.is_some());
            }
        }
    }
}

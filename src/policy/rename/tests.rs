use super::*;
use crate::diagnostics::{Piece, Source, TextMap};

fn renamed(prefix: &str, suffix: &str, texts: &[&str]) -> Vec<String> {
    let mut sources = SourceMap::new();
    let own: Vec<SourceId> = texts
        .iter()
        .map(|text| sources.add(Source::new("a.xml", *text)))
        .collect();
    let renaming = Renaming::new(prefix, suffix).expect("a good name");
    renaming.apply(&mut sources, &own).expect("can be renamed");
    let text = |id: &SourceId| sources.get(*id).text().to_string();
    own.iter().map(text).collect()
}

const BASE: &str = r#"<TrustFrameworkPolicy PolicyId="B2C_1A_Base" TenantId="contoso.onmicrosoft.com"
  PublicPolicyUri="http://contoso.onmicrosoft.com/B2C_1A_Base"/>"#;

#[test]
fn every_reference_follows_and_nothing_else() {
    let leaf = r#"<TrustFrameworkPolicy PolicyId="b2c_1a_Leaf" PublicPolicyUri='http://x/B2C_1A_LEAF'>
  <BasePolicy><TenantId>t</TenantId><PolicyId> B2C_1A_Base </PolicyId></BasePolicy>
  <!-- B2C_1A_Leaf, see /B2C_1A_Leaf -->
  <DisplayName>B2C_1A_Leaf</DisplayName>
  <RerouteRule PolicyId="B2C_1A_Base" Weight="1"/>
  <TechnicalProfile Id="B2C_1A_Leaf">
    <Metadata>
      <Item Key="METADATA">https://x/t/B2C_1A_Leaf/v2.0/.well-known</Item>
      <Item Key="url">https://x/authorize?p=b2c_1a_base&amp;a=1</Item>
      <Item Key="tfp">https://x/?r=%2fB2C_1A_Base%3F&amp;x=%3DB2C_1A_Leaf</Item>
      <Item Key="both">B2C_1A_Leaf, B2C_1A_Base.</Item>
      <Item Key="others">B2C_1A_Leaf2 XB2C_1A_Leaf /B2C_1A_Base_more</Item>
      <Item Key="B2C_1A_Leaf"><![CDATA[B2C_1A_Leaf]]></Item>
    </Metadata>
    <CryptographicKeys><Key Id="k" StorageReferenceId="B2C_1A_Base"/></CryptographicKeys>
    <InputClaim ClaimTypeReferenceId="B2C_1A_Leaf" DefaultValue="B2C_1A_Leaf"/>
  </TechnicalProfile>
</TrustFrameworkPolicy>"#;
    let texts = renamed("pr1_", "-v2", &[BASE, leaf]);
    assert_eq!(texts[0], BASE.replace("B2C_1A_Base", "B2C_1A_pr1_Base-v2"));
    let expected = leaf
        .replace(
            r#"PolicyId="b2c_1a_Leaf""#,
            r#"PolicyId="b2c_1a_pr1_Leaf-v2""#,
        )
        .replace("http://x/B2C_1A_LEAF", "http://x/B2C_1A_pr1_LEAF-v2")
        .replace(
            r#"<RerouteRule PolicyId="B2C_1A_Base""#,
            r#"<RerouteRule PolicyId="B2C_1A_pr1_Base-v2""#,
        )
        .replace("> B2C_1A_Base <", "> B2C_1A_pr1_Base-v2 <")
        .replace("t/B2C_1A_Leaf/v2.0", "t/B2C_1A_pr1_Leaf-v2/v2.0")
        .replace("p=b2c_1a_base&", "p=b2c_1a_pr1_base-v2&")
        .replace("%2fB2C_1A_Base%3F", "%2fB2C_1A_pr1_Base-v2%3F")
        .replace("%3DB2C_1A_Leaf", "%3DB2C_1A_pr1_Leaf-v2")
        .replace(
            ">B2C_1A_Leaf, B2C_1A_Base.<",
            ">B2C_1A_pr1_Leaf-v2, B2C_1A_pr1_Base-v2.<",
        )
        .replace("[CDATA[B2C_1A_Leaf]]", "[CDATA[B2C_1A_pr1_Leaf-v2]]")
        .replace(
            r#"DefaultValue="B2C_1A_Leaf""#,
            r#"DefaultValue="B2C_1A_pr1_Leaf-v2""#,
        );
    assert_eq!(texts[1], expected);
}

#[test]
fn a_base_that_only_the_tenant_has_keeps_its_name() {
    let leaf = r#"<TrustFrameworkPolicy PolicyId="B2C_1A_Leaf">
<BasePolicy><PolicyId>B2C_1A_Elsewhere</PolicyId></BasePolicy></TrustFrameworkPolicy>"#;
    let texts = renamed("p_", "", &[leaf]);
    assert_eq!(texts[0], leaf.replace("B2C_1A_Leaf", "B2C_1A_p_Leaf"));
}

#[test]
fn ids_written_with_references_are_written_anew() {
    let policy = r#"<TrustFrameworkPolicy PolicyId="B2C&#95;1A_X"/>"#;
    let texts = renamed("", "_V2", &[policy]);
    assert_eq!(
        texts[0],
        r#"<TrustFrameworkPolicy PolicyId="B2C_1A_X_V2"/>"#
    );
}

#[test]
fn places_lead_back_to_the_file() {
    // PolicyId="{S}" became PolicyId="B2C_1A_X".
    let original = r#"<TrustFrameworkPolicy PolicyId="{S}" A="1"/>"#;
    let resolved = original.replace("{S}", "B2C_1A_X");
    let start = original.find("{S}").expect("is there") as u32;
    let map = TextMap::new(vec![Piece {
        original: Span::new(start, start + 3),
        resolved: Span::new(start, start + 8),
    }]);
    let mut sources = SourceMap::new();
    let id = sources.add(Source::new("a.xml", original).resolved(resolved, map));
    let renaming = Renaming::new("p_", "_s").expect("a good name");
    renaming.apply(&mut sources, &[id]).expect("can be renamed");
    let source = sources.get(id);
    let at = |needle: &str| {
        let start = source.text().find(needle).expect("is there") as u32;
        source
            .to_original(Span::new(start, start + needle.len() as u32))
            .of(original)
    };
    assert_eq!(at("B2C_1A_p_X_s"), "{S}");
    assert_eq!(at("_X_"), "{S}");
    assert_eq!(at("A=\"1\""), "A=\"1\"");
}

#[test]
fn names_that_no_id_can_have_are_refused() {
    use RenamingError as E;
    let refused = |prefix, suffix| Renaming::new(prefix, suffix).expect_err("refused");
    assert!(matches!(refused("", ""), E::Empty));
    assert!(matches!(
        refused("a b_", ""),
        E::Character { found: ' ', .. }
    ));
    let better = |prefix| match refused(prefix, "") {
        E::Open { better, .. } => better,
        other => panic!("{other}"),
    };
    assert_eq!(better("pr1"), "pr1_");
    assert_eq!(better("pr1-"), "pr1_");
    assert_eq!(better("pr1_2_"), "pr1-2_");
    assert!(matches!(refused("b2c_1a_x_", ""), E::Repeated { .. }));
    assert!(matches!(refused("", "x."), E::End { .. }));
    assert!(matches!(refused("\u{e4}_", ""), E::Character { .. }));
}

#[test]
fn a_copy_neither_grows_too_long_nor_becomes_somebody_s_base() {
    let apply = |prefix: &str, text: &str| {
        let mut sources = SourceMap::new();
        let id = sources.add(Source::new("a.xml", text));
        let before = sources.get(id).text().clone();
        let result = Renaming::new(prefix, "")
            .expect("a good name")
            .apply(&mut sources, &[id]);
        assert_eq!(sources.get(id).text(), &before);
        result.expect_err("refused")
    };
    let long = format!("{}_", "x".repeat(250));
    assert!(matches!(apply(&long, BASE), RenamingError::TooLong { .. }));
    let heir = r#"<TrustFrameworkPolicy PolicyId="B2C_1A_X">
<BasePolicy><PolicyId>B2C_1A_p_X</PolicyId></BasePolicy></TrustFrameworkPolicy>"#;
    assert!(matches!(apply("p_", heir), RenamingError::Captures { .. }));
}

#[test]
fn a_prefix_covers_its_copy_only() {
    let renaming = Renaming::new("pr1_", "").expect("a good name");
    for id in ["B2C_1A_pr1_X", "b2c_1a_PR1_x"] {
        assert!(renaming.covers(id), "{id}");
    }
    for id in [
        "B2C_1A_pr12_X",
        "B2C_1A_X",
        "pr1_X",
        "B2C_1A_pr1_",
        "B2C_1A_pr\u{e4}",
    ] {
        assert!(!renaming.covers(id), "{id}");
    }
}

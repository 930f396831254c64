use super::*;

fn node(id: &str, base: Option<&str>) -> PolicyNode {
    PolicyNode {
        id: id.to_owned(),
        base: base.map(str::to_owned),
        ..PolicyNode::default()
    }
}

fn tree() -> PolicyTree {
    let mut nodes = vec![
        node("B2C_1A_Base", None),
        node("B2C_1A_Loc", Some("b2c_1a_base")),
        node("B2C_1A_Ext", Some("B2C_1A_Loc")),
        node("B2C_1A_SignUp", Some("B2C_1A_Ext")),
        node("B2C_1A_Edit", Some("B2C_1A_Ext")),
        node("B2C_1A_Other", Some("B2C_1A_Base")),
        node("B2C_1A_Orphan", Some("B2C_1A_\"Gone\"")),
        node("B2C_1A_A", Some("B2C_1A_B")),
        node("B2C_1A_B", Some("B2C_1A_A")),
        node("B2C_1A_Self", Some("B2C_1A_Self")),
        node("B2C_1A_BelowCycle", Some("B2C_1A_B")),
    ];
    nodes[0].file = Some("policies/Base.xml".to_owned());
    nodes[0].journeys = vec!["SignUpOrSignIn".to_owned()];
    nodes[3].runs = Some("SignUpOrSignIn".to_owned());
    nodes[1].external = true;
    PolicyTree { nodes }
}

fn text_of(tree: &PolicyTree, unicode: bool) -> String {
    let mut out = Vec::new();
    text(tree, unicode, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn the_tree_as_text() {
    insta::assert_snapshot!(text_of(&tree(), true));
}

#[test]
fn ascii_has_the_same_lines() {
    let ascii = text_of(&tree(), false);
    assert!(ascii.is_ascii());
    assert_eq!(
        ascii.lines().count(),
        text_of(&tree(), true).lines().count()
    );
}

#[test]
fn the_tree_as_mermaid_and_dot() {
    insta::assert_snapshot!("mermaid", mermaid(&tree()));
    insta::assert_snapshot!("dot", dot(&tree()));
}

#[test]
fn every_policy_is_drawn_once() {
    let drawn = text_of(&tree(), false);
    let ids = |line: &str| {
        let id = line.trim_start_matches(['|', '`', '-', ' ']);
        id.split(' ').next().unwrap().to_owned()
    };
    let mut drawn: Vec<String> = drawn.lines().map(ids).collect();
    drawn.sort();
    let mut expected: Vec<String> = tree().nodes.into_iter().map(|node| node.id).collect();
    expected.push("B2C_1A_\"Gone\"".to_owned());
    expected.sort();
    assert_eq!(drawn, expected);
}

#[test]
fn a_long_chain_needs_no_stack() {
    let nodes = (0..2_000)
        .map(|number| {
            let base = (number > 0).then(|| format!("P{}", number - 1));
            node(&format!("P{number}"), base.as_deref())
        })
        .collect();
    let drawn = text_of(&PolicyTree { nodes }, true);
    assert_eq!(drawn.lines().count(), 2_000);
}

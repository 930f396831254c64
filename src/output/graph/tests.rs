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

/// Every policy has one box, inside of the picture and apart from all others, and every arrow is
/// there, whatever cycles and strange names there are.
#[test]
fn the_picture_holds_every_policy_once() {
    let mut tree = tree();
    tree.nodes[2].id = "B2C_1A_<Ext & \"'>".to_owned();
    tree.nodes[3].base = Some(tree.nodes[2].id.clone());
    tree.nodes[4].base = Some(tree.nodes[2].id.clone());
    let drawn = svg::document(&tree);
    let document = roxmltree::Document::parse(&drawn).unwrap();
    let root = document.root_element();
    let number = |node: roxmltree::Node<'_, '_>, name: &str| -> usize {
        node.attribute(name).unwrap().parse().unwrap()
    };
    let boxes: Vec<_> = root
        .descendants()
        .filter(|node| node.has_tag_name(("http://www.w3.org/2000/svg", "rect")))
        .map(|node| {
            let (x, y) = (number(node, "x"), number(node, "y"));
            (x, y, x + number(node, "width"), y + number(node, "height"))
        })
        .collect();
    // The base that is not in the set has a box as well.
    assert_eq!(boxes.len(), tree.nodes.len() + 1);
    for (index, a) in boxes.iter().enumerate() {
        assert!(a.2 <= number(root, "width") && a.3 <= number(root, "height"));
        for b in &boxes[index + 1..] {
            let apart = a.2 <= b.0 || b.2 <= a.0 || a.3 <= b.1 || b.3 <= a.1;
            assert!(apart, "{a:?} and {b:?} overlap");
        }
    }
    let ids: Vec<_> = root
        .descendants()
        .filter(|node| node.attribute("class") == Some("id"))
        .filter_map(|node| node.text())
        .collect();
    assert!(ids.contains(&"B2C_1A_<Ext & \"'>"), "{ids:?}");
    let lines = root
        .descendants()
        .filter(|node| node.attribute("class") == Some("line"));
    // All have a base but the root; each of the two cycles is opened in one place.
    assert_eq!(lines.count(), tree.nodes.len() - 1 - 2);
}

#[test]
fn journeys_are_drawn_with_what_skips_a_step() {
    let step = |order, kind: &str, target: &str, skipped: &[&str]| journeys::JourneyStep {
        order,
        kind: kind.to_owned(),
        choices: vec![journeys::Choice {
            exchange: "Exchange".to_owned(),
            target: target.to_owned(),
        }],
        skipped_if: skipped.iter().map(|&text| text.to_owned()).collect(),
        written_by: vec!["B2C_1A_Base".to_owned()],
        ..journeys::JourneyStep::default()
    };
    let chart = journeys::JourneyChart {
        policy: "B2C_1A_<SignIn>".to_owned(),
        journey: "SignIn".to_owned(),
        steps: vec![
            step(1, "ClaimsExchange", "Login", &[]),
            step(
                2,
                "ClaimsExchange",
                "AAD-Read",
                &["objectId does not exist", "a is b"],
            ),
            step(3, "SendClaims", "JwtIssuer", &[]),
        ],
    };
    let charts = [chart];
    let mut text = Vec::new();
    journeys::text(&charts, &mut text).unwrap();
    insta::assert_snapshot!(String::from_utf8(text).unwrap(), @r"

    B2C_1A_<SignIn> runs SignIn
       1 ClaimsExchange
           Exchange: Login
       2 ClaimsExchange, skipped if objectId does not exist or a is b
           Exchange: AAD-Read
       3 SendClaims
           Exchange: JwtIssuer
    ");
    insta::assert_snapshot!(journeys::mermaid(&charts), @r#"
    flowchart TD
      subgraph j0["B2C_1A_#60;SignIn#62; runs SignIn"]
        j0s1["1 ClaimsExchange<br/>Exchange#58; Login"]
        j0s2["2 ClaimsExchange<br/>Exchange#58; AAD-Read"]
        j0s3["3 SendClaims<br/>Exchange#58; JwtIssuer"]
        j0s1 --> j0s2
        j0s2 --> j0s3
        j0s1 -. "objectId does not exist or a is b" .-> j0s3
      end
    "#);
    let page = html::page("a <folder>", &tree(), &charts);
    assert!(!page.contains("<SignIn>") && !page.contains("<folder>"));
    assert!(page.contains("skipped if objectId does not exist or a is b"));
    assert!(!page.contains("http-equiv") && !page.contains(" src=") && !page.contains("href="));
}

use super::analyse_regex;

fn refused(pattern: &str) -> Option<String> {
    analyse_regex(pattern).error
}

#[test]
fn what_dotnet_accepts_is_no_error() {
    for pattern in [
        "",
        "^[a-zA-Z0-9]+[a-zA-Z0-9_-]*$",
        r"^\+?(?:[-()\s]*\d[-()\s]*){4,16}$",
        r#"(^([0-9A-Za-z\d@#$%^&*\-_+=[\]{}|\\:',?/`~"();! ]|(\.(?!@)))+$)|(^$)"#,
        r"^(?=([^,]+)).+(?=(\1))",
        r"[]a]",
        r"[^]a]",
        r"a{,5}{x}",
        r"a{2,}?b{3}",
        r"(?<year>\d{4})-\k<year>",
        r"(?'q'x)\k'q'\1",
        r"(?<n>a)(b)\2",
        r"(?<5>a)\5",
        r"(?i)abc(?-i:d)",
        r"[a-z-[aeiou]]",
        r"\p{L}\p{IsGreek}[\p{Lu}\d]",
        r"\x41é\cA\0\012\-\/\@\é",
        r"(?<=.).(?=.*@)",
        r"(?>a+)(?#note)b",
        r"^*",
        r"(a|)(|b)*",
        r"[a\-z][\w-.]",
        r"[[:alpha:]]",
        r"}]",
        r"😀+",
    ] {
        assert_eq!(refused(pattern), None, "{pattern}");
    }
}

#[test]
fn what_dotnet_refuses_is_an_error() {
    for pattern in [
        "(",
        ")",
        "a)",
        "(a",
        "[",
        "[a",
        "[]",
        "[^]",
        "*a",
        "+",
        "?",
        "a**",
        "a*+",
        "a++",
        "a*??",
        "a{2}{3}",
        "{2}",
        "(*a)",
        "a|*",
        "a{3,1}",
        "\\",
        "[z-a]",
        "[a-\\d]",
        "\\i",
        "\\y",
        "\\_",
        "\\1",
        "(a)\\2",
        "\\k<x>",
        "\\k",
        "(?<x>a)\\k<y>",
        "(?P<n>a)",
        "(?<>a)",
        "(?<0>a)",
        "(?<1a",
        "\\p",
        "\\p{Letter}",
        "\\pL",
        "\\x4",
        "\\u{1F600}",
        "\\u12",
        "\\c",
        "(?y)",
        "(?",
        "(?&a)",
        "[a-[b]c]",
        "a{99999999999}",
        "(?#",
        "\\8",
        "[\\8]",
        "[😀-😎]",
    ] {
        assert!(refused(pattern).is_some(), "{pattern}");
    }
    let error = refused("ab**").expect("refused");
    assert_eq!(error, "a quantifier follows a quantifier (at character 4)");
}

#[test]
fn what_cannot_be_told_is_no_error() {
    for pattern in ["(?x) a # (", "(?(a)b|c", "(?n)(a)\\1"] {
        assert_eq!(refused(pattern), None, "{pattern}");
    }
    assert_eq!(refused(&"[a-".repeat(100_000)), None);
    assert!(refused(&"(".repeat(100_000)).is_some());
}

#[test]
fn constructs_that_a_browser_reads_otherwise_are_named() {
    let foreign = |pattern| analyse_regex(pattern).not_javascript;
    assert_eq!(foreign(r"^\p{L}+\p{L}$"), [r"\p{…}"]);
    assert_eq!(foreign("(?i)a"), ["(?i)"]);
    assert_eq!(foreign(r"\Aa\z"), [r"\A, \Z, \z or \G"]);
    assert_eq!(foreign("[a-z-[q]]"), ["[a-[b]]"]);
    assert_eq!(foreign("(?>a)"), ["(?>…)"]);
    assert!(foreign(r"^(?<n>[\w.-]+)(?=@)(?<!x)\k<n>$").is_empty());
}

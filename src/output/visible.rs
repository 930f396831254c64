use std::borrow::Cow;

/// Text of files and services for one line of a terminal or log: line breaks become spaces,
/// characters that move the cursor or reorder text become visible, and nothing reads as a logging
/// command of a CI system (Azure Pipelines obeys `##vso[…]` anywhere in a line, GitHub `##[…]`).
pub(super) fn one_line(text: &str) -> Cow<'_, str> {
    // Most lines are of this kind, and bytes are faster to look at than characters.
    if text
        .bytes()
        .all(|byte| matches!(byte, b' '..=b'~') && byte != b'#')
    {
        return Cow::Borrowed(text);
    }
    let is_plain = |c: char| !c.is_control() && !reorders(c) && !breaks_line(c) && c != '#';
    if text.chars().all(is_plain) {
        return Cow::Borrowed(text);
    }
    let mut line = String::with_capacity(text.len());
    for (offset, c) in text.char_indices() {
        line.push(visible(c, &text[offset..]));
    }
    Cow::Owned(line)
}

/// Text of files and services for a format that escapes line breaks and commands by itself: only
/// what moves the cursor or reorders text becomes visible.
pub(super) fn lines(text: &str) -> String {
    let shown = |c| match c {
        '\n' | '\r' => c,
        c => visible(c, ""),
    };
    text.chars().map(shown).collect()
}

/// The character to show for `c`, which starts `rest`.
pub(super) fn visible(c: char, rest: &str) -> char {
    match c {
        '\n' | '\r' | '\t' => ' ',
        '#' if starts_command(rest) => '\u{FF03}',
        c if breaks_line(c) => ' ',
        c if c.is_control() || reorders(c) => char::REPLACEMENT_CHARACTER,
        c => c,
    }
}

fn starts_command(rest: &str) -> bool {
    rest.strip_prefix("##").is_some_and(|rest| {
        rest.starts_with('[')
            || rest
                .get(..4)
                .is_some_and(|name| name.eq_ignore_ascii_case("vso["))
    })
}

/// Line and paragraph separator, and next line.
const fn breaks_line(c: char) -> bool {
    matches!(c, '\u{2028}' | '\u{2029}' | '\u{85}')
}

/// Bidirectional controls, which make a line read other than it is.
const fn reorders(c: char) -> bool {
    matches!(c, '\u{61C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_keep_their_breaks() {
        assert_eq!(lines("a\r\nb\u{1b}\t##[x]"), "a\r\nb\u{fffd} ##[x]");
    }

    #[test]
    fn one_line_stays_one_line_and_harmless() {
        assert_eq!(one_line("plain äöü ✓"), "plain äöü ✓");
        assert_eq!(one_line("a\r\nb\tc\u{2028}d"), "a  b c d");
        assert_eq!(one_line("\u{1b}[31m\u{202e}"), "\u{fffd}[31m\u{fffd}");
        assert_eq!(one_line("x ##vso[task.x]y"), "x \u{ff03}#vso[task.x]y");
        assert_eq!(
            one_line("##VSO[a] ##[error]"),
            "\u{ff03}#VSO[a] \u{ff03}#[error]"
        );
        assert_eq!(one_line("## title #1"), "## title #1");
    }
}

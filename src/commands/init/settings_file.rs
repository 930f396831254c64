//! Writing ids into `iefctl.toml` while everything else in it stays as it is.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use toml_edit::{DocumentMut, Item, Table, TableLike, value};

use crate::commands::atomic_file;

/// The table as its header writes it.
pub(super) fn shown(table: &[String]) -> String {
    let keys: Vec<String> = table
        .iter()
        .map(|key| toml_edit::Key::new(key).display_repr().into_owned())
        .collect();
    keys.join(".")
}

/// Sets the values in the table of the file, which is made where it does not exist. Returns the keys
/// that were left alone, because they have no literal value.
///
/// # Errors
/// If the file cannot be read or written, or is no TOML of this form; nothing has changed then.
pub(super) fn write(
    path: &Path,
    table: &[String],
    values: &BTreeMap<String, String>,
) -> Result<Vec<String>> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error.into()),
    };
    let (text, kept) = edited(&text, table, values)?;
    atomic_file::write(path, text.as_bytes())?;
    Ok(kept)
}

fn edited(
    text: &str,
    table: &[String],
    values: &BTreeMap<String, String>,
) -> Result<(String, Vec<String>)> {
    let bom = if text.starts_with('\u{feff}') {
        "\u{feff}"
    } else {
        ""
    };
    let is_crlf = text.contains("\r\n");
    let mut document: DocumentMut = text
        .trim_start_matches('\u{feff}')
        .parse()
        .context("the file is no TOML")?;
    let mut place: &mut dyn TableLike = document.as_table_mut();
    for (depth, key) in table.iter().enumerate() {
        let is_last = depth + 1 == table.len();
        let known = matching(place, key);
        if !place.contains_key(&known) {
            let mut new = Table::new();
            // Only the last one gets a header of its own.
            new.set_implicit(!is_last);
            place.insert(&known, Item::Table(new));
        }
        place = match place.get_mut(&known).and_then(Item::as_table_like_mut) {
            Some(inner) => inner,
            None => bail!("`{key}` is no table"),
        };
    }
    let mut kept = Vec::new();
    for (key, id) in values {
        let known = matching(place, key);
        match place.get_mut(&known) {
            None => {
                place.insert(&known, value(id));
            }
            Some(item) => match item.as_value_mut() {
                Some(old) if old.is_str() => {
                    let decor = old.decor().clone();
                    *old = id.as_str().into();
                    *old.decor_mut() = decor;
                }
                _ => kept.push(key.clone()),
            },
        }
    }
    let mut text = format!("{bom}{document}");
    if is_crlf {
        text = text.replace("\r\n", "\n").replace('\n', "\r\n");
    }
    Ok((text, kept))
}

/// The key as the file spells it; case does not count.
fn matching(table: &dyn TableLike, key: &str) -> String {
    let mut known = table.iter().map(|(known, _)| known);
    let known = known.find(|known| known.eq_ignore_ascii_case(key));
    known.unwrap_or(key).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids() -> BTreeMap<String, String> {
        let pairs = [("AppId", "new"), ("Other", "o")];
        pairs
            .map(|(key, id)| (key.to_owned(), id.to_owned()))
            .into()
    }

    fn edit(text: &str, table: &[&str]) -> (String, Vec<String>) {
        let table: Vec<String> = table.iter().map(|key| (*key).to_owned()).collect();
        edited(text, &table, &ids()).unwrap()
    }

    #[test]
    fn everything_else_stays() {
        let text =
            "# first\n[settings] # s\nappid = \"old\" # why\nA = 1\n\n[rules]\nx = \"off\"\n";
        let (edited, kept) = edit(text, &["settings"]);
        assert_eq!(
            edited,
            "# first\n[settings] # s\nappid = \"new\" # why\nA = 1\nOther = \"o\"\n\n[rules]\nx = \
             \"off\"\n"
        );
        assert!(kept.is_empty());
        // A second time changes nothing.
        assert_eq!(edit(&edited, &["settings"]).0, edited);
    }

    #[test]
    fn line_ends_and_byte_order_marks_stay() {
        let text = "\u{feff}# a\r\n[settings]\r\nB = \"x\" # b\r\n";
        let (edited, _) = edit(text, &["settings"]);
        assert_eq!(
            edited,
            "\u{feff}# a\r\n[settings]\r\nB = \"x\" # b\r\nAppId = \"new\"\r\nOther = \"o\"\r\n"
        );
    }

    #[test]
    fn tables_are_made_where_they_are_missing() {
        let (edited, _) = edit("", &["environments", "my dev", "settings"]);
        assert_eq!(
            edited,
            "[environments.\"my dev\".settings]\nAppId = \"new\"\nOther = \"o\"\n"
        );
        let inline = "environments.dev = { tenant = \"contoso.com\" }\n";
        let (edited, _) = edit(inline, &["environments", "dev", "settings"]);
        let parsed: toml::Table = edited.parse().unwrap();
        assert_eq!(
            parsed["environments"]["dev"]["settings"]["AppId"].as_str(),
            Some("new"),
            "{edited}"
        );
        assert_eq!(
            shown(&["a".to_owned(), "my dev".to_owned()]),
            "a.\"my dev\""
        );
    }

    #[test]
    fn values_that_come_from_elsewhere_stay() {
        let text = "[settings]\nAppId = { env = \"APP\" }\n";
        let (edited, kept) = edit(text, &["settings"]);
        assert_eq!(kept, ["AppId"]);
        assert!(edited.contains("AppId = { env = \"APP\" }"), "{edited}");
        assert!(super::edited("a = [", &["settings".to_owned()], &ids()).is_err());
        assert!(super::edited("settings = 1", &["settings".to_owned()], &ids()).is_err());
    }
}

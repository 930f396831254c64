//! What the service makes of an uploaded policy when it stores it.

use quick_xml::events::Event;
use quick_xml::{Reader, Writer};

use super::StoredForm;
use super::upload::Facts;

/// The stored form of `text`, which `facts` were read from. `policy_id` is the id with prefix.
pub(super) fn of(
    text: &str,
    facts: &Facts,
    policy_id: &str,
    tenant_id: &str,
    form: StoredForm,
) -> String {
    if form == StoredForm::Verbatim {
        return text.to_owned();
    }
    let body = &text[facts.declaration_end..];
    let skipped = text.len() - body.trim_start().len();
    let mut out = text.to_owned();
    // From back to front, so that the positions stay right.
    if facts.tenant_object_id.is_none() {
        out.insert_str(
            facts.root_tag_end,
            &format!(" TenantObjectId=\"{tenant_id}\""),
        );
    }
    if let Some((start, end)) = facts.policy_id_span
        && facts.policy_id.as_deref() != Some(policy_id)
    {
        out.replace_range(start..end, &quick_xml::escape::escape(policy_id));
    }
    out.replace_range(..skipped, "");
    if form == StoredForm::Reformatted {
        // The text has been parsed before: a failure here cannot come from it.
        return reformatted(&out).unwrap_or(out);
    }
    out
}

fn reformatted(text: &str) -> Option<String> {
    let mut reader = Reader::from_str(text);
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    loop {
        match reader.read_event().ok()? {
            Event::Eof => break,
            Event::Comment(_) => {}
            Event::Text(text) if text.trim().is_empty() => {}
            event => writer.write_event(event).ok()?,
        }
    }
    String::from_utf8(writer.into_inner()).ok()
}

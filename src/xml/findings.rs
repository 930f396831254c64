use crate::diagnostics::{Diagnostic, Label, Location};

/// A finding under construction inside the builder's list.
pub(super) struct Finding<'f>(pub(super) Option<&'f mut Diagnostic>);

impl Finding<'_> {
    pub(super) fn help(self, help: impl Into<String>) -> Self {
        if let Some(finding) = self.0 {
            finding.help = Some(help.into());
            return Self(Some(finding));
        }
        self
    }

    pub(super) fn related(self, location: Location, message: impl Into<String>) -> Self {
        if let Some(finding) = self.0 {
            finding.related.push(Label {
                location,
                message: Some(message.into()),
            });
            return Self(Some(finding));
        }
        self
    }
}

/// What quick-xml stumbled over, in words for the author of the file.
pub(super) fn syntax_error(error: &quick_xml::Error) -> String {
    use quick_xml::errors::SyntaxError;
    match error {
        quick_xml::Error::Syntax(error) => match error {
            SyntaxError::UnclosedPI | SyntaxError::UnclosedXmlDecl => {
                "a processing instruction is never closed with `?>`".into()
            }
            SyntaxError::UnclosedComment => "a comment is never closed with `-->`".into(),
            SyntaxError::UnclosedDoctype => {
                "document type declarations are not allowed in a policy".into()
            }
            SyntaxError::UnclosedCData => "a CDATA section is never closed with `]]>`".into(),
            SyntaxError::UnclosedTag => "a tag is never closed with `>`".into(),
            SyntaxError::UnclosedSingleQuotedAttributeValue
            | SyntaxError::UnclosedDoubleQuotedAttributeValue => {
                "the quote of an attribute value is never closed".into()
            }
            SyntaxError::InvalidBangMarkup => {
                "`<!` begins neither a comment nor a CDATA section".into()
            }
        },
        other => format!("the text is not XML: {other}"),
    }
}

//! Reads JSON of other tools with positions; comments and trailing commas are accepted.

use jsonc_parser::ast::{Object, ObjectProp, Value};
use jsonc_parser::common::{Range, Ranged};
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};

use super::configuration::Place;
use super::error::ConfigError;
use crate::diagnostics::{SourceId, SourceMap, Span};

/// Larger integers lose digits in JavaScript.
pub(super) const MAX_SAFE_INTEGER: f64 = 9_007_199_254_740_991.0;

pub(super) fn place(source: SourceId, range: Range) -> Place {
    Place {
        source,
        span: Span::new(range.start as u32, range.end as u32),
    }
}

/// The value that a text holds; nothing for an empty one.
pub(super) fn value(text: &str) -> Result<Option<Value<'_>>, (Range, String)> {
    let options = ParseOptions {
        allow_comments: true,
        allow_trailing_commas: true,
        allow_loose_object_property_names: false,
        allow_missing_commas: false,
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_non_finite_numbers: false,
        allow_extended_string_escapes: false,
    };
    parse_to_ast(text, &CollectOptions::default(), &options)
        .map(|parsed| parsed.value)
        .map_err(|error| (error.range(), error.kind().to_string()))
}

/// The object that a file holds. `text` is that of the source.
pub(super) fn object<'t>(
    sources: &SourceMap,
    source: SourceId,
    text: &'t str,
) -> Result<Object<'t>, ConfigError> {
    let invalid =
        |range, message: String| ConfigError::invalid(sources, place(source, range), message, None);
    match value(text) {
        Ok(Some(Value::Object(root))) => Ok(root),
        Ok(Some(other)) => {
            let message = "the file must hold one JSON object";
            Err(invalid(other.range(), message.to_owned()))
        }
        Ok(None) => {
            let message = "the file holds no JSON object";
            Err(invalid(Range::new(0, 0), message.to_owned()))
        }
        Err((range, message)) => Err(invalid(range, message)),
    }
}

/// Of equal names `JSON.parse` takes the last.
pub(super) fn last<'o, 't>(object: &'o Object<'t>, name: &str) -> Option<&'o ObjectProp<'t>> {
    object
        .properties
        .iter()
        .rfind(|property| property.name.as_str() == name)
}

/// What kind of value this is, in words.
pub(super) fn kind(value: &Value<'_>) -> &'static str {
    match value {
        Value::StringLit(_) => "a string",
        Value::NumberLit(_) => "a number",
        Value::BooleanLit(_) => "true or false",
        Value::Object(_) => "an object",
        Value::Array(_) => "an array",
        Value::NullKeyword(_) => "null",
    }
}

/// A number as `String(number)` writes it in JavaScript.
pub(super) fn javascript_number(number: f64) -> String {
    let magnitude = number.abs();
    if number == 0.0 {
        return "0".to_owned();
    }
    if (1e-6..1e21).contains(&magnitude) {
        return format!("{number}");
    }
    let scientific = format!("{number:e}");
    match scientific.split_once('e') {
        Some((digits, exponent)) if !exponent.starts_with('-') => format!("{digits}e+{exponent}"),
        _ => scientific,
    }
}

#[cfg(test)]
mod tests {
    use super::javascript_number;

    #[test]
    fn numbers_are_written_as_javascript_does() {
        for (number, text) in [
            (8080.0, "8080"),
            (1.0, "1"),
            (-0.0, "0"),
            (0.1, "0.1"),
            (1e3, "1000"),
            (1e21, "1e+21"),
            (1.5e300, "1.5e+300"),
            (1e-6, "0.000001"),
            (1.5e-7, "1.5e-7"),
            (12_345_678_901_234_567_890.0, "12345678901234567000"),
            (-2.5, "-2.5"),
        ] {
            assert_eq!(javascript_number(number), text);
        }
    }
}

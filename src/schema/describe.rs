//! Looking things up in the grammar: what an element is for, and where a name is at home.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::grammar::POLICY;
use super::notation::{Declaration, Type};

/// An element of the grammar at one of its places.
pub(super) struct Place {
    pub(super) path: String,
    pub(super) declaration: &'static Declaration,
    /// Name and type of the parent; `None` for the document element.
    pub(super) parent: Option<&'static Declaration>,
}

/// All places, parents before their children, shallow before deep.
static PLACES: LazyLock<Vec<Place>> = LazyLock::new(|| {
    let mut places = vec![Place {
        path: POLICY.name.into(),
        declaration: &POLICY,
        parent: None,
    }];
    let mut next = 0;
    while next < places.len() {
        let parent = places[next].declaration;
        let path = places[next].path.clone();
        places.extend(parent.of.children().iter().map(|declaration| Place {
            path: format!("{path}/{}", declaration.name),
            declaration,
            parent: Some(parent),
        }));
        next += 1;
    }
    places
});

/// The places of each name, by index.
static BY_NAME: LazyLock<HashMap<&'static str, Vec<usize>>> = LazyLock::new(|| {
    let mut names: HashMap<&str, Vec<usize>> = HashMap::new();
    for (index, place) in PLACES.iter().enumerate() {
        names.entry(place.declaration.name).or_default().push(index);
    }
    names
});

/// One sentence on what an element is for.
///
/// `path` is a name, or names divided by `/` that lead to the element from any of its ancestors:
/// `ClaimType/DisplayName`. Where elements of one name have different parts, the one nearest to the
/// document element is described.
pub fn element_description(path: &str) -> Option<&'static str> {
    let path = path.trim_matches('/');
    let name = path.rsplit('/').next()?;
    let place = places(name).find(|place| {
        let before = place.path.strip_suffix(path);
        before.is_some_and(|before| before.is_empty() || before.ends_with('/'))
    })?;
    Some(place.declaration.description)
}

/// Every element of the grammar: its path from the document element and what it is for.
pub fn declared_elements() -> impl Iterator<Item = (&'static str, &'static str)> {
    PLACES
        .iter()
        .map(|place| (place.path.as_str(), place.declaration.description))
}

/// The places where an element of this name may stand.
pub(super) fn places(name: &str) -> impl Iterator<Item = &'static Place> {
    let indices = BY_NAME.get(name).map(Vec::as_slice).unwrap_or_default();
    indices.iter().map(|index| &PLACES[*index])
}

/// The type of that name in the service's schema.
pub(super) fn named_type(name: &str) -> Option<&'static Type> {
    let mut types = PLACES.iter().map(|place| place.declaration.of);
    types.find(|of| !of.name.is_empty() && of.name == name)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::schema::notation::Content;
    use crate::schema::values::Form;

    #[test]
    fn descriptions_by_name_and_by_path() {
        let by_name = element_description("OrchestrationStep");
        assert!(by_name.is_some_and(|text| text.starts_with("One step")));
        assert_eq!(
            by_name,
            element_description("UserJourney/OrchestrationSteps/OrchestrationStep")
        );
        assert_ne!(
            element_description("ClaimType/DisplayName"),
            element_description("ClaimsProvider/DisplayName")
        );
        assert_eq!(element_description("Step"), None);
        assert_eq!(element_description("pe/DisplayName"), None);
        assert_eq!(element_description(""), None);
    }

    #[test]
    fn every_element_has_one_sentence() {
        for (path, description) in declared_elements() {
            assert!(description.ends_with('.'), "{path}");
            assert!(
                description.starts_with(|c: char| c.is_uppercase()),
                "{path}"
            );
            assert!(!description.contains(". "), "{path}: {description}");
        }
    }

    #[test]
    fn the_grammar_is_sound() {
        for place in PLACES.iter() {
            let of = place.declaration.of;
            let mut names = HashSet::new();
            for child in of.children() {
                assert!(
                    names.insert(child.name),
                    "{}: two {}",
                    place.path,
                    child.name
                );
            }
            assert!(of.attributes.len() <= 32, "{}", place.path);
            let mut names = HashSet::new();
            for attribute in of.attributes {
                assert!(names.insert(attribute.name), "{}", place.path);
            }
            if let Content::Choice(children) = of.content {
                assert!(
                    children.iter().all(|child| !child.required),
                    "{}",
                    place.path
                );
            }
            let required = of.children().iter().rposition(|child| child.required);
            assert_eq!(
                of.requires,
                required.map_or(0, |last| last + 1),
                "{}",
                place.path
            );
            for (index, attribute) in of.attributes.iter().enumerate() {
                let is_required = of.required_attributes & (1 << index) != 0;
                assert_eq!(is_required, attribute.required, "{}", place.path);
                let any_text = matches!(attribute.of.form, Form::String);
                assert_eq!(
                    attribute.unjudged,
                    any_text && !attribute.newer,
                    "{}",
                    place.path
                );
            }
            for key in of.keys {
                let mut at = of;
                for step in key.path {
                    at = at.child(step.text).expect(key.name).of;
                }
                assert!(
                    at.attributes
                        .iter()
                        .any(|a| a.name == key.attribute.text && a.required),
                    "{}",
                    key.name
                );
            }
        }
    }
}

//! The pages that the service can draw and the versions in which it offers them, as `DataUri` of a
//! content definition names them.
//!
//! Two forms exist. The old one, `urn:com:microsoft:aad:b2c:elements:{page}:{version}`, knows a
//! handful of fixed pages. A page contract, `…:elements:contract:{page}:{version}`, pins HTML, CSS
//! and scripts to a version. Facts: Microsoft's "Page layout versions" and "ContentDefinitions"
//! articles of Azure AD B2C, with what the service itself has answered (azure-docs#47345, #79214)
//! where the articles disagree with it.

use std::fmt;

/// What stands before the page in every `DataUri`.
pub const PREFIX: &str = "urn:com:microsoft:aad:b2c:elements:";

/// A page layout version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u16, pub u16, pub u16);

impl Version {
    /// Reads `major.minor.patch`.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.').map(|part| {
            let digits = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
            digits.then(|| part.parse().ok()).flatten()
        });
        let version = Self(parts.next()??, parts.next()??, parts.next()??);
        parts.next().is_none().then_some(version)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

/// A page of the service.
#[derive(Debug, PartialEq, Eq)]
pub struct Page {
    /// The name in a page contract.
    pub name: &'static str,
    /// The name in the old form; `None` if the page has none.
    pub legacy_name: Option<&'static str>,
    /// Versions of the old form.
    pub legacy: &'static [Version],
    /// Versions of the page contract: first and last of each unbroken row of patch numbers.
    pub contract: &'static [(Version, Version)],
    /// Versions of which it is not known whether they exist: numbers that the change log skips.
    pub doubtful: &'static [(Version, Version)],
    /// Versions that the service has refused by name.
    pub refused: &'static [Version],
    /// The first version without known security or accessibility defects of its libraries.
    pub sound: Version,
}

const fn v(major: u16, minor: u16, patch: u16) -> Version {
    Version(major, minor, patch)
}

const fn one(major: u16, minor: u16, patch: u16) -> (Version, Version) {
    (v(major, minor, patch), v(major, minor, patch))
}

const fn patches(major: u16, minor: u16, last: u16) -> (Version, Version) {
    (v(major, minor, 0), v(major, minor, last))
}

/// The pages.
pub static PAGES: &[Page] = &[
    Page {
        name: "selfasserted",
        legacy_name: Some("selfasserted"),
        legacy: &[v(1, 0, 0), v(1, 1, 0)],
        contract: &[
            one(1, 0, 0),
            one(1, 1, 0),
            one(1, 2, 0),
            one(2, 0, 0),
            patches(2, 1, 10),
            (v(2, 1, 14), v(2, 1, 26)),
            one(2, 1, 30),
        ],
        doubtful: &[(v(2, 1, 11), v(2, 1, 13)), (v(2, 1, 27), v(2, 1, 29))],
        refused: &[],
        sound: v(2, 1, 4),
    },
    Page {
        name: "unifiedssp",
        legacy_name: Some("unifiedssp"),
        legacy: &[v(1, 0, 0), v(1, 1, 0)],
        contract: &[
            one(1, 0, 0),
            one(1, 1, 0),
            one(1, 2, 0),
            one(2, 0, 0),
            patches(2, 1, 14),
        ],
        doubtful: &[],
        refused: &[],
        sound: v(2, 1, 4),
    },
    Page {
        name: "multifactor",
        legacy_name: Some("multifactor"),
        legacy: &[v(1, 0, 0), v(1, 1, 0)],
        contract: &[one(1, 0, 0), one(1, 1, 0), patches(1, 2, 12)],
        doubtful: &[],
        refused: &[],
        sound: v(1, 2, 4),
    },
    Page {
        name: "globalexception",
        legacy_name: Some("globalexception"),
        legacy: &[v(1, 0, 0), v(1, 1, 0)],
        contract: &[one(1, 0, 0), one(1, 1, 0), patches(1, 2, 5)],
        doubtful: &[],
        refused: &[],
        sound: v(1, 2, 1),
    },
    Page {
        name: "providerselection",
        legacy_name: Some("idpselection"),
        legacy: &[v(1, 0, 0)],
        contract: &[one(1, 0, 0), patches(1, 2, 5)],
        doubtful: &[],
        refused: &[],
        sound: v(1, 2, 1),
    },
    Page {
        name: "unifiedssd",
        legacy_name: Some("unifiedssd"),
        legacy: &[v(1, 0, 0)],
        contract: &[one(1, 0, 0), patches(1, 2, 4)],
        doubtful: &[],
        refused: &[v(2, 1, 4)],
        sound: v(1, 2, 1),
    },
    Page {
        name: "claimsconsent",
        legacy_name: None,
        legacy: &[],
        contract: &[one(1, 0, 0), patches(1, 2, 4)],
        doubtful: &[],
        refused: &[],
        sound: v(1, 2, 1),
    },
];

/// What is known of a version of a page contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Availability {
    /// The service offers it.
    Available,
    /// It does not exist.
    Unavailable,
    /// The change log neither has nor excludes it.
    Doubtful,
    /// It is higher than every version known here; new ones appear.
    Newer,
}

impl Page {
    /// The page of this contract name, without regard to case.
    pub fn find(name: &str) -> Option<&'static Self> {
        PAGES
            .iter()
            .find(|page| page.name.eq_ignore_ascii_case(name))
    }

    /// The page of this name in the old form, without regard to case.
    pub fn find_legacy(name: &str) -> Option<&'static Self> {
        PAGES.iter().find(|page| {
            page.legacy_name
                .is_some_and(|known| known.eq_ignore_ascii_case(name))
        })
    }

    /// Whether the service offers a version of the page contract.
    pub fn availability(&self, version: Version) -> Availability {
        let within = |rows: &[(Version, Version)]| {
            rows.iter()
                .any(|&(first, last)| (first..=last).contains(&version))
        };
        if self.refused.contains(&version) {
            Availability::Unavailable
        } else if within(self.contract) {
            Availability::Available
        } else if within(self.doubtful) {
            Availability::Doubtful
        } else if version > self.newest() {
            Availability::Newer
        } else {
            Availability::Unavailable
        }
    }

    /// The newest version of the page contract that is known here.
    pub fn newest(&self) -> Version {
        self.contract
            .iter()
            .map(|&(_, last)| last)
            .max()
            .unwrap_or(v(0, 0, 0))
    }

    /// All versions of the page contract, ascending.
    pub fn versions(&self) -> impl Iterator<Item = Version> {
        self.contract.iter().flat_map(|&(first, last)| {
            (first.2..=last.2).map(move |patch| v(first.0, first.1, patch))
        })
    }
}

/// A `DataUri`, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataUri<'t> {
    /// `…:elements:{page}:{version}`.
    Legacy {
        /// The page as written.
        page: &'t str,
        /// The version as written.
        version: &'t str,
    },
    /// `…:elements:contract:{page}:{version}`.
    Contract {
        /// The page as written.
        page: &'t str,
        /// The version as written.
        version: &'t str,
    },
    /// Anything else.
    Other,
}

impl<'t> DataUri<'t> {
    /// Takes the text of a `DataUri` element apart. Letter case of the fixed parts does not count.
    pub fn parse(text: &'t str) -> Self {
        let text = text.trim();
        let Some((prefix, rest)) = text.split_at_checked(PREFIX.len()) else {
            return Self::Other;
        };
        if !prefix.eq_ignore_ascii_case(PREFIX) {
            return Self::Other;
        }
        let parts: Vec<_> = rest.split(':').collect();
        match parts[..] {
            [word, page, version] if word.eq_ignore_ascii_case("contract") => {
                Self::Contract { page, version }
            }
            [page, version] => Self::Legacy { page, version },
            _ => Self::Other,
        }
    }

    /// The page, if it is a known one in either form.
    pub fn page(&self) -> Option<&'static Page> {
        match self {
            Self::Contract { page, .. } => Page::find(page),
            Self::Legacy { page, .. } => Page::find_legacy(page).or_else(|| Page::find(page)),
            Self::Other => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Availability, DataUri, PAGES, Page, Version};

    #[test]
    fn versions_are_three_numbers() {
        assert_eq!(Version::parse("2.1.26"), Some(Version(2, 1, 26)));
        for bad in [
            "",
            "1",
            "1.2",
            "1.2.3.4",
            "1.2.x",
            "1..3",
            "+1.2.3",
            "1.2.99999",
            " 1.2.3",
        ] {
            assert_eq!(Version::parse(bad), None, "{bad}");
        }
        assert!(Version(1, 2, 10) > Version(1, 2, 9));
    }

    #[test]
    fn data_uris_are_taken_apart() {
        let contract =
            DataUri::parse(" urn:com:microsoft:aad:b2c:elements:contract:unifiedssp:2.1.7\n");
        assert_eq!(
            contract,
            DataUri::Contract {
                page: "unifiedssp",
                version: "2.1.7"
            }
        );
        assert_eq!(contract.page().map(|page| page.name), Some("unifiedssp"));
        let legacy = DataUri::parse("URN:com:microsoft:aad:b2c:elements:IdpSelection:1.0.0");
        assert_eq!(
            legacy.page().map(|page| page.name),
            Some("providerselection")
        );
        for other in [
            "",
            "urn:com:microsoft:aad:b2c:elements",
            "urn:com:microsoft:aad:b2c:elements:selfasserted",
            "urn:com:microsoft:aad:b2c:elements:a:b:c:d",
            "urn:com:microsoft:aad:b2c:elements:a:selfasserted:1.0.0",
            "https://contoso.example/page.html",
            "ürn:com:microsoft:aad:b2c:elementö:selfasserted:1.0.0",
        ] {
            assert_eq!(DataUri::parse(other), DataUri::Other, "{other}");
        }
    }

    #[test]
    fn availability_of_versions() {
        let of = |name, version| Page::find(name).map(|page| page.availability(version));
        assert_eq!(
            of("SelfAsserted", Version(2, 1, 7)),
            Some(Availability::Available)
        );
        assert_eq!(
            of("selfasserted", Version(2, 1, 12)),
            Some(Availability::Doubtful)
        );
        assert_eq!(
            of("selfasserted", Version(1, 3, 0)),
            Some(Availability::Unavailable)
        );
        assert_eq!(
            of("selfasserted", Version(2, 1, 31)),
            Some(Availability::Newer)
        );
        assert_eq!(
            of("unifiedssd", Version(2, 1, 4)),
            Some(Availability::Unavailable)
        );
        assert_eq!(
            of("unifiedssd", Version(1, 1, 0)),
            Some(Availability::Unavailable)
        );
    }

    #[test]
    fn the_table_is_in_order() {
        for page in PAGES {
            let versions: Vec<_> = page.versions().collect();
            assert!(versions.is_sorted(), "{}", page.name);
            assert_eq!(versions.last(), Some(&page.newest()), "{}", page.name);
            assert!(versions.contains(&page.sound), "{}", page.name);
            for version in versions {
                assert_eq!(page.availability(version), Availability::Available);
            }
        }
    }
}

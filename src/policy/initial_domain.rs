//! The domain that a tenant gets when it is made, which says its name and its cloud.

/// What follows the name of the tenant, with the domain of its sign-in pages, for each cloud.
const CLOUDS: [(&str, &str); 4] = [
    ("onmicrosoft.com", "b2clogin.com"),
    ("onmicrosoft.us", "b2clogin.us"),
    ("partner.onmschina.cn", "b2clogin.cn"),
    ("onmicrosoft.de", "b2clogin.com"),
];

/// An initial domain, such as contoso.onmicrosoft.com.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InitialDomain<'d> {
    /// The name of the tenant: `contoso`.
    pub name: &'d str,
    /// Where its sign-in pages are: `b2clogin.com`, behind the name.
    pub sign_in: &'static str,
}

impl<'d> InitialDomain<'d> {
    /// Reads a domain; none if it is another kind of domain, or none at all.
    pub fn of(domain: &'d str) -> Option<Self> {
        let (name, rest) = domain.split_once('.')?;
        let mut clouds = CLOUDS.into_iter();
        let (_, sign_in) = clouds.find(|(suffix, _)| rest.eq_ignore_ascii_case(suffix))?;
        (!name.is_empty()).then_some(Self { name, sign_in })
    }
}

#[cfg(test)]
mod tests {
    use super::InitialDomain;

    #[test]
    fn every_cloud_has_its_domains() {
        for (domain, name, sign_in) in [
            ("contoso.onmicrosoft.com", "contoso", "b2clogin.com"),
            ("Contoso.OnMicrosoft.US", "Contoso", "b2clogin.us"),
            ("contoso.partner.onmschina.cn", "contoso", "b2clogin.cn"),
        ] {
            assert_eq!(
                InitialDomain::of(domain),
                Some(InitialDomain { name, sign_in })
            );
        }
        for domain in [
            "contoso.com",
            "contoso",
            "login.contoso.onmicrosoft.com",
            "contoso.onmschina.cn",
            ".onmicrosoft.com",
            "contoso.onmicrosoft.com.example",
        ] {
            assert_eq!(InitialDomain::of(domain), None, "{domain}");
        }
    }
}

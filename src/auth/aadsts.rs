//! What to do about the error numbers of Entra's token endpoint (Microsoft's page "Microsoft Entra
//! authentication and authorization error codes").

/// What to do about error `AADSTS{code}`, where it is known.
pub(super) const fn advice(code: u32) -> Option<&'static str> {
    Some(match code {
        700_016 => {
            "Check AZURE_CLIENT_ID and AZURE_TENANT_ID: the application must be registered in the \
             B2C tenant itself, not in the workforce tenant that pays for it."
        }
        90_002 | 900_023 | 900_021 | 50_059 => {
            "Check the tenant (AZURE_TENANT_ID): its id or a verified domain such as \
             contoso.onmicrosoft.com, and that the login endpoint is the one of the tenant's cloud."
        }
        7_000_215 => {
            "Check AZURE_CLIENT_SECRET: it must be the secret's value, which the portal shows only \
             once, not the secret's id."
        }
        7_000_222 => {
            "Create a new client secret under App registrations > Certificates & secrets, and \
             store it where AZURE_CLIENT_SECRET comes from."
        }
        7_000_218 => {
            "The application is confidential: prove it by a secret, a certificate or a federated \
             token; for a person's sign-in, \"Allow public client flows\" in its Authentication page."
        }
        7_000_112 => "Enable the application's service principal under Enterprise applications.",
        7_000_229 => {
            "Create the service principal of the application in this tenant, for example by \
             granting admin consent."
        }
        70_021 | 700_211 | 700_212 | 700_213 => {
            "Compare issuer, subject and audience of the external token with the application's \
             federated credentials: they are compared exactly, case included, and a new credential \
             needs some minutes before it works."
        }
        700_024 => {
            "The assertion or external token is not valid at this time: it expired before it was \
             used, or a clock is wrong."
        }
        700_027 | 7_000_214 => {
            "Upload the certificate that signs the assertion to the application, under App \
             registrations > Certificates & secrets, or use the one that is there; an expired one \
             has to be replaced."
        }
        700_021 => "The assertion was made for another application than AZURE_CLIENT_ID names.",
        700_023 => {
            "The assertion was made for another tenant or cloud: check tenant, login endpoint and \
             cloud."
        }
        50_013 | 50_027 | 5_002_723 => {
            "The token that was presented is no good: it is damaged, was used before, or is signed \
             by a key that its issuer does not publish."
        }
        50_166 => {
            "Entra could not read the issuer's keys: its discovery document and JWKS must be \
             reachable from the internet."
        }
        70_016 | 70_018 | 70_019 | 70_020 => {
            "The code expired or was not confirmed: sign in again and enter the new code at once."
        }
        65_004 | 90_094 | 90_099 => {
            "Consent was not given: let an administrator grant it for the application."
        }
        50_034 | 50_020 | 51_004 => {
            "The account is not in this tenant: sign in with one of the tenant itself, and check \
             that the tenant is the B2C tenant."
        }
        50_053 | 50_055 | 50_057 | 50_126 | 50_144 => {
            "The account cannot sign in: its password is wrong or expired, or it is locked or \
             disabled."
        }
        50_173 | 700_082 | 70_043 | 70_008 => "The session expired or was revoked: sign in again.",
        50_097 | 50_005 => {
            "A Conditional Access policy asks for something that this sign-in cannot bring, such as \
             a known device: use an application instead of a person."
        }
        53_000 | 53_001 | 53_002 | 53_003 | 53_004 | 530_003 | 530_004 => {
            "A Conditional Access policy of the tenant blocks this sign-in: exclude the \
             application or allow its network (see the sign-in log for the policy's name)."
        }
        50_076 | 50_079 | 50_074 => {
            "This account needs multifactor authentication: sign in interactively, or use an \
             application."
        }
        65_001 => "Grant admin consent to the application's permissions.",
        500_011 | 650_057 | 650_052 => {
            "The tenant does not know Microsoft Graph under this name: check that login and Graph \
             endpoint belong to the same cloud."
        }
        70_011 | 1_002_012 => "The scope must be the Graph endpoint followed by /.default.",
        900_382 | 90_072 => {
            "The account or application belongs to another cloud or tenant: check AZURE_TENANT_ID \
             and AZURE_AUTHORITY_HOST."
        }
        90_033 | 90_024 | 50_196 | 90_055 => {
            "Entra is busy or throttles this application: try again in some minutes."
        }
        _ => return None,
    })
}

/// Whether the error is about an external token that Entra does not trust.
pub(super) const fn is_about_trust(code: u32) -> bool {
    matches!(
        code,
        70_021 | 700_211 | 700_212 | 700_213 | 50_013 | 50_166 | 700_024
    )
}

/// The number behind the first `AADSTS` of a text.
pub(super) fn number_in(text: &str) -> Option<u32> {
    let (_, rest) = text.split_once("AADSTS")?;
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    rest[..digits].parse().ok()
}

/// Whether Entra calls the error a passing one.
pub(super) const fn is_transient(code: u32) -> bool {
    matches!(code, 90_033 | 90_024 | 90_055)
}

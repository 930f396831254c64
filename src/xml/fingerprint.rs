/// A number that equal names share and that different names hardly ever do, so that looking for a name
/// is mostly comparing integers. It is made from the length and a few characters: of a literal it is
/// known when the program is compiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint(pub(super) u32);

impl Fingerprint {
    /// The fingerprint of a name. Always inlined, and so are those who take a name from a rule: there
    /// it is a literal.
    #[inline(always)]
    pub const fn of(name: &str) -> Self {
        let bytes = name.as_bytes();
        let length = bytes.len();
        if length == 0 {
            return Self(0);
        }
        let last = length - 1;
        let mut mixed = length as u64 & 0xFF;
        let mut index = 0;
        // Names of policies differ in length, at the start and in the last letters.
        while index < 4 {
            let from_start = if index < last { index } else { last };
            mixed = mixed << 8 | bytes[from_start] as u64;
            index += 1;
        }
        index = 0;
        while index < 3 {
            let from_end = last.saturating_sub(index);
            mixed = mixed << 8 | bytes[from_end] as u64;
            index += 1;
        }
        Self((mixed.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_names_share_it_and_similar_ones_do_not() {
        let names = [
            "",
            "a",
            "b",
            "aa",
            "ab",
            "abc",
            "acb",
            "Id",
            "Key",
            "Item",
            "InputClaim",
            "InputClaims",
            "OutputClaim",
            "OutputClaims",
            "UserJourney",
            "UserJourneys",
            "SubJourney",
            "SubJourneys",
            "TechnicalProfile",
            "TechnicalProfiles",
        ];
        for (index, name) in names.iter().enumerate() {
            assert_eq!(Fingerprint::of(name), Fingerprint::of(&String::from(*name)));
            for other in &names[index + 1..] {
                assert_ne!(
                    Fingerprint::of(name),
                    Fingerprint::of(other),
                    "{name} {other}"
                );
            }
        }
    }
}

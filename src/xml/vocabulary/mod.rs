//! Numbers for the names that policies are made of, so that comparing such names is comparing integers.
//!
//! A table without collisions, made when the program is compiled, leads from the ends of a name to the
//! only word that it can be; the word is then compared in full. So a name has the number of a word
//! exactly if it is that word, whoever wrote it.

mod words;

use words::WORDS;

/// Places of the table, of which a name has one.
const PLACES: usize = 512;
/// Groups of names whose places are moved together until all are free.
const GROUPS: usize = 256;
/// The number of no word.
const NO_WORD: u16 = WORDS.len() as u16;

/// What a name is looked up by: all letters of most names, and a good sample of longer ones.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ends {
    /// The first eight bytes, or all of a shorter name with zeros behind.
    first: u64,
    /// The last eight bytes, or all of a shorter name as before.
    last: u64,
    length: u32,
}

impl Ends {
    /// The ends of a name of at least eight bytes, or of a shorter one if both ends are the whole name with
    /// zeros behind.
    #[inline(always)]
    pub(super) const fn new(first: u64, last: u64, length: u32) -> Self {
        Self {
            first,
            last,
            length,
        }
    }

    #[inline(always)]
    const fn of(name: &[u8]) -> Self {
        let length = name.len();
        if let (Some(first), Some(last)) = (name.first_chunk(), name.last_chunk()) {
            let (first, last) = (u64::from_le_bytes(*first), u64::from_le_bytes(*last));
            return Self::new(first, last, length as u32);
        }
        let mut whole = 0;
        let mut index = 0;
        while index < 7 {
            if index < length {
                whole |= (name[index] as u64) << (index * 8);
            }
            index += 1;
        }
        Self::new(whole, whole, length as u32)
    }

    /// Everything mixed.
    #[inline(always)]
    const fn hash(self) -> u64 {
        let mixed = self.first ^ self.last.rotate_left(29) ^ self.length as u64;
        mixed.wrapping_mul(0xD6E8_FEB8_6659_FD93)
    }

    #[inline(always)]
    const fn equals(self, other: Self) -> bool {
        self.length == other.length && self.first == other.first && self.last == other.last
    }
}

#[inline(always)]
const fn group(hash: u64) -> usize {
    (hash >> 56) as usize % GROUPS
}

#[inline(always)]
const fn place(hash: u64, moved: u16) -> usize {
    ((hash >> 40) as usize ^ moved as usize) % PLACES
}

/// Which word can stand at which place.
struct Table {
    /// By how much the places of a group are moved.
    moved: [u16; GROUPS],
    /// The number of the word at each place.
    numbers: [u16; PLACES],
    /// The ends of each word; the last are those of no name.
    ends: [Ends; WORDS.len() + 1],
}

/// Constants and no statics, so that looking up a literal is done by the compiler.
const TABLE: &Table = &Table::new();
const SPELLINGS: &[&str; WORDS.len()] = &WORDS;

impl Table {
    const fn new() -> Self {
        let mut table = Self {
            moved: [0; GROUPS],
            numbers: [NO_WORD; PLACES],
            ends: [Ends::new(0, 0, u32::MAX); WORDS.len() + 1],
        };
        let mut groups = [Group::EMPTY; GROUPS];
        let mut word = 0;
        while word < WORDS.len() {
            let ends = Ends::of(WORDS[word].as_bytes());
            groups[group(ends.hash())].add(word as u16);
            table.ends[word] = ends;
            word += 1;
        }
        // The largest groups first, as long as there is much room.
        let mut size = Group::MOST;
        while size > 0 {
            let mut group = 0;
            while group < GROUPS {
                if groups[group].size == size {
                    table.settle(group, groups[group]);
                }
                group += 1;
            }
            size -= 1;
        }
        table
    }

    /// Finds places for the words of a group.
    const fn settle(&mut self, number: usize, group: Group) {
        let mut moved = 0;
        while !self.fits(group, moved) {
            moved += 1;
            assert!(
                (moved as usize) < PLACES,
                "no places for these words: is one there twice? Or take another factor"
            );
        }
        self.moved[number] = moved;
    }

    /// Puts the words of a group at their places if all of these are free.
    const fn fits(&mut self, group: Group, moved: u16) -> bool {
        let mut member = 0;
        while member < group.size {
            let word = group.words[member];
            let place = place(self.ends[word as usize].hash(), moved);
            if self.numbers[place] != NO_WORD {
                // Back to where it began.
                while member > 0 {
                    member -= 1;
                    let word = group.words[member];
                    let place = self::place(self.ends[word as usize].hash(), moved);
                    self.numbers[place] = NO_WORD;
                }
                return false;
            }
            self.numbers[place] = word;
            member += 1;
        }
        true
    }
}

/// Words whose places are moved together.
#[derive(Clone, Copy)]
struct Group {
    words: [u16; Self::MOST],
    size: usize,
}

impl Group {
    const MOST: usize = 8;
    const EMPTY: Self = Self {
        words: [NO_WORD; Self::MOST],
        size: 0,
    };

    const fn add(&mut self, word: u16) {
        self.words[self.size] = word;
        self.size += 1;
    }
}

/// What the vocabulary knows of a name.
pub(super) enum Lookup {
    /// It is the word of this number.
    Word(u16),
    /// It is no word. Equal names have the same hash.
    Other(u64),
}

/// Looks up a name.
#[inline(always)]
pub(super) const fn look_up(name: &[u8]) -> Lookup {
    let ends = Ends::of(name);
    match word_with(ends, name) {
        Some(number) => Lookup::Word(number),
        None => Lookup::Other(ends.hash()),
    }
}

/// The number of the word that a name is, if it is one; for those who have its ends at hand.
#[inline(always)]
pub(super) const fn word_with(ends: Ends, name: &[u8]) -> Option<u16> {
    let hash = ends.hash();
    let number = TABLE.numbers[place(hash, TABLE.moved[group(hash)])];
    if ends.equals(TABLE.ends[number as usize]) && has_middle_of(name, number as usize) {
        Some(number)
    } else {
        None
    }
}

/// Whether a name with the ends of a word has the letters between them too.
#[inline(always)]
const fn has_middle_of(name: &[u8], number: usize) -> bool {
    let mut at = 8;
    // The last eight bytes are compared.
    while at + 8 < name.len() {
        let (_, name) = name.split_at(at);
        let (_, word) = SPELLINGS[number].as_bytes().split_at(at);
        match (name.first_chunk(), word.first_chunk()) {
            (Some(name), Some(word)) if u64::from_le_bytes(*name) == u64::from_le_bytes(*word) => {}
            _ => return false,
        }
        at += 8;
    }
    true
}

/// How many words there are.
pub(super) const COUNT: usize = WORDS.len();

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn number(name: &str) -> Option<usize> {
        match look_up(name.as_bytes()) {
            Lookup::Word(number) => Some(number.into()),
            Lookup::Other(_) => None,
        }
    }

    #[test]
    fn every_word_has_its_own_number() {
        for (index, word) in WORDS.iter().enumerate() {
            assert_eq!(number(word), Some(index), "{word}");
            assert!(
                word.bytes().all(|byte| byte.is_ascii_alphabetic()),
                "{word}"
            );
        }
    }

    #[test]
    fn what_a_table_cannot_tell_from_a_word_is_none() {
        for word in WORDS {
            // Other letters where the hash does not look.
            for at in 8..word.len().saturating_sub(8) {
                let mut other = word.to_owned();
                other.replace_range(at..=at, "_");
                assert_eq!(number(&other), None, "{other}");
            }
            // The same ends with more or less between them.
            if word.len() > 16 {
                let (first, last) = (&word[..8], &word[word.len() - 8..]);
                for between in ["", "x", &word[8..word.len() - 8].repeat(2)] {
                    let other = format!("{first}{between}{last}");
                    assert!(number(&other).is_none_or(|index| WORDS[index] == other));
                }
            }
            // Short names are filled up with zeros.
            assert_eq!(number(&format!("{word}\0")), None);
        }
        assert_eq!(number(""), None);
        assert_eq!(number("\0"), None);
    }

    /// Names of 16 bytes with the hash of a word.
    #[test]
    fn names_built_to_collide_are_none() {
        for word in WORDS.iter().filter(|word| word.len() >= 8) {
            let hash = Ends::of(word.as_bytes()).hash();
            for first in [*b"Abcdefgh", *b"________", *b"zzzzzzzz"] {
                let first = u64::from_le_bytes(first);
                let ends = Ends::of(word.as_bytes());
                let mixed = ends.first ^ ends.last.rotate_left(29) ^ u64::from(ends.length);
                let last = (mixed ^ first ^ 16).rotate_right(29);
                let colliding: Vec<u8> = [first.to_le_bytes(), last.to_le_bytes()].concat();
                assert_eq!(Ends::of(&colliding).hash(), hash);
                assert!(matches!(look_up(&colliding), Lookup::Other(_)), "{word}");
            }
        }
    }

    proptest! {
        #[test]
        fn only_words_have_a_number(name in "[A-Za-z]{0,50}", index in 0..COUNT, at in 0..50usize) {
            prop_assert_eq!(number(&name), WORDS.iter().position(|word| *word == name));
            // Nearly a word.
            let mut near = WORDS[index].to_owned();
            near.truncate(at);
            near.push_str(&name);
            prop_assert_eq!(number(&near), WORDS.iter().position(|word| *word == near));
        }
    }
}

//! Word tables. A table is one string: words separated by spaces, or `left=right` pairs
//! separated by commas.

pub(super) mod categories;
pub(super) mod grammar;
pub(super) mod knowledge;
pub(super) mod messages;
pub(super) mod opinions;
pub(super) mod sentence_kinds;
pub(super) mod sentences;
pub(super) mod translations;

use std::sync::LazyLock;

use categories::CATEGORIES;

/// The words of a table.
pub(super) fn words(table: &'static str) -> Vec<&'static str> {
    table.split_whitespace().collect()
}

/// The pairs of a table.
pub(super) fn pairs(table: &'static str) -> Vec<(&'static str, &'static str)> {
    entries(table)
        .filter_map(|entry| entry.split_once('='))
        .collect()
}

/// The comma-separated entries of a table.
pub(super) fn entries(table: &'static str) -> impl Iterator<Item = &'static str> {
    table
        .split(',')
        .map(str::trim)
        .filter(|entry| !entry.is_empty())
}

/// All category words of 3 to 10 lower-case letters, sorted, without duplicates.
pub(super) static VOCABULARY: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    let mut words: Vec<&str> = CATEGORIES
        .iter()
        .flat_map(|category| category.words.split_whitespace())
        .filter(|word| (3..=10).contains(&word.len()))
        .filter(|word| word.bytes().all(|byte| byte.is_ascii_lowercase()))
        .collect();
    words.sort_unstable();
    words.dedup();
    words
});

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn relations_have_forty_pairs_and_no_left_side_twice() {
        let tables = [
            grammar::VERBS,
            grammar::ANTONYMS,
            grammar::PLURALS,
            grammar::DEGREES,
            grammar::AGENTS,
            grammar::QUALITIES,
            grammar::GENDERS,
            grammar::SYNONYMS,
            knowledge::CAPITALS,
            knowledge::NATIONALITIES,
            knowledge::CONTINENTS,
            knowledge::YOUNG,
            knowledge::CONTAINERS,
            knowledge::MATERIALS,
            knowledge::WORKPLACES,
            knowledge::ELEMENTS,
            translations::WORDS,
        ];
        for table in tables {
            let pairs = pairs(table);
            assert_eq!(pairs.len(), entries(table).count(), "an entry without `=`");
            assert!(pairs.len() >= 40, "{pairs:?}");
            let lefts: BTreeSet<&str> = pairs.iter().map(|(left, _)| *left).collect();
            assert_eq!(lefts.len(), pairs.len(), "{pairs:?}");
            for (left, right) in &pairs {
                assert!(!left.is_empty() && !right.is_empty(), "{left}={right}");
                assert!(!right.contains('='), "{left}={right}");
            }
        }
    }

    #[test]
    fn there_are_words_enough() {
        assert!(VOCABULARY.len() > 500, "{}", VOCABULARY.len());
    }
}

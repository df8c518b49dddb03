//! `rank_pattern` and `alpha_pattern` of a PEFT configuration.

use std::fmt;
use std::marker::PhantomData;

use regex::Regex;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

/// Per-module values in file order: in PEFT the first matching key applies.
#[derive(Debug)]
pub(super) struct Patterns<T>(Vec<Pattern<T>>);

#[derive(Debug)]
struct Pattern<T> {
    key: String,
    /// For a key that is more than a name; the regular expression, or why it is none.
    expression: Option<Result<Regex, regex::Error>>,
    value: T,
}

impl<T> Default for Patterns<T> {
    fn default() -> Self {
        Patterns(Vec::new())
    }
}

impl<T> FromIterator<(String, T)> for Patterns<T> {
    fn from_iter<I: IntoIterator<Item = (String, T)>>(pairs: I) -> Self {
        let patterns = pairs.into_iter().map(|(key, value)| {
            let name = key.strip_prefix('^').unwrap_or(&key);
            let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
            // As `get_pattern_key` in peft's `utils/other.py`.
            let expression =
                (!name.chars().all(is_name)).then(|| Regex::new(&format!(r"^(?:.*\.)?(?:{key})$")));
            Pattern {
                key,
                expression,
                value,
            }
        });
        Patterns(patterns.collect())
    }
}

impl<T: Copy> Patterns<T> {
    /// Keys and values.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&String, T)> {
        self.0.iter().map(|pattern| (&pattern.key, pattern.value))
    }

    /// The first key that is no regular expression, and why.
    pub(super) fn mistake(&self) -> Option<(&str, &regex::Error)> {
        self.0.iter().find_map(|pattern| {
            let error = pattern.expression.as_ref()?.as_ref().err()?;
            Some((pattern.key.as_str(), error))
        })
    }

    /// The value for the module at `path`. A key is a regular expression that matches the whole
    /// path or a suffix of it after a dot. A key that starts with `^` matches the whole path only.
    pub(super) fn get(&self, path: &str) -> Option<T> {
        let matches = |pattern: &&Pattern<T>| match (&pattern.expression, &pattern.key) {
            (Some(expression), _) => expression
                .as_ref()
                .is_ok_and(|expression| expression.is_match(path)),
            (None, key) => match key.strip_prefix('^') {
                Some(whole) => path == whole,
                None => path
                    .strip_suffix(key.as_str())
                    .is_some_and(|rest| rest.is_empty() || rest.ends_with('.')),
            },
        };
        self.0.iter().find(matches).map(|pattern| pattern.value)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Patterns<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PatternVisitor<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for PatternVisitor<T> {
            type Value = Patterns<T>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object that maps module names to numbers")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
                let mut patterns = Vec::new();
                while let Some(pattern) = map.next_entry()? {
                    patterns.push(pattern);
                }
                Ok(patterns.into_iter().collect())
            }
        }
        deserializer.deserialize_map(PatternVisitor(PhantomData))
    }
}

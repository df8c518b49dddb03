//! `rank_pattern` and `alpha_pattern` of a PEFT configuration.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

/// Per-module values in file order: in PEFT the first matching key applies.
#[derive(Debug)]
pub(super) struct Patterns<T>(pub(super) Vec<(String, T)>);

impl<T> Default for Patterns<T> {
    fn default() -> Self {
        Patterns(Vec::new())
    }
}

impl<T: Copy> Patterns<T> {
    /// A key matches the whole path, or a suffix of it after a dot. A key that starts with `^`
    /// matches the whole path only.
    pub(super) fn get(&self, path: &str) -> Option<T> {
        let matches = |key: &str| match key.strip_prefix('^') {
            Some(whole) => path == whole,
            None => path
                .strip_suffix(key)
                .is_some_and(|rest| rest.is_empty() || rest.ends_with('.')),
        };
        self.0
            .iter()
            .find(|(key, _)| matches(key))
            .map(|&(_, value)| value)
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
                Ok(Patterns(patterns))
            }
        }
        deserializer.deserialize_map(PatternVisitor(PhantomData))
    }
}

//! A part of the tasks, for one of several processes or machines.

use std::str::FromStr;

use crate::Error;

/// One of `count` equal parts of the tasks; numbers count from one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    /// This part.
    pub number: usize,
    /// Number of parts.
    pub count: usize,
}

impl Shard {
    /// All tasks.
    pub const WHOLE: Self = Self {
        number: 1,
        count: 1,
    };

    /// Every n-th of the items, so that the parts of a sorted list are alike.
    pub fn of<T>(self, items: impl IntoIterator<Item = T>) -> impl Iterator<Item = T> {
        items.into_iter().skip(self.number - 1).step_by(self.count)
    }
}

impl FromStr for Shard {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let numbers = text.split_once('/').and_then(|(number, of)| {
            Some((number.parse::<usize>().ok()?, of.parse::<usize>().ok()?))
        });
        match numbers {
            Some((number, count)) if number >= 1 && number <= count => Ok(Self { number, count }),
            _ => Err(Error::argument("shard", "i/n with 1 <= i <= n", text)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards() {
        let shard = "2/3".parse::<Shard>().unwrap();
        assert_eq!(
            shard,
            Shard {
                number: 2,
                count: 3
            }
        );
        for text in ["0/3", "4/3", "2", "a/b"] {
            assert!(text.parse::<Shard>().is_err(), "{text}");
        }
    }
}

//! The ways to answer a task that `dnd eval` compares.

use std::path::PathBuf;
use std::str::FromStr;

use crate::Error;

/// A way to get an adapter for a task, or none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Method {
    /// Always the most frequent response of the task's training lines.
    Majority,
    /// The base model alone.
    Base,
    /// The adapter that a bundle generates from the task's training prompts.
    Generated,
    /// The collection's adapter whose task has the most similar prompts.
    Nearest,
    /// The element-wise average of the collection's adapters.
    Average,
    /// The mean of the scores of all the collection's adapters.
    Mean,
    /// A PEFT directory; `{task}` in the path stands for the task's name.
    Adapter(PathBuf),
}

impl Method {
    /// Whether it needs a collection.
    pub fn needs_collection(&self) -> bool {
        matches!(self, Self::Nearest | Self::Average | Self::Mean)
    }
}

impl FromStr for Method {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Ok(match text {
            "majority" => Self::Majority,
            "base" => Self::Base,
            "generated" => Self::Generated,
            "nearest" => Self::Nearest,
            "average" => Self::Average,
            "mean" => Self::Mean,
            _ => match text.strip_prefix("adapter:") {
                Some(folder) if !folder.is_empty() => Self::Adapter(folder.into()),
                _ => {
                    return Err(Error::argument(
                        "methods",
                        "majority, base, generated, nearest, average, mean or adapter:DIR",
                        format!("`{text}`"),
                    ));
                }
            },
        })
    }
}

impl std::fmt::Display for Method {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Majority => f.write_str("majority"),
            Self::Base => f.write_str("base"),
            Self::Generated => f.write_str("generated"),
            Self::Nearest => f.write_str("nearest"),
            Self::Average => f.write_str("average"),
            Self::Mean => f.write_str("mean"),
            Self::Adapter(folder) => write!(f, "adapter:{}", folder.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_both_ways() {
        for name in [
            "majority",
            "base",
            "generated",
            "nearest",
            "average",
            "mean",
            "adapter:a/{task}",
        ] {
            assert_eq!(name.parse::<Method>().unwrap().to_string(), name);
        }
        assert!("adapter:".parse::<Method>().is_err());
        assert!("best".parse::<Method>().is_err());
    }
}

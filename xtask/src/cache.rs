//! The folder outside the repository that keeps what is slow to get: models, tools and build output.

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The cache folder. `dnd` looks for its models in the same place.
pub struct Cache {
    root: PathBuf,
}

impl Cache {
    /// Finds the folder: `DND_CACHE`, else the platform's place for caches.
    pub fn locate() -> Result<Self> {
        let root = root_from(|name| env::var_os(name).map(PathBuf::from))?;
        Self::at(&root)
    }

    /// A cache in a given folder, which need not exist yet.
    pub fn at(root: &Path) -> Result<Self> {
        let root = std::path::absolute(root)
            .with_context(|| format!("cache folder {}", root.display()))?;
        Ok(Self { root })
    }

    /// Build output, where fresh clones find it again.
    pub fn target(&self) -> PathBuf {
        self.root.join("target")
    }

    /// Build output of Debian's compiler, which would otherwise take turns with the other in overwriting.
    pub fn target_debian(&self) -> PathBuf {
        self.root.join("target-debian")
    }

    /// Where a standard library for WebAssembly is compiled, once.
    pub fn wasm_std(&self) -> PathBuf {
        self.root.join("wasm-std")
    }

    /// Encoders as the page fetches them.
    pub fn page_models(&self) -> PathBuf {
        self.models().join("page")
    }

    /// Models that are ready to use, one folder each.
    pub fn models(&self) -> PathBuf {
        self.root.join("models")
    }

    /// Downloads on their way into `models`; empty when nothing is going on.
    pub fn wheels(&self) -> PathBuf {
        self.root.join("wheels")
    }

    /// Programs that the page and the checks need and cargo does not bring.
    pub fn tools(&self) -> PathBuf {
        self.root.join("tools")
    }

    /// Tasks of our own.
    pub fn tasks(&self) -> PathBuf {
        self.root.join("tasks")
    }

    /// Bundles and adapters of fits that are not shipped.
    pub fn fits(&self) -> PathBuf {
        self.root.join("fits")
    }

    /// Adapters collected by `cargo xtask bundle` and `evaluate`.
    pub fn collections(&self) -> PathBuf {
        self.root.join("collections")
    }

    /// Waits until no other process changes the cache; the lock lasts as long as the returned file, and the
    /// system drops it when a process dies.
    pub fn lock(&self) -> Result<File> {
        fs::create_dir_all(&self.root)
            .with_context(|| format!("cannot create the cache folder {}", self.root.display()))?;
        let path = self.root.join(".lock");
        let file =
            File::create(&path).with_context(|| format!("cannot create {}", path.display()))?;
        file.lock()
            .with_context(|| format!("cannot lock {}", path.display()))?;
        Ok(file)
    }
}

fn root_from(variable: impl Fn(&str) -> Option<PathBuf>) -> Result<PathBuf> {
    let set = |name: &str| variable(name).filter(|value| !value.as_os_str().is_empty());
    if let Some(root) = set("DND_CACHE") {
        return Ok(root);
    }
    let caches = if cfg!(windows) {
        set("LOCALAPPDATA")
    } else {
        let platform = if cfg!(target_os = "macos") {
            "Library/Caches"
        } else {
            ".cache"
        };
        set("XDG_CACHE_HOME").or_else(|| set("HOME").map(|home| home.join(platform)))
    };
    Ok(caches
        .context("no home folder is known: set DND_CACHE to a folder for models and build output")?
        .join("dnd"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root(variables: &[(&str, &str)]) -> Option<PathBuf> {
        let lookup = |name: &str| {
            variables
                .iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| PathBuf::from(value))
        };
        root_from(lookup).ok()
    }

    #[test]
    fn own_variable_wins() {
        assert_eq!(
            root(&[
                ("DND_CACHE", "/a"),
                ("XDG_CACHE_HOME", "/b"),
                ("HOME", "/c")
            ]),
            Some("/a".into())
        );
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn platform_folder_follows() {
        assert_eq!(
            root(&[("XDG_CACHE_HOME", "/b"), ("HOME", "/c")]),
            Some("/b/dnd".into())
        );
        assert_eq!(
            root(&[("DND_CACHE", ""), ("HOME", "/c")]),
            Some("/c/.cache/dnd".into())
        );
        assert_eq!(root(&[]), None);
    }
}

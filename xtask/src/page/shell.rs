//! The shell: all files of the page but the models, which the service worker keeps for visits offline.

use std::path::Path;

use anyhow::{Context, Result, bail};

use super::models;
use crate::context::{sha256, walk};

/// The file that is told version and list. A browser compares it byte by byte to see that a page is new.
const SERVICE_WORKER: &str = "service-worker.js";
/// Stands for the version in the source.
const VERSION: &str = "@VERSION@";
/// Stands for the list of addresses in the source.
const FILES: &str = "/* @FILES@ */";
/// Digits of the version.
const DIGITS: usize = 16;

/// The files of a page that are kept, and what they are worth as one number.
pub struct Shell {
    /// Changes with any of the files.
    pub version: String,
    /// Addresses relative to the page.
    addresses: Vec<String>,
}

impl Shell {
    /// Reads the shell of a page.
    pub fn read(folder: &Path) -> Result<Self> {
        let mut listed = String::new();
        let mut addresses = Vec::new();
        for path in walk(folder)? {
            let address = address(&path);
            if path.starts_with(models::FOLDER) || address == SERVICE_WORKER {
                continue;
            }
            listed += &format!("{} {address}\n", sha256(&folder.join(&path))?);
            addresses.push(address);
        }
        let mut version = dnd_files::sha256(listed.as_bytes());
        version.truncate(DIGITS);
        Ok(Self { version, addresses })
    }

    /// Tells the service worker of a page, which may have been told another version before.
    pub fn write(&self, folder: &Path, previous: &str) -> Result<()> {
        let path = folder.join(SERVICE_WORKER);
        let text = std::fs::read_to_string(&path)
            .with_context(|| format!("cannot read {}", path.display()))?;
        let told = self.tell(&text, previous);
        let told = told.with_context(|| format!("in {}", path.display()))?;
        Ok(dnd_files::write(&path, told.as_bytes())?)
    }

    fn tell(&self, text: &str, previous: &str) -> Result<String> {
        if !text.contains(VERSION) && !text.contains(previous) {
            bail!("expected {VERSION} or the version {previous}");
        }
        let quoted = std::iter::once("./")
            .chain(self.addresses.iter().map(String::as_str))
            .map(serde_json::to_string)
            .collect::<Result<Vec<_>, _>>()?;
        Ok(text
            .replace(VERSION, &self.version)
            .replace(previous, &self.version)
            .replace(FILES, &quoted.join(", ")))
    }
}

fn address(path: &Path) -> String {
    let parts = path.iter().map(|part| part.to_string_lossy());
    parts.collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn service_worker_is_told_and_told_again() {
        let folder = tempfile::tempdir().unwrap();
        let page = folder.path();
        std::fs::create_dir(page.join("models")).unwrap();
        let worker = page.join(SERVICE_WORKER);
        for (name, text) in [
            ("index.html", "x"),
            ("models/big", "y"),
            (SERVICE_WORKER, "v = \"@VERSION@\"; f = [/* @FILES@ */];"),
        ] {
            std::fs::write(page.join(name), text.as_bytes()).unwrap();
        }
        let first = Shell::read(page).unwrap();
        first.write(page, &first.version).unwrap();
        let expected = |version: &str| format!("v = \"{version}\"; f = [\"./\", \"index.html\"];");
        let told = || std::fs::read_to_string(&worker).unwrap();
        assert_eq!(told(), expected(&first.version));

        std::fs::write(page.join("index.html"), b"z").unwrap();
        let second = Shell::read(page).unwrap();
        assert_ne!(first.version, second.version);
        second.write(page, &first.version).unwrap();
        assert_eq!(told(), expected(&second.version));
        let error = second.write(page, "gone").unwrap_err();
        assert!(format!("{error:#}").contains(VERSION));
    }
}

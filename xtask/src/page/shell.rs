//! The app shell: all files of the page except the models. The service worker caches them for
//! offline use.

use std::path::Path;

use anyhow::{Context, Result, bail};

use super::models;
use crate::context::{sha256, walk};

/// The file that contains version and list. Browsers compare it byte by byte to detect a new page.
const SERVICE_WORKER: &str = "service-worker.js";
/// Placeholder for the version in the source.
const VERSION: &str = "@VERSION@";
/// Placeholder for the list of addresses in the source.
const FILES: &str = "/* @FILES@ */";
/// Length of the version in hexadecimal digits.
const DIGITS: usize = 16;

/// The cached files of a page, and their version.
pub struct Shell {
    /// Hash of all files.
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

    /// Writes version and list into the service worker, which may contain a `previous` version.
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

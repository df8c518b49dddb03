//! Packages of npm, pinned and installed into the cache: programs in JavaScript, and what drives a browser.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::cache::Cache;
use crate::{command, files};

/// A package and its release.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Package {
    name: &'static str,
    version: &'static str,
}

/// Has `wasm-opt`. Releases of other sources give modules that Chromium refuses.
pub const BINARYEN: Package = Package {
    name: "binaryen",
    version: "132.0.0",
};

/// All packages: besides [`BINARYEN`] the driver of a browser and the checker of accessibility.
pub const PACKAGES: [Package; 3] = [
    BINARYEN,
    Package {
        name: "playwright-core",
        version: "1.65.1",
    },
    Package {
        name: "axe-core",
        version: "4.14.1",
    },
];

/// What the page is compared with by `cargo xtask bench`.
pub const ONNXRUNTIME_WEB: Package = Package {
    name: "onnxruntime-web",
    version: "1.30.0",
};

/// The oldest major release of Node that runs them all. It is playwright-core that asks for this one, in its
/// package.json; the others ask for less.
const OLDEST_NODE: u32 = 20;
const NPM: &str = if cfg!(windows) { "npm.cmd" } else { "npm" };

/// Why packages cannot be used here; nothing if they can.
pub fn absence() -> Option<String> {
    let version = |program: &str| {
        let output = command::new(program).arg("--version").output().ok()?;
        let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        output.status.success().then_some(text)
    };
    let Some(node) = version("node") else {
        return Some(format!("Node {OLDEST_NODE} or newer is not installed"));
    };
    if major(&node).is_none_or(|major| major < OLDEST_NODE) {
        return Some(format!(
            "Node {OLDEST_NODE} or newer is needed, found {node}"
        ));
    }
    version(NPM)
        .is_none()
        .then(|| "npm is not installed".to_owned())
}

/// Makes packages ready and gives the folder `node_modules` with them.
pub fn provide(cache: &Cache, wanted: &[Package]) -> Result<PathBuf> {
    let prefix = cache.tools().join("node");
    let modules = prefix.join("node_modules");
    if !missing(&modules, wanted).is_empty() {
        let _lock = cache.lock()?;
        // Another process may have installed them while this one waited for the lock.
        if !missing(&modules, wanted).is_empty() {
            install(&prefix, &modules, wanted)?;
        }
        if let Some(package) = missing(&modules, wanted).first() {
            let Package { name, version } = package;
            bail!(
                "{}: expected {name} {version} after npm install",
                modules.display()
            );
        }
    }
    Ok(modules)
}

fn install(prefix: &Path, modules: &Path, wanted: &[Package]) -> Result<()> {
    files::create_folder(prefix)?;
    let mut npm = command::new(NPM);
    npm.args(["install", "--ignore-scripts", "--no-save", "--no-audit"]);
    npm.args(["--no-fund", "--loglevel", "error", "--prefix"]);
    npm.arg(prefix);
    for package in kept(modules, wanted) {
        let Package { name, version } = package;
        println!("tools: installing {name} {version}");
        npm.arg(format!("{name}@{version}"));
    }
    command::run(npm).context("cannot fetch packages from the npm registry")
}

/// The packages to name to npm: it deletes whatever else is there.
fn kept(modules: &Path, wanted: &[Package]) -> Vec<Package> {
    let mut kept = PACKAGES.to_vec();
    kept.push(ONNXRUNTIME_WEB);
    kept.retain(|package| wanted.contains(package) || is_installed(modules, *package));
    kept
}

fn missing(modules: &Path, wanted: &[Package]) -> Vec<Package> {
    let mut missing = wanted.to_vec();
    missing.retain(|package| !is_installed(modules, *package));
    missing
}

fn is_installed(modules: &Path, package: Package) -> bool {
    #[derive(Deserialize)]
    struct Manifest {
        version: String,
    }
    std::fs::read(modules.join(package.name).join("package.json"))
        .ok()
        .and_then(|bytes| serde_json::from_slice::<Manifest>(&bytes).ok())
        .is_some_and(|manifest| manifest.version == package.version)
}

/// The first number of a version such as `v20.20.2`.
fn major(version: &str) -> Option<u32> {
    version
        .trim_start_matches('v')
        .split('.')
        .next()?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn major_version_is_read() {
        assert_eq!(major("v20.20.2"), Some(20));
        assert_eq!(major("node"), None);
    }

    #[test]
    fn another_release_is_missing_and_the_rest_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let modules = folder.path();
        let [binaryen, playwright, axe] = PACKAGES;
        for (package, version) in [(binaryen, "131.0.0"), (axe, axe.version)] {
            let folder = modules.join(package.name);
            files::create_folder(&folder).unwrap();
            let manifest = format!("{{\"version\": \"{version}\"}}");
            files::write(&folder.join("package.json"), manifest.as_bytes()).unwrap();
        }
        assert_eq!(missing(modules, &PACKAGES), [binaryen, playwright]);
        assert_eq!(kept(modules, &[binaryen]), [binaryen, axe]);
    }
}

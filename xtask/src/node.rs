//! Pinned npm packages, installed into the cache: wasm-opt and the tools of the browser tests.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;
use xshell::cmd;

use crate::context::{Context, create_folder};

/// Name and version of a package.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Package(&'static str, &'static str);

/// Contains `wasm-opt`. Builds from other sources produce modules that Chromium rejects.
pub const BINARYEN: Package = Package("binaryen", "132.0.0");

/// All packages: [`BINARYEN`], the browser test runner and the accessibility checker.
pub const PACKAGES: [Package; 3] = [
    BINARYEN,
    Package("@playwright/test", "1.65.1"),
    Package("axe-core", "4.14.1"),
];

/// The baseline that `cargo xtask bench` compares the page with.
pub const ONNXRUNTIME_WEB: Package = Package("onnxruntime-web", "1.30.0");

/// llama.cpp in browsers, which `cargo xtask bench` compares the page's base model with.
pub const WLLAMA: Package = Package("@wllama/wllama", "3.13.0");

/// A bundler, which builds a page with our package, and the programs of its parts for this
/// platform.
pub const VITE: [Package; 5] = [
    Package("vite", "5.4.21"),
    Package("rollup", ROLLUP_VERSION),
    Package("@rollup/rollup-linux-x64-gnu", ROLLUP_VERSION),
    Package("esbuild", ESBUILD_VERSION),
    Package("@esbuild/linux-x64", ESBUILD_VERSION),
];
const ROLLUP_VERSION: &str = "4.68.8";
const ESBUILD_VERSION: &str = "0.21.5";

/// llama.cpp, which loads our adapters; its binary for this platform is a package of its own, the
/// only one of its optional packages that is installed.
pub const LLAMA: [Package; 2] = [
    Package("node-llama-cpp", LLAMA_VERSION),
    Package("@node-llama-cpp/linux-x64", LLAMA_VERSION),
];
const LLAMA_VERSION: &str = "3.22.1";

/// The oldest major version of Node that runs all packages; Playwright requires it.
const OLDEST_NODE: u32 = 20;
const NPM: &str = if cfg!(windows) { "npm.cmd" } else { "npm" };

/// Why npm packages cannot be used here; `None` if they can.
pub fn absence(context: &Context) -> Option<String> {
    let version = |program: &str| {
        let output = cmd!(context.sh, "{program} --version").quiet();
        output.ignore_stderr().read().ok()
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

/// Installs missing packages and returns their `node_modules` folder.
pub fn provide(context: &Context, wanted: &[Package]) -> Result<PathBuf> {
    let prefix = context.cache("tools/node");
    let modules = prefix.join("node_modules");
    let is_missing = || {
        wanted
            .iter()
            .find(|wanted| !is_installed(&modules, **wanted))
    };
    if is_missing().is_some() {
        let _lock = context.lock()?;
        create_folder(&prefix)?;
        // npm deletes installed packages that are not named.
        let mut named = PACKAGES.to_vec();
        named.extend([ONNXRUNTIME_WEB, WLLAMA]);
        named.extend(LLAMA);
        named.extend(VITE);
        named.retain(|package| wanted.contains(package) || is_installed(&modules, *package));
        let releases = named
            .iter()
            .map(|Package(name, version)| format!("{name}@{version}"));
        let options =
            "--ignore-scripts --omit=optional --no-save --no-audit --no-fund --loglevel error"
                .split(' ');
        println!("tools: installing npm packages");
        cmd!(
            context.sh,
            "{NPM} install {options...} --prefix {prefix} {releases...}"
        )
        .run()
        .context("cannot fetch packages from the npm registry")?;
    }
    let missing = is_missing();
    ensure!(
        missing.is_none(),
        "{}: expected {missing:?} after npm install",
        modules.display()
    );
    Ok(modules)
}

/// Packs a package's folder as npm publishes it, and returns the archive beside the folder.
pub fn pack(context: &Context, folder: &Path) -> Result<PathBuf> {
    let place = folder
        .parent()
        .context("a package has a folder around it")?;
    let pack = cmd!(
        context.sh,
        "{NPM} pack {folder} --pack-destination {place} --loglevel error"
    );
    let name = pack.read().context("cannot pack")?;
    Ok(place.join(name.trim()))
}

/// Installs a packed package into a project.
pub fn install(context: &Context, project: &Path, packed: &Path) -> Result<()> {
    let options = "--ignore-scripts --no-audit --no-fund --loglevel error --offline".split(' ');
    let install = cmd!(
        context.sh,
        "{NPM} install {options...} --prefix {project} {packed}"
    );
    install.run().context("cannot install the package")
}

fn is_installed(modules: &Path, Package(name, version): Package) -> bool {
    #[derive(Deserialize)]
    struct Manifest {
        version: String,
    }
    std::fs::read(modules.join(name).join("package.json"))
        .ok()
        .and_then(|bytes| serde_json::from_slice::<Manifest>(&bytes).ok())
        .is_some_and(|manifest| manifest.version == version)
}

/// The first number of a version such as `v20.20.2`.
fn major(version: &str) -> Option<u32> {
    let version = version.trim().trim_start_matches('v');
    version.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn major_version_is_read() {
        assert_eq!(major("v20.20.2"), Some(20));
        assert_eq!(major("node"), None);
    }
}

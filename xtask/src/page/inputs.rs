//! What a page was built from, so that it is not built again of the same: Trunk runs `wasm-opt` every time,
//! for minutes.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::{BUNDLE, PROMPTS};
use crate::{command, files, node, tools};

/// Besides the compiled programs: what Trunk copies or obeys, and what decides about the files added.
const SOURCES: [&str; 6] = [
    "Trunk.toml",
    "web",
    PROMPTS,
    BUNDLE,
    "xtask/src/page.rs",
    "xtask/src/page",
];
/// Of this, what matters is in the programs.
const RUST: &str = "web/src";

/// Lists all inputs with their hashes.
pub fn describe(programs: &[PathBuf], optimised: bool) -> Result<String> {
    let versions = tools::page_versions();
    let mut text = format!("{versions}\nwasm-opt {optimised} of {:?}\n", node::BINARYEN);
    for program in programs {
        add(&mut text, &name(program), program)?;
    }
    let root = command::root();
    for source in SOURCES {
        let path = root.join(source);
        if path.is_dir() {
            for inner in files::walk(&path)? {
                let name = Path::new(source).join(inner);
                if !name.starts_with(RUST) {
                    add(&mut text, &name.to_string_lossy(), &root.join(&name))?;
                }
            }
        } else {
            add(&mut text, source, &path)?;
        }
    }
    Ok(text)
}

fn add(text: &mut String, name: &str, path: &Path) -> Result<()> {
    writeln!(text, "{} {name}", files::sha256(path)?).context("cannot list the inputs of the page")
}

fn name(program: &Path) -> String {
    let name = program.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_program_is_another_input() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("page.wasm");
        let mut texts = Vec::new();
        for content in ["a", "b"] {
            files::write(&path, content.as_bytes()).unwrap();
            let mut text = String::new();
            add(&mut text, &name(&path), &path).unwrap();
            assert!(text.ends_with(" page.wasm\n"), "{text}");
            texts.push(text);
        }
        assert_ne!(texts[0], texts[1]);
    }
}

//! Builds programs of the workspace and asks cargo where they went, which depends on the user's
//! configuration.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::command;
use crate::wasm::{self, Route};

/// What cargo says of something that it built.
#[derive(Deserialize)]
struct Message {
    executable: Option<PathBuf>,
    #[serde(default)]
    filenames: Vec<PathBuf>,
}

/// The program `dnd`.
pub fn dnd() -> Result<PathBuf> {
    native(command::cargo("build --release --workspace"), "dnd")
}

/// The example that writes small models for tests in a browser.
pub fn small_models() -> Result<PathBuf> {
    let name = "small_models";
    let mut cargo = command::cargo("build --release --workspace --example");
    cargo.arg(name);
    native(cargo, name)
}

/// The page's two programs as cargo leaves them, before wasm-bindgen. Trunk builds them too, with the
/// same arguments, so its own call finds them done.
pub fn web(route: &Route) -> Result<Vec<PathBuf>> {
    let mut cargo = command::cargo("build --profile page -p dnd-web --target");
    cargo.arg(wasm::TARGET);
    route.apply(&mut cargo);
    let messages = build(cargo)?;
    let programs: Vec<PathBuf> = messages
        .into_iter()
        .flat_map(|message| message.filenames)
        .filter(|path| path.extension().is_some_and(|end| end == "wasm"))
        .collect();
    if programs.is_empty() {
        bail!("cargo built dnd-web and named no .wasm file");
    }
    Ok(programs)
}

fn native(cargo: Command, name: &str) -> Result<PathBuf> {
    let is_it = |path: &Path| path.file_stem().is_some_and(|stem| stem == name);
    build(cargo)?
        .into_iter()
        .filter_map(|message| message.executable)
        .find(|path| is_it(path))
        .with_context(|| format!("cargo built the workspace and named no program `{name}`"))
}

fn build(mut cargo: Command) -> Result<Vec<Message>> {
    cargo.args(["--message-format", "json-render-diagnostics"]);
    cargo.stderr(Stdio::inherit());
    Ok(read(&command::output(cargo)?))
}

fn read(messages: &str) -> Vec<Message> {
    let lines = messages.lines();
    lines
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn artefacts_are_read_and_the_rest_passes_by() {
        let messages = read(concat!(
            r#"{"reason":"compiler-artifact","filenames":["/t/page.wasm"],"executable":null}"#,
            "\n",
            r#"{"reason":"build-finished","success":true}"#,
            "\nnot JSON\n",
            r#"{"reason":"compiler-artifact","filenames":["/t/dnd"],"executable":"/t/dnd"}"#,
        ));
        let executables: Vec<_> = messages
            .iter()
            .filter_map(|m| m.executable.as_ref())
            .collect();
        assert_eq!(executables, [Path::new("/t/dnd")]);
        assert_eq!(messages[0].filenames, [Path::new("/t/page.wasm")]);
    }
}

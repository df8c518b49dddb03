//! Running other programs from the root of the repository.

use std::env;
use std::env::consts::EXE_SUFFIX;
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::sync::OnceLock;

use anyhow::{Context, Result, bail};

static TARGET_FOLDER: OnceLock<PathBuf> = OnceLock::new();

/// Says where `cargo` is to put its build output: in the cache, also when a task was not started by
/// `./run` or `./test`. Only the first call counts.
pub fn set_target_folder(folder: PathBuf) {
    TARGET_FOLDER.get_or_init(|| folder);
}

/// The root of the repository: as cargo says when it starts this program, since two clones may share what was compiled in one.
pub fn root() -> PathBuf {
    let package = env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    package.parent().unwrap_or(&package).to_path_buf()
}

/// A program to be started in the root of the repository.
pub fn new(program: impl AsRef<Path>) -> Command {
    let mut command = Command::new(program.as_ref());
    command.current_dir(root());
    command
}

/// `cargo` with space-separated arguments. Whatever compiles burn names the `--workspace` and no single
/// package: cargo unites features over the packages it is given, and for another set of features it
/// compiles burn once more, which takes minutes.
///
/// Build output goes to the folder of [`set_target_folder`], unless the user chose another.
pub fn cargo(arguments: &str) -> Command {
    let mut command = new("cargo");
    use_target_folder(&mut command);
    command.args(arguments.split(' '));
    command
}

/// Lets a program that calls cargo itself put build output where [`cargo`] puts it.
pub fn use_target_folder(command: &mut Command) {
    if let Some(folder) = TARGET_FOLDER.get()
        && env::var_os("CARGO_TARGET_DIR").is_none()
    {
        command.env("CARGO_TARGET_DIR", folder);
    }
}

/// Lets a program find others in these folders, before any that the machine has.
pub fn extend_path(command: &mut Command, folders: Vec<PathBuf>) -> Result<()> {
    let inherited = env::var_os("PATH").unwrap_or_default();
    let path = env::join_paths(folders.into_iter().chain(env::split_paths(&inherited)))
        .context("a folder of tools has a name that PATH cannot hold: set DND_CACHE to another")?;
    command.env("PATH", path);
    Ok(())
}

/// Where a program of the machine is, if it has it.
pub fn find(program: &str) -> Option<PathBuf> {
    let file = format!("{program}{EXE_SUFFIX}");
    env::split_paths(&env::var_os("PATH")?)
        .map(|folder| folder.join(&file))
        .find(|path| path.is_file())
}

/// Python 3 under the name it has on this platform.
pub fn python() -> Command {
    new(if cfg!(windows) { "python" } else { "python3" })
}

/// Runs a command on this terminal; anything but success is an error.
pub fn run(mut command: Command) -> Result<()> {
    let status = command
        .status()
        .with_context(|| format!("cannot start `{}`", describe(&command)))?;
    check(&command, status)
}

/// Runs several commands at the same time; anything but success of all is an error.
pub fn run_together(commands: impl IntoIterator<Item = Command>) -> Result<()> {
    let mut started = Vec::new();
    for mut command in commands {
        let child = command
            .spawn()
            .with_context(|| format!("cannot start `{}`", describe(&command)))?;
        started.push((command, child));
    }
    let mut outcome = Ok(());
    for (command, mut child) in started {
        outcome = outcome.and(check(&command, child.wait()?));
    }
    outcome
}

/// Runs a command and gives what it printed on standard output; its standard error is shown only on failure.
pub fn output(mut command: Command) -> Result<String> {
    let output = command
        .output()
        .with_context(|| format!("cannot start `{}`", describe(&command)))?;
    if !output.status.success() {
        io::stderr().write_all(&output.stderr)?;
    }
    check(&command, output.status)?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Runs a command whose output is both shown and read, line by line.
pub fn tee(mut command: Command, mut read: impl FnMut(&str)) -> Result<()> {
    let (reader, writer) = io::pipe()?;
    command.stdout(writer.try_clone()?).stderr(writer);
    let mut child = command
        .spawn()
        .with_context(|| format!("cannot start `{}`", describe(&command)))?;
    // The command holds our ends of the pipe, which has to be closed for the reading below to end.
    command.stdout(io::stdout()).stderr(io::stderr());
    for line in BufReader::new(reader).split(b'\n') {
        let line = line?;
        let line = String::from_utf8_lossy(&line);
        println!("{line}");
        read(&line);
    }
    check(&command, child.wait()?)
}

fn check(command: &Command, status: ExitStatus) -> Result<()> {
    match status.code() {
        Some(0) => Ok(()),
        Some(code) => bail!("`{}` ended with exit code {code}", describe(command)),
        None => bail!("`{}` was stopped: {status}", describe(command)),
    }
}

fn describe(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn failure_names_command_and_code() {
        let error = run(shell("exit 3")).unwrap_err().to_string();
        assert_eq!(error, "`sh -c exit 3` ended with exit code 3");
        let error = run(new("no-such-program")).unwrap_err().to_string();
        assert_eq!(error, "cannot start `no-such-program`");
    }

    #[test]
    fn added_folders_come_first() {
        let folder = tempfile::tempdir().unwrap();
        let mut command = shell("printf %s \"$PATH\"");
        extend_path(&mut command, vec![folder.path().to_owned()]).unwrap();
        let path = output(command).unwrap();
        assert_eq!(
            env::split_paths(&path).next().as_deref(),
            Some(folder.path())
        );
    }

    #[test]
    fn programs_are_found_on_the_path() {
        assert!(find("sh").is_some());
        assert_eq!(find("no-such-program"), None);
    }

    #[test]
    fn tee_reads_both_streams() {
        let mut lines = Vec::new();
        tee(shell("echo out; echo err >&2"), |line| {
            lines.push(line.to_owned())
        })
        .unwrap();
        assert_eq!(lines, ["out", "err"]);
    }
}

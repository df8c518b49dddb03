//! Shared by all tasks: a shell in the root of the repository, paths, and file helpers.

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use walkdir::WalkDir;
use xshell::{Cmd, Shell, cmd};

/// A shell and a cache folder.
pub struct Context {
    /// Runs programs in the root of the repository.
    pub sh: Shell,
    cache: PathBuf,
    root: PathBuf,
}

impl Context {
    /// Finds the repository and the cache folder. Build output goes into the cache unless
    /// `CARGO_TARGET_DIR` is set.
    pub fn new() -> Result<Self> {
        let cache = dnd_files::cache_folder().context(
            "cannot find the home folder: set DND_CACHE to a folder for models and build output",
        )?;
        let cache = std::path::absolute(cache)?;
        // The run-time value wins: clones share build output, so the compile-time one may be
        // another's.
        let package = env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let root = package.parent().unwrap_or(&package).to_path_buf();
        let sh = Shell::new()?;
        sh.change_dir(&root);
        if env::var_os("CARGO_TARGET_DIR").is_none() {
            sh.set_var("CARGO_TARGET_DIR", cache.join("target"));
        }
        Ok(Self { sh, cache, root })
    }

    /// A path in the repository.
    pub fn root(&self, place: impl AsRef<Path>) -> PathBuf {
        self.root.join(place)
    }

    /// A path in the cache folder; ARCHITECTURE.md lists its contents.
    pub fn cache(&self, place: impl AsRef<Path>) -> PathBuf {
        self.cache.join(place)
    }

    /// Locks the cache against other processes, waiting if needed. Dropping the returned file
    /// releases the lock.
    pub fn lock(&self) -> Result<File> {
        create_folder(&self.cache)?;
        let path = self.cache(".lock");
        let file =
            File::create(&path).with_context(|| format!("cannot create {}", path.display()))?;
        file.lock()
            .with_context(|| format!("cannot lock {}", path.display()))?;
        Ok(file)
    }

    /// Python 3, by its name on this platform.
    pub fn python(&self) -> Cmd<'_> {
        let python = if cfg!(windows) { "python" } else { "python3" };
        cmd!(self.sh, "{python}")
    }

    /// Builds the workspace and returns the path of one of its programs. Always builds the whole
    /// workspace: cargo unifies features over the selected packages, and recompiles burn for each
    /// set of features.
    pub fn build(&self, kind: &[&str], program: &str) -> Result<PathBuf> {
        cmd!(self.sh, "cargo build --release --workspace {kind...}").run()?;
        let target = PathBuf::from(self.sh.var_os("CARGO_TARGET_DIR").unwrap_or_default());
        let name = format!("{program}{}", env::consts::EXE_SUFFIX);
        let path = self.root(target).join("release").join(name);
        anyhow::ensure!(
            path.exists(),
            "{}: expected this program after `cargo build`, found none",
            path.display()
        );
        Ok(path)
    }

    /// Builds `dnd` and returns its path.
    pub fn dnd(&self) -> Result<PathBuf> {
        self.build(&[], "dnd")
    }
}

/// Creates a folder and its parents.
pub fn create_folder(folder: &Path) -> Result<()> {
    Ok(dnd_files::make_folder(folder)?)
}

/// Creates an empty folder, deleting any existing one.
pub fn renew_folder(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)
            .with_context(|| format!("cannot delete {}", folder.display()))?;
    }
    create_folder(folder)
}

/// Copies a file, creating its folder. Returns its size in bytes.
pub fn copy(from: &Path, to: &Path) -> Result<u64> {
    if let Some(folder) = to.parent() {
        create_folder(folder)?;
    }
    fs::copy(from, to)
        .with_context(|| format!("cannot copy {} to {}", from.display(), to.display()))
}

/// All files under a folder, relative to it, sorted.
pub fn walk(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in WalkDir::new(folder).sort_by_file_name() {
        let entry = entry.with_context(|| format!("cannot read {}", folder.display()))?;
        if !entry.file_type().is_dir() {
            found.push(entry.path().strip_prefix(folder)?.to_owned());
        }
    }
    found.sort();
    Ok(found)
}

/// The SHA-256 of a file, in lower-case hexadecimal.
pub fn sha256(path: &Path) -> Result<String> {
    Ok(dnd_files::sha256(&dnd_files::read(path)?))
}

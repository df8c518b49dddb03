//! What every task needs: a shell in the repository's root, and the places in the cache folder.

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
    /// Finds the repository and the cache folder. Build output goes into the cache unless the user
    /// chose another place.
    pub fn new() -> Result<Self> {
        let cache = dnd_files::cache_folder().context(
            "no home folder is known: set DND_CACHE to a folder for models and build output",
        )?;
        let cache = std::path::absolute(cache)?;
        // As cargo says when it starts this program: two clones may share what one compiled.
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

    /// A place in the repository.
    pub fn root(&self, place: impl AsRef<Path>) -> PathBuf {
        self.root.join(place)
    }

    /// A place in the cache folder; ARCHITECTURE.md lists them.
    pub fn cache(&self, place: impl AsRef<Path>) -> PathBuf {
        self.cache.join(place)
    }

    /// Waits until no other process changes the cache. The lock ends with the returned file.
    pub fn lock(&self) -> Result<File> {
        create_folder(&self.cache)?;
        let path = self.cache(".lock");
        let file =
            File::create(&path).with_context(|| format!("cannot create {}", path.display()))?;
        file.lock()
            .with_context(|| format!("cannot lock {}", path.display()))?;
        Ok(file)
    }

    /// Python 3 under the name that it has on this platform.
    pub fn python(&self) -> Cmd<'_> {
        let python = if cfg!(windows) { "python" } else { "python3" };
        cmd!(self.sh, "{python}")
    }

    /// Builds the workspace and gives a program of it. The whole workspace is named, because cargo
    /// unites features over the packages it is given, and compiles burn again for each set.
    pub fn build(&self, kind: &[&str], program: &str) -> Result<PathBuf> {
        cmd!(self.sh, "cargo build --release --workspace {kind...}").run()?;
        let target = PathBuf::from(self.sh.var_os("CARGO_TARGET_DIR").unwrap_or_default());
        let name = format!("{program}{}", env::consts::EXE_SUFFIX);
        let path = self.root(target).join("release").join(name);
        anyhow::ensure!(
            path.exists(),
            "{}: cargo built the workspace and left no such program",
            path.display()
        );
        Ok(path)
    }

    /// The program `dnd`.
    pub fn dnd(&self) -> Result<PathBuf> {
        self.build(&[], "dnd")
    }
}

/// Makes a folder with all that lead to it.
pub fn create_folder(folder: &Path) -> Result<()> {
    Ok(dnd_files::make_folder(folder)?)
}

/// Makes an empty folder in the place of whatever folder was there.
pub fn renew_folder(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)
            .with_context(|| format!("cannot delete {}", folder.display()))?;
    }
    create_folder(folder)
}

/// Copies a file; its folder need not exist yet. Gives its size.
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

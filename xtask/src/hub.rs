//! Models from the Hugging Face Hub.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, anyhow};
use hf_hub::api::sync::ApiBuilder;
use hf_hub::{Repo, RepoType};

use crate::cache::Cache;
use crate::models::Model;

/// Fetches the files of a model into `folder`. `HF_ENDPOINT` and the user's token are respected.
pub fn fetch(model: &Model, cache: &Cache, folder: &Path) -> Result<()> {
    // A folder of our own: the shared hub cache would keep a second copy.
    let downloads = cache.wheels().join("hub");
    let fetched = download(model, &downloads, folder);
    if downloads.exists() {
        fs::remove_dir_all(&downloads)
            .with_context(|| format!("cannot delete {}", downloads.display()))?;
    }
    fetched
}

fn download(model: &Model, downloads: &Path, folder: &Path) -> Result<()> {
    let (name, revision) = model.hub;
    let api = ApiBuilder::from_env()
        .with_cache_dir(downloads.to_path_buf())
        .build()?;
    let repository = api.repo(Repo::with_revision(
        name.to_owned(),
        RepoType::Model,
        revision.to_owned(),
    ));
    for file in model.files {
        let source = repository
            .get(file.name)
            .map_err(|error| anyhow!("cannot fetch {}: {error}", repository.url(file.name)))?;
        let path = folder.join(file.name);
        fs::copy(source, &path).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

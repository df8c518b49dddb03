//! Model files in the origin private file system, one file each, named by SHA-256.
//!
//! Partial downloads are stored too, so that they can be resumed. A file is complete when it
//! has all its bytes; its hash is checked at every read.

use js_sys::Uint8Array;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    File, FileSystemDirectoryHandle, FileSystemFileHandle, FileSystemGetDirectoryOptions,
    FileSystemGetFileOptions, FileSystemReadWriteOptions, FileSystemSyncAccessHandle,
};

use super::failure::reason;
use super::reply::scope;
use dnd_web::manifest::{Manifest, ModelFile};

/// Name of the folder.
const FOLDER: &str = "models";
/// Attempts to open a file that another worker has locked, 100 ms apart. A worker that was just
/// terminated releases its files a moment later.
const ATTEMPTS: usize = 10;

/// The folder of model files.
pub struct Store {
    folder: FileSystemDirectoryHandle,
}

impl Store {
    /// Opens the folder; fails when the browser refuses storage.
    pub async fn open() -> Result<Self, String> {
        let open = async {
            let root = JsFuture::from(scope().navigator().storage().get_directory()).await?;
            let options = FileSystemGetDirectoryOptions::new();
            options.set_create(true);
            let root: FileSystemDirectoryHandle = root.unchecked_into();
            JsFuture::from(root.get_directory_handle_with_options(FOLDER, &options)).await
        };
        let folder = open.await.map_err(|error: JsValue| reason(&error))?;
        Ok(Self {
            folder: folder.unchecked_into(),
        })
    }

    /// Bytes of these files that are stored.
    pub async fn stored(&self, files: &[ModelFile]) -> u64 {
        let mut stored = 0;
        for file in files {
            if let Ok(Some(found)) = self.file(file).await {
                stored += (found.size() as u64).min(file.bytes);
            }
        }
        stored
    }

    /// The stored bytes of a file, complete or not; empty when it is absent or cannot be read.
    pub async fn read(&self, file: &ModelFile) -> Vec<u8> {
        let read = async {
            let Some(found) = self.file(file).await? else {
                return Ok(Vec::new());
            };
            let buffer = JsFuture::from(found.array_buffer()).await?;
            Ok::<_, JsValue>(Uint8Array::new(&buffer).to_vec())
        };
        read.await.unwrap_or_default()
    }

    /// Opens a file to append to it at `offset` and truncates it there. `None` when another tab
    /// is writing it.
    pub async fn append(
        &self,
        file: &ModelFile,
        offset: usize,
    ) -> Result<Option<Appender>, String> {
        let options = FileSystemGetFileOptions::new();
        options.set_create(true);
        let handle = self
            .folder
            .get_file_handle_with_options(&file.sha256, &options);
        let handle = JsFuture::from(handle).await.map_err(|e| reason(&e))?;
        let handle: FileSystemFileHandle = handle.unchecked_into();
        let mut attempt = 1;
        let access = loop {
            match JsFuture::from(handle.create_sync_access_handle()).await {
                Ok(access) => break access.unchecked_into::<FileSystemSyncAccessHandle>(),
                Err(error) if !is_locked(&error) => return Err(reason(&error)),
                Err(_) if attempt == ATTEMPTS => return Ok(None),
                Err(_) => gloo::timers::future::TimeoutFuture::new(100).await,
            }
            attempt += 1;
        };
        let appender = Appender {
            access,
            offset: offset as f64,
        };
        let cut = appender.access.truncate_with_f64(appender.offset);
        cut.map_err(|error| reason(&error))?;
        Ok(Some(appender))
    }

    /// Deletes a file, if it is there.
    pub async fn remove(&self, file: &ModelFile) {
        // Deleting an absent file fails, which does not matter.
        let _ = JsFuture::from(self.folder.remove_entry(&file.sha256)).await;
    }

    /// Deletes all files except those of `keep`; fails when one is in use.
    pub async fn remove_others(&self, keep: Option<&Manifest>) -> Result<(), String> {
        for name in self.names().await.map_err(|error| reason(&error))? {
            let is_kept = keep.is_some_and(|m| m.all_files().any(|file| file.sha256 == name));
            if !is_kept {
                let removed = JsFuture::from(self.folder.remove_entry(&name)).await;
                removed.map_err(|error| reason(&error))?;
            }
        }
        Ok(())
    }

    async fn names(&self) -> Result<Vec<String>, JsValue> {
        let mut names = Vec::new();
        let keys = self.folder.keys();
        loop {
            let next = JsFuture::from(keys.next()?).await?;
            let next: js_sys::IteratorNext = next.unchecked_into();
            if next.done() {
                return Ok(names);
            }
            names.extend(next.value().as_string());
        }
    }

    async fn file(&self, file: &ModelFile) -> Result<Option<File>, JsValue> {
        let Ok(handle) = JsFuture::from(self.folder.get_file_handle(&file.sha256)).await else {
            return Ok(None);
        };
        let handle: FileSystemFileHandle = handle.unchecked_into();
        let file = JsFuture::from(handle.get_file()).await?;
        Ok(Some(file.unchecked_into()))
    }
}

fn is_locked(error: &JsValue) -> bool {
    let exception = error.dyn_ref::<web_sys::DomException>();
    exception.is_some_and(|exception| exception.name() == "NoModificationAllowedError")
}

/// A file that is being written; others cannot open it until this is dropped.
pub struct Appender {
    access: FileSystemSyncAccessHandle,
    offset: f64,
}

impl Appender {
    /// Appends bytes; fails when there is no room for them.
    pub fn write(&mut self, bytes: &Uint8Array) -> Result<(), String> {
        let options = FileSystemReadWriteOptions::new();
        options.set_at(self.offset);
        let written = self
            .access
            .write_with_buffer_source_and_options(bytes, &options)
            .map_err(|error| reason(&error))?;
        if written < f64::from(bytes.length()) {
            return Err("the browser stored only a part of the data".to_owned());
        }
        self.offset += written;
        Ok(())
    }

    /// Truncates the file to start over.
    pub fn restart(&mut self) -> Result<(), String> {
        self.offset = 0.0;
        self.access
            .truncate_with_f64(0.0)
            .map_err(|error| reason(&error))
    }
}

impl Drop for Appender {
    fn drop(&mut self) {
        self.access.close();
    }
}

/// SHA-256 of `bytes` in lower-case hexadecimal.
pub async fn sha256(bytes: &[u8]) -> Result<String, String> {
    let crypto = js_sys::Reflect::get(&js_sys::global(), &JsValue::from("crypto"))
        .map_err(|error| reason(&error))?;
    let crypto: web_sys::Crypto = crypto.unchecked_into();
    let digest = async {
        let promise = crypto
            .subtle()
            .digest_with_str_and_u8_array("SHA-256", bytes)?;
        JsFuture::from(promise).await
    };
    let digest = digest.await.map_err(|error: JsValue| reason(&error))?;
    let digest = Uint8Array::new(&digest).to_vec();
    Ok(digest.iter().map(|byte| format!("{byte:02x}")).collect())
}

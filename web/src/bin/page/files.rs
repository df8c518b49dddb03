//! Prompts from files: chosen, dropped, or one of the examples.

use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{DragEvent, File, Response};

use super::data::Example;
use super::format;
use super::state::State;
use super::text_box::{self, Table};
use dnd_adapter::prompts::{self, PromptFile};
use dnd_web::review;

/// Maximum size of a file in bytes. Reading a larger one would block the page.
const LARGEST: f64 = 16e6;

/// Puts an example into the box, unless the text is changed in the meantime.
pub fn open_example(state: State, example: &'static Example, from_link: bool) {
    let prompt_box = state.prompt_box;
    let turn = prompt_box.begin();
    spawn_local(async move {
        let found = fetch_text(&format!("examples/{}", example.file)).await;
        if !prompt_box.is_last(turn) {
            return;
        }
        match found.and_then(|text| parse(&text, example.file)) {
            Ok(found) => {
                let text = review::to_text(&found.texts());
                if from_link {
                    text_box::replace_unsaved(state, &text);
                } else {
                    text_box::replace_and_save(state, &text);
                }
                let text = state.text.get_untracked();
                state.example.set(Some((example.link, text)));
            }
            Err(reason) => prompt_box.show_error(format!(
                "The example could not be opened. {} Check the connection and try again.",
                format::sentence(&reason)
            )),
        }
    });
}

async fn fetch_text(address: &str) -> Result<String, String> {
    let unreachable = || format!("{address} cannot be reached");
    let response = JsFuture::from(window().fetch_with_str(address))
        .await
        .map_err(|_| unreachable())?;
    let response: Response = response.dyn_into().map_err(|_| unreachable())?;
    if !response.ok() {
        return Err(format!(
            "{address}: the server answered {}",
            response.status()
        ));
    }
    let text = response.text().map_err(|_| unreachable())?;
    let text = JsFuture::from(text).await.map_err(|_| unreachable())?;
    text.as_string().ok_or_else(unreachable)
}

/// Allows files to be dropped; dragged text is left to the browser.
pub fn allow_drop(state: State, event: &DragEvent) {
    if carries_files(event) {
        event.prevent_default();
        state.dropping.set(true);
    }
}

/// Reads a dropped file.
pub fn drop(state: State, event: &DragEvent) {
    state.dropping.set(false);
    if !carries_files(event) {
        return;
    }
    // Otherwise the browser would navigate to the file.
    event.prevent_default();
    text_box::read_box_now(state);
    let files = event.data_transfer().and_then(|transfer| transfer.files());
    match files {
        Some(files) if files.length() > 1 => state.prompt_box.show_error(
            "Several files were dropped. Drop one file that has all prompts of the task."
                .to_owned(),
        ),
        Some(files) => {
            if let Some(file) = files.get(0) {
                open(state, file);
            }
        }
        None => {}
    }
}

fn carries_files(event: &DragEvent) -> bool {
    event
        .data_transfer()
        .is_some_and(|transfer| transfer.types().includes(&JsValue::from_str("Files"), 0))
}

/// Reads a file into the box; if that fails, the box stays as it is.
pub fn open(state: State, file: File) {
    // Reads what was typed now: done later, that would clear the message about the file.
    text_box::read_box_now(state);
    let prompt_box = state.prompt_box;
    let name = file.name();
    let turn = prompt_box.begin();
    spawn_local(async move {
        let read = read(file).await;
        if !prompt_box.is_last(turn) {
            return;
        }
        let text = read.and_then(|bytes| decode(&bytes, &name));
        let table = text.as_ref().ok();
        let table = table.and_then(|text| Table::of(text, extension(&name), &name));
        match text.and_then(|text| parse(&text, &name)) {
            Ok(found) => {
                let text = review::to_text(&found.texts());
                text_box::replace_and_save(state, &text);
                let read = format::prompts(found.prompts.len());
                let notes: String = found.notes.iter().map(|note| format!(" {note}")).collect();
                prompt_box
                    .message
                    .set(format!("Read {read} from {name}.{notes}"));
                prompt_box.table.set(table);
            }
            Err(reason) => {
                let next = match table {
                    Some(_) => "Choose the column of the prompts below.",
                    None => "The box was not changed.",
                };
                prompt_box.show_error(format!("{} {next}", format::sentence(&reason)));
                prompt_box.table.set(table);
            }
        }
    });
}

/// The bytes of a file that is not too large.
async fn read(file: File) -> Result<Vec<u8>, String> {
    let (name, size) = (file.name(), file.size());
    if size > LARGEST {
        return Err(format!(
            "{name}: expected a file of at most 16 MB, found {}. A part of the file is enough.",
            format::size(size as u64)
        ));
    }
    let blob = gloo::file::Blob::from(file);
    let bytes = gloo::file::futures::read_as_bytes(&blob).await;
    bytes.map_err(|error| format!("{name}: the browser cannot read it: {error}."))
}

/// The text of a file.
///
/// # Errors
/// A sentence, when it is too large, cannot be read or is no text.
pub async fn read_text(file: File) -> Result<String, String> {
    let name = file.name();
    let bytes = read(file).await?;
    prompts::decode(&bytes, &name).map_err(|error| format::sentence(&error.to_string()))
}

/// The single file that is dropped; the browser would navigate to it otherwise.
pub fn dropped(event: &DragEvent) -> Option<File> {
    if !carries_files(event) {
        return None;
    }
    event.prevent_default();
    let files = event.data_transfer()?.files()?;
    (files.length() == 1).then(|| files.get(0)).flatten()
}

fn extension(name: &str) -> &str {
    name.rsplit_once('.').map_or("", |(_, extension)| extension)
}

fn decode(bytes: &[u8], name: &str) -> Result<String, String> {
    let text = prompts::decode(bytes, name);
    text.map_err(|error| error.to_string())
}

/// The prompts of a file, and what was guessed.
fn parse(text: &str, name: &str) -> Result<PromptFile, String> {
    let found = prompts::parse(text, extension(name), name);
    found.map_err(|error| error.to_string())
}

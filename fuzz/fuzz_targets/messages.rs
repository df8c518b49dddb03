//! Messages between the page and its worker.

#![no_main]

use dnd_web::protocol::{Envelope, Event, Request};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(message) = serde_json::from_str::<Envelope<Request>>(text) {
        let _ = serde_json::to_string(&message);
    }
    if let Ok(message) = serde_json::from_str::<Envelope<Event>>(text) {
        let _ = serde_json::to_string(&message);
    }
});

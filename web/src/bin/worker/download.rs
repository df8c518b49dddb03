//! Downloads a model file and resumes a partial download.

use js_sys::Uint8Array;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{ReadableStreamDefaultReader, Request, RequestCache, RequestInit, Response};

use super::failure::{Failure, reason};
use super::reply::{Reply, scope};
use super::store::Appender;
use dnd_web::manifest::ModelFile;
use dnd_web::protocol::{Cause, Event, Progress, Stage};

/// Delays before retries, in milliseconds.
const PAUSES: [u32; 3] = [300, 1_000, 3_000];
/// Milliseconds between two reports.
const REPORT_EVERY: f64 = 100.0;

/// Milliseconds since the worker started.
pub fn now() -> f64 {
    scope().performance().map_or(0.0, |clock| clock.now())
}

/// Counts the bytes of one or more downloads and reports progress to the page.
pub struct Meter {
    reply: Reply,
    total: u64,
    done: u64,
    started: f64,
    reported: f64,
}

impl Meter {
    /// A meter for a download of `total` bytes.
    pub fn new(total: u64, reply: Reply) -> Self {
        Self {
            reply,
            total,
            done: 0,
            started: now(),
            reported: f64::NEG_INFINITY,
        }
    }

    /// Adds bytes that have to be downloaded again.
    fn repeat(&mut self, bytes: u64) {
        self.total += bytes;
    }

    fn add(&mut self, bytes: u64) {
        self.done += bytes;
        let time = now();
        if time - self.reported < REPORT_EVERY && self.done < self.total {
            return;
        }
        self.reported = time;
        let seconds = (time - self.started) / 1e3;
        self.reply.post(Event::Progress(Progress {
            stage: Stage::Download,
            done: self.done,
            total: self.total,
            speed: (seconds > 0.0).then(|| self.done as f64 / seconds),
        }));
    }
}

/// A download in progress.
pub struct Download<'a> {
    /// Folder of the manifest, an absolute URL that ends with a slash.
    pub base: &'a str,
    /// Which file.
    pub file: &'a ModelFile,
    /// The bytes received so far.
    pub bytes: Vec<u8>,
    /// Where bytes are stored as they arrive, if anywhere.
    pub appender: Option<Appender>,
    /// Why storing stopped.
    pub not_stored: Option<String>,
}

impl Download<'_> {
    /// Downloads the missing bytes.
    pub async fn complete(&mut self, meter: &mut Meter) -> Result<(), Failure> {
        let mut pauses = PAUSES.into_iter();
        let mut most_received = self.bytes.len();
        while (self.bytes.len() as u64) < self.file.bytes {
            let Err(failure) = self.attempt(meter).await else {
                continue;
            };
            if failure.cause != Cause::Download {
                return Err(failure);
            }
            // Progress resets the retries.
            if self.bytes.len() > most_received {
                most_received = self.bytes.len();
                pauses = PAUSES.into_iter();
            }
            let Some(pause) = pauses.next() else {
                return Err(failure);
            };
            gloo::timers::future::TimeoutFuture::new(pause).await;
        }
        Ok(())
    }

    /// Makes one request for the missing bytes; fails when fewer arrive.
    async fn attempt(&mut self, meter: &mut Meter) -> Result<(), Failure> {
        let response = self.request().await.map_err(|e| self.broken(&reason(&e)))?;
        let kind = response.headers().get("Content-Type").ok().flatten();
        // Some servers answer with a page of their own instead of an error.
        if kind.is_some_and(|kind| kind.starts_with("text/html")) && response.ok() {
            return Err(self.outdated("a web page stands in its place"));
        }
        match response.status() {
            206 => {}
            // The server ignored the range: start over.
            200 => self.restart(meter),
            404 | 410 => return Err(self.outdated("the server does not have it")),
            416 => return Err(self.other_size("fewer")),
            status => return Err(self.broken(&format!("the server answered {status}"))),
        }
        let body = response.body().ok_or_else(|| self.broken("no content"))?;
        let reader: ReadableStreamDefaultReader = body.get_reader().unchecked_into();
        loop {
            let chunk = JsFuture::from(reader.read()).await;
            let chunk = chunk.map_err(|e| self.broken(&reason(&e)))?;
            let next: js_sys::IteratorNext = chunk.unchecked_into();
            if next.done() {
                break;
            }
            self.take(&next.value().unchecked_into(), meter);
            if self.bytes.len() as u64 > self.file.bytes {
                // The rest is of no use; whether the browser cancels it does not matter.
                let _ = reader.cancel();
                return Err(self.other_size("more"));
            }
        }
        // A broken connection is an error above: here the server ended the response.
        if (self.bytes.len() as u64) < self.file.bytes {
            return Err(self.other_size("fewer"));
        }
        Ok(())
    }

    async fn request(&self) -> Result<Response, JsValue> {
        let options = RequestInit::new();
        // The page stores the file itself; the HTTP cache would hold a second copy.
        options.set_cache(RequestCache::NoStore);
        let url = format!("{}{}", self.base, self.file.path);
        let request = Request::new_with_str_and_init(&url, &options)?;
        if !self.bytes.is_empty() {
            let range = format!("bytes={}-", self.bytes.len());
            request.headers().set("Range", &range)?;
        }
        let response = JsFuture::from(scope().fetch_with_request(&request)).await?;
        response.dyn_into()
    }

    fn take(&mut self, chunk: &Uint8Array, meter: &mut Meter) {
        if let Some(appender) = &mut self.appender
            && let Err(reason) = appender.write(chunk)
        {
            self.stop_storing(reason);
        }
        let start = self.bytes.len();
        self.bytes.resize(start + chunk.length() as usize, 0);
        chunk.copy_to(&mut self.bytes[start..]);
        meter.add(u64::from(chunk.length()));
    }

    fn restart(&mut self, meter: &mut Meter) {
        meter.repeat(self.bytes.len() as u64);
        self.bytes.clear();
        let restarted = self.appender.as_mut().map(Appender::restart);
        if let Some(Err(reason)) = restarted {
            self.stop_storing(reason);
        }
    }

    fn stop_storing(&mut self, reason: String) {
        self.appender = None;
        self.not_stored = Some(reason);
    }

    fn other_size(&self, found: &str) -> Failure {
        Failure::new(
            Cause::Corrupt,
            format!(
                "{}: expected {} bytes, as the manifest says, found {found} on the server.",
                self.file.path, self.file.bytes
            ),
        )
    }

    fn outdated(&self, what: &str) -> Failure {
        let message = format!("{}: {what}.", self.file.path);
        Failure::new(Cause::Outdated, message)
    }

    fn broken(&self, what: &str) -> Failure {
        Failure::new(
            Cause::Download,
            format!(
                "{}: the download stopped after {} of {} bytes ({what}).",
                self.file.path,
                self.bytes.len(),
                self.file.bytes
            ),
        )
    }
}

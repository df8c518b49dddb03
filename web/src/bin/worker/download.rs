//! Fetching a model file, going on where an earlier attempt broke off.

use js_sys::Uint8Array;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{ReadableStreamDefaultReader, Request, RequestCache, RequestInit, Response};

use super::reply::{Reply, scope};
use super::store::Appender;
use super::{Failure, reason};
use dnd_web::manifest::ModelFile;
use dnd_web::protocol::{Cause, Event, Progress, Stage};

/// How long to wait before another attempt, in milliseconds; after the last one it is a failure.
const PAUSES: [u32; 3] = [300, 1_000, 3_000];
/// Milliseconds between two reports.
const REPORT_EVERY: f64 = 100.0;

/// Milliseconds since the worker started.
pub fn now() -> f64 {
    scope().performance().map_or(0.0, |clock| clock.now())
}

/// Counts the bytes of one or more downloads and tells the page.
pub struct Meter {
    reply: Reply,
    total: u64,
    done: u64,
    started: f64,
    reported: f64,
}

impl Meter {
    /// For `total` bytes that are to be fetched.
    pub fn new(total: u64, reply: Reply) -> Self {
        Self {
            reply,
            total,
            done: 0,
            started: now(),
            reported: f64::NEG_INFINITY,
        }
    }

    /// Bytes that came have to come again.
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

/// A file on its way.
pub struct Download<'a> {
    /// Folder of the manifest, an absolute URL that ends with a slash.
    pub base: &'a str,
    /// Which file.
    pub file: &'a ModelFile,
    /// What has come so far.
    pub bytes: Vec<u8>,
    /// Where it is stored as it comes, if anywhere.
    pub appender: Option<Appender>,
    /// Why it is no longer stored.
    pub not_stored: Option<String>,
}

impl Download<'_> {
    /// Fetches all that is missing.
    pub async fn complete(&mut self, meter: &mut Meter) -> Result<(), Failure> {
        let mut pauses = PAUSES.into_iter();
        let mut farthest = self.bytes.len();
        while (self.bytes.len() as u64) < self.file.bytes {
            let Err(failure) = self.attempt(meter).await else {
                continue;
            };
            if failure.cause == Cause::Corrupt {
                return Err(failure);
            }
            // A connection that brought something new is as good as a first one.
            if self.bytes.len() > farthest {
                farthest = self.bytes.len();
                pauses = PAUSES.into_iter();
            }
            let Some(pause) = pauses.next() else {
                return Err(failure);
            };
            gloo::timers::future::TimeoutFuture::new(pause).await;
        }
        Ok(())
    }

    /// One request, for what is missing; fails when it brings less.
    async fn attempt(&mut self, meter: &mut Meter) -> Result<(), Failure> {
        let response = self.request().await.map_err(|e| self.broken(&reason(&e)))?;
        match response.status() {
            206 => {}
            // The server knows no ranges: from the beginning.
            200 => self.restart(meter),
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
                // What is still to come is of no use; whether the browser stops it does not matter.
                let _ = reader.cancel();
                return Err(self.other_size("more"));
            }
        }
        // A connection that breaks is an error above: this is an end that the server meant.
        if (self.bytes.len() as u64) < self.file.bytes {
            return Err(self.other_size("fewer"));
        }
        Ok(())
    }

    async fn request(&self) -> Result<Response, JsValue> {
        let options = RequestInit::new();
        // Kept by this page itself; the browser's own cache would hold it a second time.
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

//! Helpers: other workers that encode a part of the prompts when the CPU computes.
//!
//! A helper runs this same program with its own encoder. Sharing memory would need an unstable
//! compiler. Helpers encode whole groups, so the values are the same without them. If a helper
//! fails or takes too long, this worker encodes its groups.

use std::cell::Cell;
use std::pin::pin;
use std::rc::Rc;

use burn::tensor::{Device, Tensor, TensorData};
use dnd_model::PromptEncoder;
use futures::StreamExt;
use futures::channel::mpsc::{UnboundedReceiver, unbounded};
use futures::future::{Either, select};
use gloo::timers::future::TimeoutFuture;
use js_sys::{Array, Float32Array, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::MessageEvent;

use super::connection::Connection;
use super::download::now;
use super::failure::Failure;
use super::reply::scope;
use dnd_web::manifest::Manifest;
use dnd_web::protocol::{Envelope, Event, Request};

/// Maximum number of helpers: 16 prompts are only two groups, and this worker encodes one.
const MAX_HELPERS: usize = 1;
/// GiB of memory below which there is no room for several encoders.
const MIN_MEMORY_GIB: f64 = 4.0;
/// The query that distinguishes helpers from the page's own worker, in logs and in tests that
/// intercept requests.
const QUERY: &str = "helper";
/// Milliseconds that a helper may take beyond five times the encoding time of this worker.
const GRACE_PERIOD_MS: f64 = 10_000.0;
/// Minimum wait in milliseconds, to receive messages that arrived while this worker computed.
const MIN_WAIT_MS: f64 = 500.0;

/// The helpers of this worker.
#[derive(Default)]
pub struct Helpers {
    helpers: Vec<Helper>,
}

impl Helpers {
    /// Starts one helper for each core but one, up to the maximum, for prompts of `tokens`
    /// tokens. They read the files of the manifest from the store.
    pub fn start(manifest: &Manifest, tokens: usize) -> Self {
        let navigator = scope().navigator();
        let memory = Reflect::get(&navigator, &"deviceMemory".into());
        let most = match memory.ok().and_then(|memory| memory.as_f64()) {
            Some(memory) if memory < MIN_MEMORY_GIB => 0,
            // Not every browser reports the memory size.
            _ => MAX_HELPERS,
        };
        let others = (navigator.hardware_concurrency() as usize).saturating_sub(1);
        // A missing helper only makes encoding slower.
        let helpers = (0..others.min(most)).filter_map(|_| Helper::start(manifest, tokens).ok());
        Self {
            helpers: helpers.collect(),
        }
    }

    /// Waits until all have loaded their models, or failed.
    pub async fn prepare(&mut self) {
        for helper in &mut self.helpers {
            if helper.state.get() == State::Loading {
                helper.said.next().await;
            }
        }
    }

    /// Hidden states (N, L, C) of prompts. The groups are divided evenly among this worker and
    /// the ready helpers; `report` gets the number of prompts done. Also returns the number of
    /// workers.
    pub async fn encode(
        &mut self,
        encoder: &PromptEncoder,
        prompts: &[&str],
        report: &mut dyn FnMut(usize),
    ) -> Result<(Tensor<3>, usize), Failure> {
        let groups = encoder.groups(prompts)?;
        // Drops failed helpers, which only use memory.
        self.helpers
            .retain(|helper| helper.state.get() != State::Failed);
        let ready = self.helpers.iter_mut();
        let ready = ready.filter(|helper| helper.state.get() == State::Ready);
        let mut ready: Vec<&mut Helper> = ready.take(groups.len().saturating_sub(1)).collect();
        let workers = ready.len() + 1;
        // Starts with the longest groups, which are last.
        let (own, others): (Vec<usize>, Vec<usize>) = (0..groups.len())
            .rev()
            .partition(|index| index % workers == 0);
        let mut asked = Vec::new();
        for index in others {
            let group = groups[index].indices.iter();
            let prompts = group.map(|&prompt| prompts[prompt].to_owned()).collect();
            let id = ready[index % workers - 1].ask(Request::Encode { prompts });
            asked.push((index, id));
        }
        let started = now();
        let mut states = vec![None; groups.len()];
        let mut done = 0;
        for index in own {
            states[index] = Some(encoder.encode_group(&groups[index].tokens));
            done += groups[index].tokens.len();
            report(done);
        }
        let until = now() + GRACE_PERIOD_MS + 5.0 * (now() - started);
        for (index, id) in asked {
            let tokens = &groups[index].tokens;
            let shape = [tokens.len(), encoder.length(), encoder.hidden_size()];
            let answer = ready[index % workers - 1].answer(id, shape, until).await;
            states[index] = answer.or_else(|| Some(encoder.encode_group(tokens)));
            done += tokens.len();
            report(done);
        }
        let states = states.into_iter().flatten().collect();
        self.dismiss();
        Ok((encoder.join(&groups, states), workers))
    }

    /// Drops failed helpers, which only use memory.
    fn dismiss(&mut self) {
        self.helpers
            .retain(|helper| helper.state.get() != State::Failed);
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Loading,
    Ready,
    Failed,
}

struct Helper {
    connection: Option<Connection>,
    state: Rc<Cell<State>>,
    /// Encoded states with the id of the request; `None` after a change of state.
    said: UnboundedReceiver<Option<(u32, Tensor<3>)>>,
    /// Number of the last request.
    asked: u32,
}

impl Helper {
    fn start(manifest: &Manifest, tokens: usize) -> Result<Self, JsValue> {
        let state = Rc::new(Cell::new(State::Loading));
        let (sender, said) = unbounded();
        let (hearing, failing) = (Rc::clone(&state), Rc::clone(&state));
        let failed = sender.clone();
        // The script of this worker, wherever it lies.
        let program = scope().location().href();
        let program = program.split('?').next().unwrap_or_default();
        // The receiver lives as long as these functions.
        let connection = Connection::new(
            &format!("{program}?{QUERY}"),
            move |message| match parse_message(&message) {
                HelperMessage::Nothing => {}
                // A failed helper stays failed.
                _ if hearing.get() == State::Failed => {}
                HelperMessage::Ready => {
                    hearing.set(State::Ready);
                    let _ = sender.unbounded_send(None);
                }
                HelperMessage::Encoded(id, states) => {
                    let _ = sender.unbounded_send(Some((id, states)));
                }
                HelperMessage::Failed(reason) => {
                    fail(&hearing, &reason);
                    let _ = sender.unbounded_send(None);
                }
            },
            move |error| {
                // Otherwise it would be an error of this worker too.
                error.prevent_default();
                fail(&failing, "its script stopped");
                let _ = failed.unbounded_send(None);
            },
        )?;
        let mut helper = Self {
            connection: Some(connection),
            state,
            said,
            asked: 0,
        };
        helper.ask(Request::Help {
            manifest: manifest.clone(),
            tokens,
        });
        Ok(helper)
    }

    /// Sends a request and returns its id.
    fn ask(&mut self, request: Request) -> u32 {
        self.asked += 1;
        let id = self.asked;
        // Strings and numbers can always be serialized.
        let text = serde_json::to_string(&Envelope { id, body: request }).unwrap_or_default();
        if let Some(connection) = &self.connection {
            connection.post(&text);
        }
        id
    }

    /// The states encoded for request `id`; `None` if the helper has failed or does not finish
    /// before `until`.
    async fn answer(&mut self, id: u32, shape: [usize; 3], until: f64) -> Option<Tensor<3>> {
        let left = (until - now()).max(MIN_WAIT_MS);
        let mut limit = pin!(TimeoutFuture::new(left as u32));
        while self.state.get() == State::Ready {
            match select(self.said.next(), limit.as_mut()).await {
                Either::Left((Some(Some((answered, states))), _)) if answered == id => {
                    if states.dims() == shape {
                        return Some(states);
                    }
                    fail(&self.state, "values of the wrong shape");
                }
                // A change of state, or an answer to an earlier request.
                Either::Left(_) => {}
                Either::Right(_) => fail(&self.state, "no answer in time"),
            }
        }
        None
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            connection.end();
        }
    }
}

/// Marks a helper as failed and logs the reason to the console.
fn fail(state: &Cell<State>, reason: &str) {
    state.set(State::Failed);
    web_sys::console::info_1(&format!("A helper failed: {reason}").into());
}

/// A message from a helper.
#[allow(
    clippy::large_enum_variant,
    reason = "it exists only while a message is handled"
)]
enum HelperMessage {
    Ready,
    Encoded(u32, Tensor<3>),
    Failed(String),
    Nothing,
}

fn parse_message(message: &MessageEvent) -> HelperMessage {
    let parts = Array::from(&message.data());
    let text = parts.get(0).as_string().unwrap_or_default();
    let Ok(Envelope { id, body }) = serde_json::from_str(&text) else {
        return HelperMessage::Failed("it has another version".to_owned());
    };
    match body {
        Event::Prepared => HelperMessage::Ready,
        Event::Encoded { shape } => {
            let bytes: Uint8Array = parts.get(1).unchecked_into();
            let numbers = Float32Array::new(&bytes.buffer()).to_vec();
            if numbers.len() != shape.iter().product::<usize>() {
                return HelperMessage::Failed("wrong number of values".to_owned());
            }
            let data = TensorData::new(numbers, shape);
            HelperMessage::Encoded(id, Tensor::from_data(data, &Device::flex()))
        }
        Event::Failed { message, .. } => HelperMessage::Failed(message),
        _ => HelperMessage::Nothing,
    }
}

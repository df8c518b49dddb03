//! Other workers that encode a part of the prompts, where the CPU computes.
//!
//! A helper is this same program with an encoder of its own: no memory is shared, which would take a compiler that is not stable. It
//! encodes whole groups, so that the numbers are the same without it. When it fails, or takes too long, this worker does its part.

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

use super::Failure;
use super::download::now;
use super::reply::scope;
use dnd_web::connection::Connection;
use dnd_web::manifest::Manifest;
use dnd_web::protocol::{Envelope, Event, Request};

/// Most helpers: a generator that reads 32 prompts has no more groups to share.
const MOST: usize = 3;
/// Most where the browser does not tell how much memory there is.
const MAX_UNKNOWN: usize = 1;
/// GiB of memory below which there is no room for encoders several times.
const ENOUGH_MEMORY: f64 = 4.0;
/// The program. The query tells a helper from the page's own worker, where requests are logged or answered otherwise, as in tests.
const PROGRAM: &str = "./worker-start.js?helper";
/// Milliseconds that a helper may take beyond five times what this worker took for its part.
const PATIENCE: f64 = 10_000.0;
/// Milliseconds after which whatever was said while this worker computed has been heard.
const ALREADY_SAID: f64 = 500.0;

/// The helpers of this worker.
#[derive(Default)]
pub struct Helpers {
    helpers: Vec<Helper>,
}

impl Helpers {
    /// Starts one for each core but this worker's, for prompts of so many tokens. They read the manifest's files from the store.
    pub fn start(manifest: &Manifest, tokens: usize) -> Self {
        let navigator = scope().navigator();
        let memory = Reflect::get(&navigator, &"deviceMemory".into());
        let most = match memory.ok().and_then(|memory| memory.as_f64()) {
            None => MAX_UNKNOWN,
            Some(memory) if memory < ENOUGH_MEMORY => 0,
            Some(_) => MOST,
        };
        let others = (navigator.hardware_concurrency() as usize).saturating_sub(1);
        // Without a helper it only takes longer.
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

    /// Hidden states (N, L, C) of prompts, of which this worker and those that are ready encode about as many groups each; `report`
    /// hears how many are done. Gives the number of workers too that were to encode them.
    pub async fn encode(
        &mut self,
        encoder: &PromptEncoder,
        prompts: &[&str],
        report: &mut dyn FnMut(usize),
    ) -> Result<(Tensor<3>, usize), Failure> {
        let groups = encoder.groups(prompts)?;
        // One that failed takes room for nothing.
        self.helpers
            .retain(|helper| helper.state.get() != State::Failed);
        let ready = self.helpers.iter_mut();
        let ready = ready.filter(|helper| helper.state.get() == State::Ready);
        let mut ready: Vec<&mut Helper> = ready.take(groups.len().saturating_sub(1)).collect();
        let workers = ready.len() + 1;
        // The longest groups are last, and are begun with.
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
        let until = now() + PATIENCE + 5.0 * (now() - started);
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

    /// Ends those that failed, which take room for nothing.
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
    /// What it encoded, with the number of the request; nothing when its state has changed.
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
        // The receiver lives as long as these functions.
        let connection = Connection::new(
            PROGRAM,
            move |message| match hear(&message) {
                Heard::Nothing => {}
                // What has failed stays so.
                _ if hearing.get() == State::Failed => {}
                Heard::Ready => {
                    hearing.set(State::Ready);
                    let _ = sender.unbounded_send(None);
                }
                Heard::Encoded(id, states) => {
                    let _ = sender.unbounded_send(Some((id, states)));
                }
                Heard::Failed(reason) => {
                    fail(&hearing, &reason);
                    let _ = sender.unbounded_send(None);
                }
            },
            move |error| {
                // Else it would be this worker's error too.
                error.prevent_default();
                fail(&failing, "its program stopped");
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

    /// Sends a request and gives its number.
    fn ask(&mut self, request: Request) -> u32 {
        self.asked += 1;
        let id = self.asked;
        // A request holds texts and numbers, which JSON can always express.
        let text = serde_json::to_string(&Envelope { id, body: request }).unwrap_or_default();
        if let Some(connection) = &self.connection {
            connection.post(&text);
        }
        id
    }

    /// What it encoded for a request, or nothing when it failed, now or before, or is not done at that time.
    async fn answer(&mut self, id: u32, shape: [usize; 3], until: f64) -> Option<Tensor<3>> {
        let left = (until - now()).max(ALREADY_SAID);
        let mut limit = pin!(TimeoutFuture::new(left as u32));
        while self.state.get() == State::Ready {
            match select(self.said.next(), limit.as_mut()).await {
                Either::Left((Some(Some((answered, states))), _)) if answered == id => {
                    if states.dims() == shape {
                        return Some(states);
                    }
                    fail(&self.state, "numbers of another shape");
                }
                // That it is ready, or failed.
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

/// Notes that a helper is of no use, and says why to whoever looks into the browser's console.
fn fail(state: &Cell<State>, reason: &str) {
    state.set(State::Failed);
    web_sys::console::info_1(&format!("A helper failed: {reason}").into());
}

/// What a message of a helper says.
#[allow(
    clippy::large_enum_variant,
    reason = "it lives no longer than a message is heard"
)]
enum Heard {
    Ready,
    Encoded(u32, Tensor<3>),
    Failed(String),
    Nothing,
}

fn hear(message: &MessageEvent) -> Heard {
    let parts = Array::from(&message.data());
    let text = parts.get(0).as_string().unwrap_or_default();
    let Ok(Envelope { id, body }) = serde_json::from_str(&text) else {
        return Heard::Failed("it is of another version".to_owned());
    };
    match body {
        Event::Prepared => Heard::Ready,
        Event::Encoded { shape } => {
            let bytes: Uint8Array = parts.get(1).unchecked_into();
            let numbers = Float32Array::new(&bytes.buffer()).to_vec();
            if numbers.len() != shape.iter().product::<usize>() {
                return Heard::Failed("numbers are missing".to_owned());
            }
            let data = TensorData::new(numbers, shape);
            Heard::Encoded(id, Tensor::from_data(data, &Device::flex()))
        }
        Event::Failed { message, .. } => Heard::Failed(message),
        _ => Heard::Nothing,
    }
}

//! Other workers that encode a part of the prompts, where the CPU computes.
//!
//! A helper is this same program with models of its own: no memory is shared, which would take another compiler and a page that is
//! isolated from other origins. It encodes whole groups, so that the numbers are the same without it.

use std::cell::Cell;
use std::rc::Rc;

use burn::tensor::{Device, Tensor, TensorData};
use dnd_model::Condition;
use futures::StreamExt;
use futures::channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use gloo::events::EventListener;
use js_sys::{Array, Float32Array, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{MessageEvent, Worker, WorkerOptions, WorkerType};

use super::Failure;
use super::messages::scope;
use dnd_web::protocol::{Asked, DeviceChoice, Event, Request, Told};

/// Most helpers: there are no more groups to share.
const MOST: usize = 3;
/// The program; what follows its name tells servers, and tests, whom it is for.
const PROGRAM: &str = "./worker-start.js?helper";
/// GiB of memory, as far as browsers tell, below which there is no room for models several times.
const ENOUGH_MEMORY: f64 = 4.0;

/// The helpers of this worker.
#[derive(Default)]
pub struct Helpers {
    helpers: Vec<Helper>,
}

impl Helpers {
    /// Starts one for each core but this worker's. They read the models from the store, which has to have them.
    pub fn start(base: &str) -> Self {
        let navigator = scope().navigator();
        let memory = Reflect::get(&navigator, &"deviceMemory".into());
        let memory = memory.ok().and_then(|memory| memory.as_f64());
        if memory.is_some_and(|memory| memory < ENOUGH_MEMORY) {
            return Self::default();
        }
        let others = navigator.hardware_concurrency() as usize;
        let count = others.saturating_sub(1).min(MOST);
        // Without a helper it only takes longer.
        let helpers = (0..count).filter_map(|_| Helper::start(base).ok());
        Self {
            helpers: helpers.collect(),
        }
    }

    /// Waits until all have loaded their models, or failed.
    pub async fn prepare(&mut self) {
        for helper in &mut self.helpers {
            if helper.state.get() == State::Loading {
                helper.answers.next().await;
            }
        }
    }

    /// Hidden states (N, L, C) of prompts, of which this worker and those that are ready encode as many groups each; `report` hears
    /// how many are done. Gives the number of workers too.
    pub async fn encode(
        &mut self,
        encoder: &Condition,
        prompts: &[&str],
        report: &mut dyn FnMut(usize),
    ) -> Result<(Tensor<3>, usize), Failure> {
        let groups = encoder.groups(prompts)?;
        let ready = self
            .helpers
            .iter_mut()
            .filter(|helper| helper.state.get() == State::Ready);
        let mut ready: Vec<&mut Helper> = ready.take(groups.len().saturating_sub(1)).collect();
        let workers = ready.len() + 1;
        // The longest groups are last, and are begun with.
        let (own, others): (Vec<usize>, Vec<usize>) = (0..groups.len())
            .rev()
            .partition(|index| index % workers == 0);
        for index in &others {
            let group = groups[*index].indices.iter();
            ready[index % workers - 1].ask(&Request::Encode {
                prompts: group.map(|&prompt| prompts[prompt].to_owned()).collect(),
            });
        }
        let mut states = vec![None; groups.len()];
        let mut done = 0;
        for index in own.into_iter().chain(others) {
            let answer = match index % workers {
                0 => None,
                helper => ready[helper - 1].answer().await,
            };
            states[index] = answer.or_else(|| Some(encoder.encode_group(&groups[index].tokens)));
            done += groups[index].tokens.len();
            report(done);
        }
        let states = states.into_iter().flatten().collect();
        Ok((encoder.join(&groups, states), workers))
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Loading,
    Ready,
    Failed,
}

struct Helper {
    worker: Worker,
    state: Rc<Cell<State>>,
    /// What it encoded; nothing when it is ready, or failed.
    answers: UnboundedReceiver<Option<Tensor<3>>>,
    _listeners: [EventListener; 2],
}

impl Helper {
    fn start(base: &str) -> Result<Self, JsValue> {
        let options = WorkerOptions::new();
        options.set_type(WorkerType::Module);
        let worker = Worker::new_with_options(PROGRAM, &options)?;
        let state = Rc::new(Cell::new(State::Loading));
        let (sender, answers) = unbounded();
        let (hears, fails) = (
            (Rc::clone(&state), sender.clone()),
            (Rc::clone(&state), sender),
        );
        let hear = EventListener::new(&worker, "message", move |event| {
            let (state, sender) = &hears;
            hear(event.unchecked_ref(), state, sender);
        });
        let fail = EventListener::new(&worker, "error", move |_| {
            let (state, sender) = &fails;
            tell(state, State::Failed, sender, None);
        });
        let helper = Self {
            worker,
            state,
            answers,
            _listeners: [hear, fail],
        };
        helper.ask(&Request::Start {
            device: DeviceChoice::Cpu,
            base: base.to_owned(),
        });
        helper.ask(&Request::Help);
        Ok(helper)
    }

    fn ask(&self, request: &Request) {
        let asked = Asked {
            id: 1,
            request: request.clone(),
        };
        // A request holds texts and numbers, which JSON can always express and a worker can always be sent.
        let text = serde_json::to_string(&asked).unwrap_or_default();
        let _ = self.worker.post_message(&Array::of1(&JsValue::from(text)));
    }

    /// What it encoded, or nothing when it failed, now or before.
    async fn answer(&mut self) -> Option<Tensor<3>> {
        while self.state.get() == State::Ready {
            // That it is ready it says once, before it is asked.
            if let Some(Some(states)) = self.answers.next().await {
                return Some(states);
            }
        }
        None
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        self.worker.terminate();
    }
}

fn hear(event: &MessageEvent, state: &Cell<State>, sender: &UnboundedSender<Option<Tensor<3>>>) {
    let parts = Array::from(&event.data());
    let text = parts.get(0).as_string().unwrap_or_default();
    match serde_json::from_str(&text).map(|told: Told| told.event) {
        Ok(Event::Prepared) => tell(state, State::Ready, sender, None),
        Ok(Event::Encoded { shape }) => {
            let bytes: Uint8Array = parts.get(1).unchecked_into();
            let numbers = Float32Array::new(&bytes.buffer()).to_vec();
            let data = TensorData::new(numbers, shape);
            let states = Tensor::from_data(data, &Device::flex());
            tell(state, State::Ready, sender, Some(states));
        }
        Ok(Event::Failed { .. }) | Err(_) => tell(state, State::Failed, sender, None),
        Ok(_) => {}
    }
}

fn tell(
    state: &Cell<State>,
    now: State,
    sender: &UnboundedSender<Option<Tensor<3>>>,
    states: Option<Tensor<3>>,
) {
    state.set(now);
    // The receiver lives as long as the listeners.
    let _ = sender.unbounded_send(states);
}

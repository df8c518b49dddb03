//! The choice of the device, made before any device is initialized.

use std::sync::atomic::{AtomicBool, Ordering};

use burn::tensor::wgpu::WgpuSetup;
use burn::tensor::{Device, Tensor};
use dnd_kernels::blocked::relaxed;
use dnd_model::self_test;
use wasm_bindgen::prelude::*;

use super::failure::{Failure, reason};
use super::reply::Reply;
use dnd_web::protocol::{Cause, DeviceChoice, DeviceReport};

#[wasm_bindgen]
extern "C" {
    /// `navigator.gpu`; in web-sys it is an unstable API.
    #[derive(Clone)]
    type Gpu;
    #[wasm_bindgen(thread_local_v2, js_namespace = navigator, js_name = gpu)]
    static GPU: Option<Gpu>;
    #[wasm_bindgen(method, catch, js_name = requestAdapter)]
    async fn request_adapter(this: &Gpu, options: &JsValue) -> Result<JsValue, JsValue>;

    type GpuAdapter;
    #[wasm_bindgen(method, getter)]
    fn limits(this: &GpuAdapter) -> JsValue;
    #[wasm_bindgen(method, getter)]
    fn info(this: &GpuAdapter) -> JsValue;
    /// Older browsers have this instead of `info.isFallbackAdapter`.
    #[wasm_bindgen(method, getter, js_name = isFallbackAdapter)]
    fn is_fallback_adapter(this: &GpuAdapter) -> Option<bool>;
}

/// Minimum limits of a GPU. The largest tensor is the word embeddings of the encoder, 23 MB in
/// f16; the limits allow for twice that.
const LIMITS: [(&str, f64); 6] = [
    ("maxBufferSize", 64e6),
    ("maxStorageBufferBindingSize", 64e6),
    ("maxStorageBuffersPerShaderStage", 8.0),
    ("maxComputeInvocationsPerWorkgroup", 256.0),
    ("maxComputeWorkgroupSizeX", 256.0),
    ("maxComputeWorkgroupStorageSize", 16_384.0),
];

/// Kernel launches per submission: more than a generation has, so that it is one submission.
const TASKS: usize = 512;
/// The same for a software GPU. Browsers treat a long submission there as a hang.
const SOFTWARE_TASKS: usize = 16;

/// Display name of the CPU.
const CPU: &str = "CPU (WebAssembly)";

/// Whether the GPU was lost while in use.
static GPU_LOST: AtomicBool = AtomicBool::new(false);
/// Whether the GPU is in use. Its loss is ignored after the fallback to the CPU.
static GPU_IN_USE: AtomicBool = AtomicBool::new(false);

/// Whether the GPU was lost while in use.
pub fn is_lost() -> bool {
    GPU_LOST.load(Ordering::Relaxed)
}

/// The chosen device and the report about it.
pub struct Choice {
    /// What the page shows.
    pub report: DeviceReport,
    /// Whether the GPU is a software one.
    software: bool,
    /// The device, once opened: burn opens a GPU only once.
    opened: Option<Device>,
    /// The output of the self-test, once started.
    tested: Option<Tensor<1>>,
}

impl Choice {
    /// The CPU, with the reason why it is not the GPU.
    pub fn cpu(note: impl Into<String>, mut details: Vec<(String, String)>) -> Self {
        let relaxed = match relaxed::enable() {
            Ok(enabled) => enabled.to_string(),
            Err(error) => reason(&error),
        };
        details.push(("Relaxed SIMD".to_owned(), relaxed));
        Self {
            report: DeviceReport {
                gpu: false,
                name: CPU.to_owned(),
                note: Some(note.into()),
                details,
            },
            software: false,
            opened: None,
            tested: None,
        }
    }

    /// Checks the GPU, if there is one, and chooses a device.
    pub async fn make(wanted: DeviceChoice) -> Self {
        if wanted == DeviceChoice::Cpu {
            return Self::cpu("The CPU was requested in the page's address.", Vec::new());
        }
        let gpu = GPU.with(Clone::clone);
        let Some(gpu) = gpu else {
            return Self::cpu(
                "This browser has no WebGPU, so the CPU computes.",
                Vec::new(),
            );
        };
        match Self::of_gpu(&gpu, wanted).await {
            Ok(choice) => choice,
            Err(error) => Self::cpu(
                format!("The GPU cannot be used ({error}), so the CPU computes."),
                Vec::new(),
            ),
        }
    }

    async fn of_gpu(gpu: &Gpu, wanted: DeviceChoice) -> Result<Self, String> {
        let options = js_sys::Object::new();
        let preference = JsValue::from("high-performance");
        set(&options, "powerPreference", &preference);
        let adapter = gpu.request_adapter(&options).await;
        let adapter = adapter.map_err(|error| reason(&error))?;
        if adapter.is_null() {
            return Ok(Self::cpu(
                "The browser offers no GPU to this page, so the CPU computes.",
                Vec::new(),
            ));
        }
        let adapter: GpuAdapter = adapter.unchecked_into();
        let (limits, info) = (adapter.limits(), adapter.info());
        let text = |key: &str| get(&info, key).as_string().unwrap_or_default();
        let described: Vec<String> = ["vendor", "architecture", "description"]
            .map(text)
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect();
        let described = described.join(" ");
        let is_fallback = get(&info, "isFallbackAdapter")
            .as_bool()
            .or_else(|| adapter.is_fallback_adapter())
            .unwrap_or(false);
        let mut details = vec![
            ("GPU".to_owned(), described.clone()),
            ("Software GPU".to_owned(), is_fallback.to_string()),
        ];
        let mut too_small = None;
        for (name, needed) in LIMITS {
            let found = get(&limits, name).as_f64().unwrap_or(0.0);
            details.push((name.to_owned(), found.to_string()));
            if found < needed {
                too_small.get_or_insert(format!(
                    "{name} of the GPU is {found}, but {needed} is needed, so the CPU computes."
                ));
            }
        }
        if let Some(note) = too_small {
            return Ok(Self::cpu(note, details));
        }
        if is_fallback && wanted == DeviceChoice::Auto {
            return Ok(Self::cpu(
                "The browser's only GPU is a software one, so the CPU computes, which is faster.",
                details,
            ));
        }
        let note = is_fallback.then(|| {
            "This is a software GPU, as requested in the page's address. It is slower than the CPU."
                .to_owned()
        });
        Ok(Self {
            report: DeviceReport {
                gpu: true,
                name: format!("GPU (WebGPU, {described})"),
                note,
                details,
            },
            software: is_fallback,
            opened: None,
            tested: None,
        })
    }

    /// Falls back to the CPU for `reason`.
    pub fn fall_back(&mut self, reason: &str) {
        GPU_IN_USE.store(false, Ordering::Relaxed);
        let details = std::mem::take(&mut self.report.details);
        *self = Self::cpu(format!("{reason}, so the CPU computes."), details);
    }

    /// The burn device, initialized on the first call. A later loss of the GPU is reported to
    /// the page.
    pub async fn open(&mut self) -> Result<Device, Failure> {
        if let Some(device) = &self.opened {
            return Ok(device.clone());
        }
        let device = if self.report.gpu {
            Self::open_gpu(self.software).await?
        } else {
            Device::flex()
        };
        self.opened = Some(device.clone());
        Ok(device)
    }

    /// Starts the [self-test](self_test::compute) and returns its output without reading it
    /// back. A GPU compiles and runs the kernels while the worker does something else.
    pub async fn test(&mut self) -> Result<Tensor<1>, Failure> {
        if let Some(tested) = &self.tested {
            return Ok(tested.clone());
        }
        let tested = self_test::compute(&self.open().await?)?;
        self.tested = Some(tested.clone());
        Ok(tested)
    }

    async fn open_gpu(software: bool) -> Result<Device, Failure> {
        let opened = Device::wgpu_options()
            .tasks_max(if software { SOFTWARE_TASKS } else { TASKS })
            .init_with_setup_async()
            .await;
        let (device, setup): (Device, WgpuSetup) =
            opened.map_err(|e| Failure::other(format!("The GPU cannot be opened: {e}")))?;
        GPU_IN_USE.store(true, Ordering::Relaxed);
        setup.device.set_device_lost_callback(|_, message| {
            if !GPU_IN_USE.load(Ordering::Relaxed) {
                return;
            }
            GPU_LOST.store(true, Ordering::Relaxed);
            Reply::UNSOLICITED.failure(&Failure::new(
                Cause::DeviceLost,
                format!("The GPU was lost: {message}"),
            ));
        });
        Ok(device)
    }
}

fn get(object: &JsValue, key: &str) -> JsValue {
    js_sys::Reflect::get(object, &JsValue::from(key)).unwrap_or(JsValue::UNDEFINED)
}

fn set(object: &js_sys::Object, key: &str, value: &JsValue) {
    // Setting a property of a fresh object does not fail.
    let _ = js_sys::Reflect::set(object, &JsValue::from(key), value);
}

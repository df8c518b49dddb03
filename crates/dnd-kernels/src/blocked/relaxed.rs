//! Relaxed SIMD in browsers that have it: a multiplication and an addition in one instruction.
//!
//! WebAssembly is validated as a whole, so such instructions are a small module of their own, which
//! shares this one's memory. Its function takes a place in the table that pointers to functions
//! name.

use js_sys::WebAssembly::{Instance, Module, Table, validate};
use js_sys::{Object, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};

use super::PANEL;
use super::vectors::{Sums, portable};

/// Compiled from `relaxed_sums.rs` by the build script.
const MODULE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/relaxed_sums.wasm"));

// The module has the same block.
const _: () = assert!(PANEL == 32 && portable::COLUMNS == 8 && portable::ROWS == 4);

/// The function for whole blocks, which is called by way of the table.
#[inline(never)]
pub(super) fn sums() -> Sums {
    // What the compiler knew it would call directly.
    std::hint::black_box(portable::sums::<{ portable::ROWS }>)
}

/// Has products use it from now on. Says whether the browser has it.
///
/// # Errors
/// When a browser that has it does not link the module.
pub fn enable() -> Result<bool, JsValue> {
    let bytes = Uint8Array::from(MODULE);
    if !validate(&bytes)? {
        return Ok(false);
    }
    let [imports, environment] = [(); 2].map(|()| Object::new());
    Reflect::set(&environment, &"memory".into(), &wasm_bindgen::memory())?;
    Reflect::set(&imports, &"env".into(), &environment)?;
    let instance = Instance::new(&Module::new(&bytes)?, &imports)?;
    let function = Reflect::get(&instance.exports(), &"sums".into())?;
    let table: Table = wasm_bindgen::function_table().unchecked_into();
    // A pointer to a function is its place in the table.
    table.set(sums() as usize as u32, function.unchecked_ref())?;
    Ok(true)
}

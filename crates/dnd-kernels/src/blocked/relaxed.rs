//! Relaxed SIMD in browsers that support it: a multiplication and an addition in one
//! instruction.
//!
//! Browsers reject a WebAssembly module as a whole if it has an unsupported instruction, so
//! these are in a small module of their own, which shares this one's memory. Its function
//! replaces an entry of the function table, through which function pointers are called.

use js_sys::WebAssembly::{Instance, Module, Table, validate};
use js_sys::{Object, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};

use super::PANEL;
use super::vectors::{Sums, portable};

/// Compiled from `relaxed_sums.rs` by the build script.
const MODULE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/relaxed_sums.wasm"));

// The module is compiled for this block size.
const _: () = assert!(PANEL == 32 && portable::COLUMNS == 8 && portable::ROWS == 4);

/// The function for whole blocks, called through the function table.
#[inline(never)]
pub(super) fn sums() -> Sums {
    // Without this, the compiler would emit a direct call.
    std::hint::black_box(portable::sums::<{ portable::ROWS }>)
}

/// Makes matmuls use relaxed SIMD from now on. Returns whether the browser supports it.
///
/// # Errors
/// If a browser that supports it fails to link the module.
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
    // A function pointer is an index into the table.
    table.set(sums() as usize as u32, function.unchecked_ref())?;
    Ok(true)
}

//! Compiles `relaxed_sums.rs` to a separate WebAssembly module for browser builds.

use std::env;
use std::path::Path;
use std::process::Command;

fn main() {
    const SOURCE: &str = "relaxed_sums.rs";
    println!("cargo::rerun-if-changed={SOURCE}");
    if variable("CARGO_CFG_TARGET_ARCH") != "wasm32" {
        return;
    }
    let output = Path::new(&variable("OUT_DIR")).join("relaxed_sums.wasm");
    let mut compiler = Command::new(variable("RUSTC"));
    // Same flags as cargo uses, for the paths of libraries and the linker.
    let flags = env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    compiler.args(flags.split('\u{1f}').filter(|flag| !flag.is_empty()));
    if let Ok(linker) = env::var("RUSTC_LINKER") {
        compiler.arg(format!("-Clinker={linker}"));
    }
    compiler.args([
        SOURCE,
        "--crate-type=cdylib",
        "--edition=2024",
        "-Copt-level=3",
    ]);
    compiler.args(["-Cpanic=abort", "-Cstrip=symbols"]);
    compiler.arg(format!("--target={}", variable("TARGET")));
    compiler.arg("-Ctarget-feature=+simd128,+relaxed-simd");
    // The module imports the memory of the main module. A stack of its own would overlap data
    // there, so it gets none.
    compiler.args(["-Clink-arg=--import-memory", "-Clink-arg=-zstack-size=0"]);
    let status = compiler.arg("-o").arg(&output).status();
    let status = status.unwrap_or_else(|error| panic!("{compiler:?}: {error}"));
    assert!(status.success(), "{compiler:?}: {status}");
    let module = std::fs::read(&output).expect("the module was just written");
    assert!(
        !has_data(&module),
        "{}: expected no data section, found one: the memory belongs to the main module",
        output.display()
    );
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Whether a module has a data section, which initializes memory (WebAssembly core
/// specification, 5.5).
fn has_data(module: &[u8]) -> bool {
    const DATA: u8 = 11;
    let mut rest = &module[8..];
    while let [section, others @ ..] = rest {
        let (mut size, mut shift, mut length) = (0, 0, 0);
        for byte in others {
            size |= usize::from(byte & 0x7f) << shift;
            (shift, length) = (shift + 7, length + 1);
            if byte & 0x80 == 0 {
                break;
            }
        }
        if *section == DATA {
            return true;
        }
        rest = &others[length + size..];
    }
    false
}

//! Runs `dnd` and checks the outcome.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{Read, Seek, Write};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Timeout of a program. Nothing here takes a hundredth of it.
const PATIENCE: Duration = Duration::from_secs(300);

/// Commands that run on a device.
const COMPUTING: [&str; 7] = [
    "chat", "collect", "complete", "eval", "generate", "train", "tune",
];

/// Builder for a `dnd` command line.
pub struct Dnd {
    command: Command,
    /// The device to compute on; none for commands that do not.
    device: Option<String>,
}

impl Dnd {
    /// `dnd COMMAND`, isolated from any models in the machine's cache.
    pub fn new(subcommand: &str) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dnd"));
        command
            .arg(subcommand)
            .env("DND_CACHE", "/nonexistent/cache")
            .stdin(Stdio::null());
        let computes = COMPUTING.contains(&subcommand);
        Self {
            command,
            device: computes.then(|| "cpu".to_owned()),
        }
    }

    /// Computes on another device than the CPU.
    #[cfg(any(feature = "wgpu", feature = "cuda"))]
    pub fn on(mut self, device: &str) -> Self {
        self.device = Some(device.to_owned());
        // Without one, drivers write to standard error that they miss it.
        self.command.env("XDG_RUNTIME_DIR", std::env::temp_dir());
        self
    }

    /// Runs as so many processes of MPI.
    #[cfg(feature = "mpi")]
    pub fn in_processes(self, count: usize) -> Self {
        let mut command = Command::new("mpirun");
        command.args(["--oversubscribe", "-n", &count.to_string()]);
        self.started_by(command)
    }

    /// Runs as so many processes of MPI on two hosts that are network namespaces.
    #[cfg(feature = "mpi")]
    pub fn on_two_hosts(self, count: usize) -> Self {
        let script = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../docs/cluster/two_hosts.sh"
        );
        let mut command = Command::new(script);
        command.arg(count.to_string());
        self.started_by(command)
    }

    #[cfg(feature = "mpi")]
    fn started_by(mut self, mut command: Command) -> Self {
        command.arg(self.command.get_program());
        command.args(self.command.get_args()).arg("--mpi");
        let set = self.command.get_envs();
        command.envs(set.filter_map(|(name, value)| Some((name, value?))));
        // As root, mpirun asks for both.
        for name in ["OMPI_ALLOW_RUN_AS_ROOT", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] {
            command.env(name, "1");
        }
        command.stdin(Stdio::null());
        self.command = command;
        self
    }

    /// Adds an argument.
    pub fn and(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.command.arg(argument);
        self
    }

    /// Adds a flag with its value.
    pub fn with(self, flag: &str, value: impl AsRef<OsStr>) -> Self {
        self.and(flag).and(value)
    }

    /// Sets standard input.
    pub fn input(mut self, text: &[u8]) -> Self {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(text).unwrap();
        file.rewind().unwrap();
        self.command.stdin(file);
        self
    }

    /// Runs to completion.
    pub fn run(self) -> Outcome {
        self.start().wait()
    }

    /// Starts the program.
    pub fn start(mut self) -> Running {
        // Files, because a full pipe would block the program unless something reads it.
        if let Some(device) = &self.device {
            self.command.args(["--device", device]);
        }
        let (output, errors) = (tempfile::tempfile().unwrap(), tempfile::tempfile().unwrap());
        self.command.stdout(output.try_clone().unwrap());
        self.command.stderr(errors.try_clone().unwrap());
        Running {
            child: self.command.spawn().unwrap(),
            words: format!("{:?}", self.command),
            output,
            errors,
        }
    }
}

/// A running `dnd`, killed on drop.
pub struct Running {
    child: Child,
    words: String,
    output: File,
    errors: File,
}

impl Running {
    /// The process id.
    #[cfg(unix)]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Kills it, like kill -9.
    #[cfg(unix)]
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Whether it has not ended.
    #[cfg(unix)]
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Waits until `condition` holds; fails if the program exits first.
    #[cfg(unix)]
    pub fn wait_until(&mut self, condition: impl Fn() -> bool) {
        let started = Instant::now();
        while !condition() {
            let status = self.child.try_wait().unwrap();
            assert!(
                status.is_none(),
                "{}: ended too early: {status:?}",
                self.words
            );
            assert!(started.elapsed() < PATIENCE, "{}: hangs", self.words);
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Waits for it to exit.
    pub fn wait(mut self) -> Outcome {
        let started = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(started.elapsed() < PATIENCE, "{}: hangs", self.words);
            std::thread::sleep(Duration::from_millis(2));
        };
        let outcome = Outcome {
            words: std::mem::take(&mut self.words),
            code: status.code(),
            stdout: text(&mut self.output),
            stderr: text(&mut self.errors),
        };
        assert!(
            !outcome.stderr.contains("panicked"),
            "expected no panic: {outcome}"
        );
        outcome
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Ignore errors: it may have exited already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn text(file: &mut File) -> String {
    let mut text = String::new();
    file.rewind().unwrap();
    file.read_to_string(&mut text).unwrap();
    text
}

/// Exit code and output of a run. Assertions display it on failure.
pub struct Outcome {
    words: String,
    /// Exit code; none after a signal.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            words,
            code,
            stdout,
            stderr,
        } = self;
        write!(
            f,
            "{words}\nexit code {code:?}\n--- stdout\n{stdout}\n--- stderr\n{stderr}"
        )
    }
}

impl Outcome {
    /// Asserts success.
    pub fn succeeds(self) -> Self {
        assert_eq!(self.code, Some(0), "{self}");
        assert!(!self.stderr.contains("error"), "{self}");
        self
    }

    /// Asserts a one-line error that contains all of `words`, and no other output.
    pub fn fails(self, words: &[&str]) -> Self {
        assert_eq!(self.stderr.lines().count(), 1, "{self}");
        assert_eq!(self.stdout, "", "{self}");
        self.fails_in_the_end(words)
    }

    /// Asserts an error whose line may come after progress output.
    pub fn fails_in_the_end(self, words: &[&str]) -> Self {
        assert_eq!(self.code, Some(1), "{self}");
        let last = self.stderr.lines().last().unwrap_or_default();
        assert!(last.starts_with("error: "), "{self}");
        for word in words {
            assert!(last.contains(word), "expected `{word}` in {self}");
        }
        self
    }

    /// Asserts a usage error (exit code 2), which may have several lines.
    pub fn gets_refused(self, words: &[&str]) -> Self {
        assert_eq!(self.code, Some(2), "{self}");
        assert!(self.stderr.starts_with("error: "), "{self}");
        for word in words {
            assert!(self.stderr.contains(word), "expected `{word}` in {self}");
        }
        self
    }
}

//! `dnd serve`, tested with raw requests: a client library would normalize the ones that matter.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::program::Dnd;

/// Read timeout.
const PATIENCE: Duration = Duration::from_secs(60);

/// Content of files outside the page, which must never be sent.
const SECRET: &str = "a secret";

/// A folder with a page in `page` and private files beside it.
struct Page {
    folder: TempDir,
}

impl Page {
    fn new() -> Self {
        let page = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        page.write("Cargo.toml", SECRET);
        page.write("page/index.html", "<!doctype html><title>page</title>");
        page.write("page/.hidden", SECRET);
        page.write("page/.git/config", SECRET);
        page.write("page/digits.txt", "0123456789");
        page.write("page/two words.txt", "two words");
        page.write("page/models/0123-encoder.safetensors", "0123456789");
        page
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, content: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    /// Serves it on a port that the system chooses.
    fn serve(&self) -> Server {
        self.serve_with(&["--port", "0"])
    }

    fn serve_with(&self, arguments: &[&str]) -> Server {
        let mut child = Command::new(env!("CARGO_BIN_EXE_dnd"))
            .arg("serve")
            .arg(self.path("page"))
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let port = line
            .strip_prefix("http://127.0.0.1:")
            .and_then(|rest| rest.strip_suffix("/\n"))
            .and_then(|port| port.parse().ok());
        let mut server = Server {
            child,
            stdout,
            port: port.unwrap_or_default(),
        };
        if port.is_none() {
            let _ = server.child.kill();
            panic!("expected an address, found {line:?}: {}", server.stderr());
        }
        server
    }
}

/// A running server, killed on drop.
struct Server {
    child: Child,
    stdout: BufReader<ChildStdout>,
    port: u16,
}

impl Server {
    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// Sends a raw request and reads until the server closes the connection.
    fn send(&self, request: &str) -> Answer {
        let mut stream = self.connect();
        stream.write_all(request.as_bytes()).unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        Answer::parse(request, &bytes)
    }

    /// Requests a path, with extra headers.
    fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
        let port = self.port;
        let headers: String = headers
            .iter()
            .map(|(name, value)| format!("{name}: {value}\r\n"))
            .collect();
        self.send(&format!(
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\
             {headers}\r\n"
        ))
    }

    fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[])
    }

    /// Requests `/` with this Host header.
    fn ask_host(&self, host: &str) -> Answer {
        self.send(&format!(
            "GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
        ))
    }

    /// Reads standard error until the server exits.
    fn stderr(&mut self) -> String {
        let mut text = String::new();
        if let Some(mut stderr) = self.child.stderr.take() {
            stderr.read_to_string(&mut text).unwrap();
        }
        text
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Ignore errors: it may have exited already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A response. Assertions display it with its request on failure.
#[derive(Debug)]
struct Answer {
    #[expect(dead_code, reason = "shown by Debug")]
    request: String,
    status: u16,
    /// Names in lower case.
    headers: Vec<(String, String)>,
    body: String,
}

impl Answer {
    fn parse(request: &str, bytes: &[u8]) -> Self {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let (head, body) = text
            .split_once("\r\n\r\n")
            .unwrap_or_else(|| panic!("{request}: expected an answer, found {text:?}"));
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap();
        let headers = lines.map(|line| {
            let (name, value) = line.split_once(':').unwrap();
            (name.to_ascii_lowercase(), value.trim().to_owned())
        });
        Self {
            request: request.to_owned(),
            status: status.parse().unwrap(),
            headers: headers.collect(),
            body: body.to_owned(),
        }
    }

    /// The header's value; empty if missing.
    fn header(&self, name: &str) -> &str {
        let mut values = self.headers.iter().filter(|(found, _)| found == name);
        let value = values.next().map_or("", |(_, value)| value);
        assert!(values.next().is_none(), "`{name}` twice in {self:?}");
        value
    }

    /// Asserts the status, and that nothing leaked.
    fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self:?}");
        assert!(!self.body.contains(SECRET), "{self:?}");
        self
    }

    /// Asserts a header's value.
    fn has(self, name: &str, value: &str) -> Self {
        assert_eq!(self.header(name), value, "`{name}` in {self:?}");
        self
    }

    /// Asserts the body.
    fn says(self, body: &str) -> Self {
        assert_eq!(self.body, body, "{self:?}");
        self
    }

    /// Asserts the headers that every response has.
    fn guarded(self) -> Self {
        self.has("cross-origin-opener-policy", "same-origin")
            .has("cross-origin-embedder-policy", "require-corp")
            .has("cross-origin-resource-policy", "same-origin")
            .has("x-content-type-options", "nosniff")
            .has("referrer-policy", "no-referrer")
            .has(
                "content-security-policy",
                "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; \
                 style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; \
                 manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
            )
    }
}

#[test]
fn the_page_is_at_the_root() {
    let page = Page::new();
    let server = page.serve();
    for path in ["/", "/index.html", "/?example=antonyms&seed=3"] {
        server
            .get(path)
            .is(200)
            .guarded()
            .has("content-type", "text/html; charset=utf-8")
            .has("content-length", "34")
            .says("<!doctype html><title>page</title>");
    }
    server.get("/two%20words.txt").is(200).says("two words");
    // Changed while the server runs, as by a new build.
    page.write("page/index.html", "new");
    server.get("/").is(200).says("new");
}

#[test]
fn an_allowed_origin_may_frame_the_page_and_fetch_its_files() {
    let page = Page::new();
    let server = page.serve_with(&["--port", "0", "--allow-frame", "https://example.org"]);
    let from = |origin| server.ask("GET", "/", &[("Origin", origin)]).is(200);
    let answer = from("https://example.org")
        .has("access-control-allow-origin", "https://example.org")
        .has("cross-origin-resource-policy", "cross-origin");
    let policy = answer.header("content-security-policy");
    assert!(
        policy.ends_with("frame-ancestors https://example.org"),
        "{policy}"
    );
    from("https://example.com").has("access-control-allow-origin", "");
    Dnd::new("serve")
        .and(page.path("page"))
        .with("--allow-frame", "https://example.org; script-src *")
        .run()
        .fails(&["https://example.org; script-src *", "expected an origin"]);
}

#[test]
fn every_kind_of_file_has_its_media_type() {
    let page = Page::new();
    let types = [
        ("page.css", "text/css; charset=utf-8"),
        ("page.csv", "text/csv; charset=utf-8"),
        ("page.html", "text/html; charset=utf-8"),
        ("page.js", "text/javascript; charset=utf-8"),
        ("page.json", "application/json"),
        ("page.jsonl", "application/jsonl"),
        ("page.png", "image/png"),
        ("page.safetensors", "application/octet-stream"),
        ("page.svg", "image/svg+xml"),
        ("page.md", "text/plain; charset=utf-8"),
        ("LICENSE-MIT", "text/plain; charset=utf-8"),
        ("page.txt", "text/plain; charset=utf-8"),
        // Browsers stream-compile only this exact type.
        ("page.wasm", "application/wasm"),
        ("page.webmanifest", "application/manifest+json"),
        ("page.unheard-of", "application/octet-stream"),
        ("page", "application/octet-stream"),
    ];
    for (name, _) in types {
        page.write(&format!("page/{name}"), "content");
    }
    let server = page.serve();
    for (name, media_type) in types {
        server
            .get(&format!("/{name}"))
            .is(200)
            .guarded()
            .has("content-type", media_type)
            .says("content");
    }
}

#[test]
fn ranges() {
    let page = Page::new();
    let server = page.serve();
    for path in ["/digits.txt", "/models/0123-encoder.safetensors"] {
        let range = |range: &str| server.ask("GET", path, &[("Range", range)]).guarded();
        server.get(path).is(200).has("accept-ranges", "bytes");
        for (asked, found, body) in [
            ("bytes=0-3", "bytes 0-3/10", "0123"),
            ("bytes=4-", "bytes 4-9/10", "456789"),
            ("bytes=-3", "bytes 7-9/10", "789"),
            ("bytes=9-9", "bytes 9-9/10", "9"),
        ] {
            range(asked)
                .is(206)
                .has("content-range", found)
                .has("content-length", &body.len().to_string())
                .says(body);
        }
        for asked in ["bytes=10-", "bytes=100-200"] {
            range(asked)
                .is(416)
                .has("content-range", "bytes */10")
                .has("cache-control", "no-cache")
                .says("");
        }
        // A request for several ranges may get the whole file.
        range("bytes=0-1,4-5").is(200).says("0123456789");
    }
}

#[test]
fn a_range_of_another_version_is_the_whole_file() {
    let page = Page::new();
    let server = page.serve();
    let whole = server.get("/digits.txt").is(200);
    let rest = |version: &str| {
        let headers = [("Range", "bytes=8-"), ("If-Range", version)];
        server.ask("GET", "/digits.txt", &headers)
    };
    for version in ["etag", "last-modified"] {
        rest(whole.header(version)).is(206).says("89");
    }
    for version in ["\"another\"", "Thu, 01 Jan 1970 00:00:00 GMT"] {
        rest(version).is(200).says("0123456789");
    }
}

#[test]
fn model_files_stay_and_everything_else_is_asked_for_again() {
    let page = Page::new();
    let server = page.serve();
    for (path, policy) in [
        ("/", "no-cache"),
        ("/digits.txt", "no-cache"),
        (
            "/models/0123-encoder.safetensors",
            "public, max-age=31536000, immutable",
        ),
    ] {
        let first = server.get(path).is(200).has("cache-control", policy);
        for (condition, version) in [
            ("If-None-Match", "etag"),
            ("If-Modified-Since", "last-modified"),
        ] {
            let version = first.header(version);
            assert_ne!(version, "", "{first:?}");
            server
                .ask("GET", path, &[(condition, version)])
                .is(304)
                .guarded()
                .has("cache-control", policy)
                .says("");
        }
        server
            .ask("GET", path, &[("If-None-Match", "\"another\"")])
            .is(200)
            .says(&first.body);
    }
    // A missing file must not stay missing for a year.
    let missing = server.get("/models/missing.safetensors").is(404);
    missing.guarded().has("cache-control", "no-cache");
}

#[test]
fn only_get_and_head() {
    let page = Page::new();
    let server = page.serve();
    server
        .ask("HEAD", "/digits.txt", &[])
        .is(200)
        .guarded()
        .has("content-length", "10")
        .has("content-type", "text/plain; charset=utf-8")
        .says("");
    server
        .ask("HEAD", "/digits.txt", &[("Range", "bytes=0-3")])
        .is(200)
        .has("content-length", "10");
    server.ask("HEAD", "/missing.txt", &[]).is(404).says("");
    for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "NONSENSE"] {
        server
            .ask(method, "/digits.txt", &[("Content-Length", "0")])
            .is(405)
            .guarded()
            .has("allow", "GET, HEAD");
    }
}

#[test]
fn nothing_outside_the_page_or_hidden_in_it() {
    let page = Page::new();
    let server = page.serve();
    let folder = page.path("Cargo.toml");
    let absolute = format!("/{}", folder.display());
    let encoded = format!("/{}", folder.display().to_string().replace('/', "%2f"));
    for path in [
        "/../Cargo.toml",
        "/models/../../Cargo.toml",
        "/models/../digits.txt",
        "/./digits.txt",
        "/%2e%2e/Cargo.toml",
        "/%2E%2E%2FCargo.toml",
        "/..%2fCargo.toml",
        "/.%2e/Cargo.toml",
        "/..\\Cargo.toml",
        "/..%5cCargo.toml",
        "/%2e%2e%5cCargo.toml",
        "/models\\..\\..\\Cargo.toml",
        "/%252e%252e/Cargo.toml",
        "/%c0%ae%c0%ae/Cargo.toml",
        "/digits.txt%00",
        "/digits.txt/",
        "/digits.txt/..",
        "//digits.txt",
        "/models",
        "/models/",
        "/models//0123-encoder.safetensors",
        "/.hidden",
        "/%2ehidden",
        "/.git/config",
        "/missing.html",
        absolute.as_str(),
        encoded.as_str(),
    ] {
        server.get(path).is(404).guarded();
    }
    // The same with an absolute URL, as sent to proxies.
    let address = format!("http://127.0.0.1:{}/../Cargo.toml", server.port);
    server.get(&address).is(404);
}

#[test]
#[cfg(unix)]
fn links_that_lead_out() {
    use std::os::unix::fs::symlink;

    let page = Page::new();
    page.write("outside/file.txt", SECRET);
    symlink(page.path("Cargo.toml"), page.path("page/link.txt")).unwrap();
    symlink("../outside", page.path("page/folder")).unwrap();
    symlink(".hidden", page.path("page/shown.txt")).unwrap();
    symlink("digits.txt", page.path("page/inside.txt")).unwrap();
    // A sibling whose name starts with the page's name is outside, too.
    page.write("page-of-others/file.txt", SECRET);
    symlink("../page-of-others", page.path("page/others")).unwrap();
    let server = page.serve();
    for path in [
        "/link.txt",
        "/folder/file.txt",
        "/others/file.txt",
        "/shown.txt",
    ] {
        server.get(path).is(404);
    }
    server.get("/inside.txt").is(200).says("0123456789");
}

#[test]
fn other_names_of_this_machine_are_refused() {
    let page = Page::new();
    let server = page.serve();
    for host in [
        "127.0.0.1",
        "127.0.0.1:80",
        "localhost",
        "LocalHost:8787",
        "[::1]",
        "[::1]:8787",
    ] {
        server.ask_host(host).is(200);
    }
    for host in [
        "example.org",
        "example.org:8787",
        "localhost.example.org",
        "127.0.0.1.example.org",
        "127.0.0.1:80:example.org",
        "example.org:127.0.0.1",
        "user@127.0.0.1",
        "0.0.0.0",
        "192.168.0.1",
        "[::2]",
        "::1",
        "",
    ] {
        server.ask_host(host).is(421).guarded();
    }
    let port = server.port;
    for request in [
        "GET / HTTP/1.1\r\nConnection: close\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: localhost\r\nHost: example.org\r\nConnection: close\r\n\r\n",
    ] {
        server.send(request).is(400);
    }
    let address = format!(
        "GET http://example.org/ HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n"
    );
    server.send(&address).is(421);
}

#[test]
fn one_connection_carries_many_requests_and_another_may_idle() {
    let page = Page::new();
    let server = page.serve();
    let _idle = server.connect();
    let stream = server.connect();
    let mut reader = BufReader::new(&stream);
    for _ in 0..3 {
        let request = b"GET /digits.txt HTTP/1.1\r\nHost: localhost\r\n\r\n";
        (&stream).write_all(request).unwrap();
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        assert_eq!(line, "HTTP/1.1 200 OK\r\n");
        while line != "\r\n" {
            line.clear();
            reader.read_line(&mut line).unwrap();
        }
        let mut body = [0; 10];
        reader.read_exact(&mut body).unwrap();
        assert_eq!(&body, b"0123456789");
    }
}

#[test]
fn a_folder_without_a_page() {
    let page = Page::new();
    let words = ["index.html", "cargo xtask page"];
    for (folder, found) in [
        ("page/models", "found none"),
        ("page/missing", "no such folder"),
        ("page/index.html", "found a file"),
    ] {
        Dnd::new("serve")
            .and(page.path(folder))
            .with("--port", "0")
            .run()
            .fails(&[folder, "expected a built page", found])
            .fails(&words);
    }
}

#[test]
fn ports() {
    let page = Page::new();
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    Dnd::new("serve")
        .and(page.path("page"))
        .with("--port", &port)
        .run()
        .fails(&[&format!("port {port}"), "--port"]);
    for port in ["-1", "65536", "http"] {
        Dnd::new("serve")
            .and(page.path("page"))
            .and(format!("--port={port}"))
            .run()
            .gets_refused(&["--port"]);
    }
    // Two servers without --port get two ports of the default range.
    let (one, mut other) = (page.serve_with(&[]), page.serve_with(&[]));
    for server in [&one, &other] {
        assert!((8787..=8797).contains(&server.port), "{}", server.port);
        server.get("/").is(200);
    }
    assert_ne!(one.port, other.port);
    other.child.kill().unwrap();
    assert!(other.stderr().contains("port 8787 is taken"));
}

#[test]
#[cfg(unix)]
fn ctrl_c_and_termination_end_it_well() {
    for signal in ["INT", "TERM"] {
        let page = Page::new();
        let mut server = page.serve();
        server.get("/").is(200);
        // An unfinished request does not delay the shutdown.
        let mut slow = server.connect();
        slow.write_all(b"GET /digits.txt HTTP/1.1\r\n").unwrap();
        let kill = format!("kill -{signal} {}", server.child.id());
        let status = Command::new("sh").args(["-c", &kill]).status().unwrap();
        assert!(status.success());
        assert_eq!(server.child.wait().unwrap().code(), Some(0), "{signal}");
        let mut rest = String::new();
        server.stdout.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "", "the address is the only line");
        assert_eq!(server.stderr(), "", "no hint without a terminal");
    }
}

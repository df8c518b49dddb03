//! A web server for one folder, which only this machine can reach.
//!
//! tower-http's `ServeDir` reads the files, with ranges and validators. What stands here decides
//! which requests get that far, and which headers go out.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_TYPE, ETAG, HOST, IF_RANGE, LAST_MODIFIED, RANGE,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use percent_encoding::percent_decode_str;
use tokio::sync::Notify;
use tower_http::cors::CorsLayer;
use tower_http::services::ServeDir;
use tower_http::set_header::SetResponseHeaderLayer;

/// The port that is tried first when none is asked for.
pub const PORT: u16 = 8787;
/// How many ports after [`PORT`] are tried.
const FURTHER_PORTS: u16 = 10;

/// The file that makes a folder a page.
const INDEX: &str = "index.html";
/// The folder of files that are named by their hash, so that they never change.
const MODELS: &str = "models";

/// What the page may do: the policy in its own `<meta>`, and `frame-ancestors`, which only counts
/// in a header.
const POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; \
                      style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; \
                      manifest-src 'self'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";

/// Headers of every answer. The `cross-origin` ones isolate the page, without which browsers
/// withhold shared memory and exact clocks.
const HEADERS: [(&str, &str); 6] = [
    ("content-security-policy", POLICY),
    ("cross-origin-embedder-policy", "require-corp"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("referrer-policy", "no-referrer"),
    ("x-content-type-options", "nosniff"),
];

/// Why a page cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The folder holds no built page.
    #[error(
        "{}: expected a built page with {INDEX}, found {found}; cargo xtask page builds one",
        folder.display()
    )]
    NoPage {
        /// The folder.
        folder: PathBuf,
        /// What is there instead.
        found: &'static str,
    },
    /// All ports are taken that are tried when none is asked for.
    #[error("ports {PORT} to {last}: all are taken; choose another by --port, or 0 for any")]
    PortsTaken {
        /// The last one.
        last: u16,
    },
    /// A text that is no origin.
    #[error(
        "{0}: expected an origin, scheme and host and perhaps a port, such as \
         https://example.org"
    )]
    Origin(String),
    /// The system refused something.
    #[error("{action}")]
    System {
        /// What was tried.
        action: String,
        /// What the system reported.
        source: std::io::Error,
    },
    /// Ctrl-C cannot be handled.
    #[error("cannot take over Ctrl-C")]
    Signal(#[from] ctrlc::Error),
}

impl Error {
    fn system(action: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let action = action.into();
        move |source| Self::System { action, source }
    }
}

/// A folder with a built page.
pub struct Site {
    /// Its real path, so that a file's real path tells whether it is inside.
    root: PathBuf,
    files: ServeDir,
    /// Other origins that may show the page in a frame and fetch its files.
    guests: Vec<HeaderValue>,
}

impl Site {
    /// Takes a folder that has an `index.html`.
    ///
    /// # Errors
    /// [`Error::NoPage`], or [`Error::System`] when the folder cannot be read.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        if !folder.join(INDEX).is_file() {
            let found = if folder.is_dir() {
                "none"
            } else if folder.exists() {
                "a file"
            } else {
                "no such folder"
            };
            let folder = folder.to_owned();
            return Err(Error::NoPage { folder, found });
        }
        let root = folder
            .canonicalize()
            .map_err(Error::system(folder.display().to_string()))?;
        // A client may ask for several ranges, and may be given the whole file instead.
        let files = ServeDir::new(&root)
            .redirect_to_trailing_slash(false)
            .ignore_multi_range_requests(true);
        let guests = Vec::new();
        Ok(Self {
            root,
            files,
            guests,
        })
    }

    /// Lets pages of another origin, such as `https://example.org`, show this one in a frame and
    /// fetch its files.
    ///
    /// # Errors
    /// [`Error::Origin`] when it is none.
    pub fn allow(&mut self, origin: &str) -> Result<(), Error> {
        let rest = origin
            .strip_prefix("https://")
            .or_else(|| origin.strip_prefix("http://"));
        // What stands in a policy may not end a directive or add a source.
        let is_host = |rest: &&str| {
            let is_part = |letter: char| letter.is_ascii_alphanumeric() || "-.:[]".contains(letter);
            !rest.is_empty() && rest.chars().all(is_part)
        };
        let origin = rest
            .filter(is_host)
            .and_then(|_| HeaderValue::from_str(origin).ok())
            .ok_or_else(|| Error::Origin(origin.to_owned()))?;
        self.guests.push(origin);
        Ok(())
    }

    /// The value of a header of every answer.
    fn header(&self, name: &str, strict: &'static str) -> HeaderValue {
        let guests: Vec<&str> = self.guests.iter().flat_map(|one| one.to_str()).collect();
        let value = match name {
            _ if guests.is_empty() => strict.to_owned(),
            "content-security-policy" => {
                let ancestors = format!("frame-ancestors {}", guests.join(" "));
                strict.replace("frame-ancestors 'none'", &ancestors)
            }
            "cross-origin-resource-policy" => "cross-origin".to_owned(),
            _ => strict.to_owned(),
        };
        // Origins were checked. Without them, the value is stricter.
        HeaderValue::from_str(&value).unwrap_or(HeaderValue::from_static(strict))
    }

    /// The file that the path of an address means, relative to the folder. There is none where it
    /// is hidden or where a link leads out of the folder.
    fn locate(&self, address: &str) -> Option<PathBuf> {
        let address = percent_decode_str(address).decode_utf8().ok()?;
        let relative = match address.strip_prefix('/')? {
            "" => INDEX,
            path => path,
        };
        // A leading dot is a hidden file or a way up; a backslash or colon is a way out on Windows.
        let is_plain = |name: &str| {
            !name.is_empty() && !name.starts_with('.') && !name.contains(['\\', ':', '\0'])
        };
        if !relative.split('/').all(is_plain) {
            return None;
        }
        let file = self.root.join(relative).canonicalize().ok()?;
        let is_hidden = file
            .strip_prefix(&self.root)
            .ok()?
            .components()
            .any(|part| part.as_os_str().as_encoded_bytes().starts_with(b"."));
        (!is_hidden && file.is_file()).then(|| PathBuf::from(relative))
    }

    /// Answers with the file at an address, whole or in part.
    async fn file(self: Arc<Self>, mut request: Request) -> Response {
        let (site, address) = (Arc::clone(&self), request.uri().clone());
        let located = tokio::task::spawn_blocking(move || site.locate(address.path())).await;
        let Ok(Some(file)) = located else {
            return refuse(StatusCode::NOT_FOUND, "not found\n");
        };
        // Ranges are of GET alone.
        if *request.method() == Method::HEAD {
            request.headers_mut().remove(RANGE);
        }
        // ServeDir does not know If-Range: a resumed download must resume the same file.
        let address = request.uri().clone();
        if let Some(version) = request.headers_mut().remove(IF_RANGE)
            && !self.has_version(address, &version).await
        {
            request.headers_mut().remove(RANGE);
        }
        let Ok(response) = self.files.clone().try_call(request).await else {
            // It was there a moment ago: removed, or unreadable.
            return refuse(StatusCode::NOT_FOUND, "not found\n");
        };
        let mut response = response.map(Body::new);
        let (status, headers) = (response.status(), response.headers_mut());
        if let Some(media_type) = media_type(&file)
            && headers.contains_key(CONTENT_TYPE)
        {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
        }
        let is_good = status.is_success() || status == StatusCode::NOT_MODIFIED;
        if is_good && file.starts_with(MODELS) {
            let forever = HeaderValue::from_static("public, max-age=31536000, immutable");
            headers.insert(CACHE_CONTROL, forever);
        }
        response
    }

    /// Whether the file at an address has this entity tag or time of change.
    async fn has_version(&self, address: Uri, version: &HeaderValue) -> bool {
        let mut head = Request::new(Body::empty());
        *head.method_mut() = Method::HEAD;
        *head.uri_mut() = address;
        let Ok(current) = self.files.clone().try_call(head).await else {
            return false;
        };
        let current = current.headers();
        [ETAG, LAST_MODIFIED]
            .iter()
            .any(|name| current.get(name) == Some(version))
    }
}

/// Binds a port of 127.0.0.1: the one asked for, else the first free one from [`PORT`] on.
///
/// # Errors
/// [`Error::System`] for the port asked for, [`Error::PortsTaken`] without one.
pub fn listen(port: Option<u16>) -> Result<TcpListener, Error> {
    let bind = |port: u16| TcpListener::bind((Ipv4Addr::LOCALHOST, port));
    if let Some(port) = port {
        return bind(port).map_err(Error::system(format!(
            "port {port}: cannot listen there; choose another by --port, or 0 for any"
        )));
    }
    let last = PORT + FURTHER_PORTS;
    for port in PORT..=last {
        match bind(port) {
            Err(error) if error.kind() == ErrorKind::AddrInUse => {}
            result => {
                let action = format!("port {port}: cannot listen there");
                return result.map_err(Error::system(action));
            }
        }
    }
    Err(Error::PortsTaken { last })
}

/// A warning for the user where nobody `asked` for a port and [`PORT`] was taken: browsers store a
/// page's data by address.
#[must_use]
pub fn warning(asked: Option<u16>, port: u16) -> Option<String> {
    (asked.is_none() && port != PORT).then(|| {
        format!(
            "port {PORT} is taken: data that the page stored at that address is not visible here"
        )
    })
}

/// Handles Ctrl-C and the signals that end a process: they notify the result.
///
/// # Errors
/// [`Error::Signal`] when they are handled already.
pub fn stop_signal() -> Result<Arc<Notify>, Error> {
    let stop = Arc::new(Notify::new());
    let sender = Arc::clone(&stop);
    ctrlc::set_handler(move || sender.notify_one())?;
    Ok(stop)
}

/// Serves until `stop` is notified. Downloads under way are cut off then: waiting for them would
/// leave the end to the slowest reader.
///
/// # Errors
/// [`Error::System`] when the server cannot start or listen.
pub fn serve(site: Site, listener: TcpListener, stop: &Notify) -> Result<(), Error> {
    listener
        .set_nonblocking(true)
        .map_err(Error::system("cannot listen without blocking"))?;
    // One thread is enough for connections; files are read on threads of their own.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Error::system("cannot start the server"))?;
    let headers = HEADERS.map(|(name, value)| (name, site.header(name, value)));
    let guests = CorsLayer::new()
        .allow_origin(site.guests.clone())
        .allow_methods([Method::GET, Method::HEAD])
        .allow_headers([RANGE]);
    let has_guests = !site.guests.is_empty();
    let site = Arc::new(site);
    let mut router =
        Router::new().fallback(move |request: Request| answer(Arc::clone(&site), request));
    if has_guests {
        router = router.layer(guests);
    }
    for (name, value) in headers {
        let name = HeaderName::from_static(name);
        router = router.layer(SetResponseHeaderLayer::overriding(name, value));
    }
    let no_cache = HeaderValue::from_static("no-cache");
    let router = router.layer(SetResponseHeaderLayer::if_not_present(
        CACHE_CONTROL,
        no_cache,
    ));
    let served = runtime.block_on(async move {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        tokio::select! {
            result = axum::serve(listener, router).into_future() => result,
            () = stop.notified() => Ok(()),
        }
    });
    served.map_err(Error::system("cannot serve"))
}

/// Answers one request.
pub async fn answer(site: Arc<Site>, request: Request) -> Response {
    if let Some(refusal) = refuse_host(request.headers(), request.uri()) {
        refusal
    } else if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let methods = HeaderValue::from_static("GET, HEAD");
        let mut refusal = refuse(
            StatusCode::METHOD_NOT_ALLOWED,
            "only GET and HEAD are answered\n",
        );
        refusal.headers_mut().insert(ALLOW, methods);
        refusal
    } else {
        site.file(request).await
    }
}

/// Refuses requests that were not addressed to this machine by name. A foreign site whose name
/// suddenly resolves to 127.0.0.1 would otherwise read the page as its own origin.
fn refuse_host(headers: &HeaderMap, address: &Uri) -> Option<Response> {
    let mut hosts = headers.get_all(HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else {
        return Some(refuse(
            StatusCode::BAD_REQUEST,
            "expected one Host header\n",
        ));
    };
    // A request may carry a whole address, whose host then counts as well.
    let is_ours = host.to_str().is_ok_and(is_local) && address.host().is_none_or(is_local);
    (!is_ours).then(|| {
        refuse(
            StatusCode::MISDIRECTED_REQUEST,
            "this server answers 127.0.0.1 and localhost only\n",
        )
    })
}

/// Whether a host, with any port or none, is this machine.
fn is_local(host: &str) -> bool {
    // The colons of an IPv6 address stand in brackets, so that what follows the last one is no
    // port.
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => name,
        _ => host,
    };
    ["127.0.0.1", "localhost", "[::1]"]
        .iter()
        .any(|local| name.eq_ignore_ascii_case(local))
}

/// Media types that mime_guess does not know, or knows without the charset; none leaves its guess.
fn media_type(file: &Path) -> Option<&'static str> {
    let is_licence = |name: &str| name.starts_with("LICENSE");
    if file.file_name()?.to_str().is_some_and(is_licence) {
        return Some("text/plain; charset=utf-8");
    }
    Some(match file.extension()?.to_str()? {
        "css" => "text/css; charset=utf-8",
        "csv" => "text/csv; charset=utf-8",
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "jsonl" => "application/jsonl",
        "safetensors" => "application/octet-stream",
        "md" | "txt" => "text/plain; charset=utf-8",
        "wasm" => "application/wasm",
        "webmanifest" => "application/manifest+json",
        _ => return None,
    })
}

/// An answer without a file.
fn refuse(status: StatusCode, text: &'static str) -> Response {
    (status, text).into_response()
}

//! Asks mgmt's REST interface. One request at a time; answers are bounded; redirects are not followed, since they
//! would carry the token elsewhere. Answers stay JSON values, so that `--json` passes on fields we do not know.

use std::path::PathBuf;
use std::time::Duration;

use mgmt::api::types::Diagnostic;
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderValue};
use reqwest::{Method, Response, StatusCode, Url};
use serde::Deserialize as _;
use serde::de::DeserializeOwned;
use serde_json::Value;
use zeroize::Zeroizing;

use super::outcome::Failure;
use super::{tls, token};

/// Bytes of an answer at the most.
const ANSWER_BYTES_MAX: usize = 256 * 1024 * 1024;
/// A request is given up after this long.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);
/// A connection attempt is given up after this long.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Where mgmt is and who asks: the global options.
#[derive(Clone, Debug)]
pub(crate) struct Access {
    /// Base URL, if one was given.
    pub(crate) mgmt: Option<String>,
    /// Where the token comes from.
    pub(crate) token: token::Source,
    /// The CA to trust; none: the machine's.
    pub(crate) ca: Option<PathBuf>,
}

/// A connection to mgmt under one identity.
pub(crate) struct Client {
    runtime: tokio::runtime::Runtime,
    http: reqwest::Client,
    base: Url,
    token: token::Source,
}

impl Client {
    /// Checks the options; asks nothing yet.
    pub(crate) fn new(access: &Access) -> Result<Self, Failure> {
        let base = base_url(access.mgmt.as_deref())?;
        let mut builder = reqwest::Client::builder()
            .use_preconfigured_tls(tls::config(access.ca.as_deref())?)
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(REQUEST_TIMEOUT)
            .user_agent(concat!("pangate/", env!("CARGO_PKG_VERSION")));
        if is_loopback(&base) {
            builder = builder.no_proxy();
        }
        let http = builder.build().map_err(|error| cannot("set up HTTPS", &error))?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| cannot("start", &error))?;
        Ok(Self { runtime, http, base, token: access.token.clone() })
    }

    /// GET of `path` (its segments) with the given query; parameters without a value are left out.
    pub(crate) fn get(&self, path: &[&str], query: &[(&str, Option<String>)]) -> Result<Value, Failure> {
        let mut url = self.url(path)?;
        for (name, value) in query {
            if let Some(value) = value {
                url.query_pairs_mut().append_pair(name, value);
            }
        }
        self.ask(Method::GET, url, None)
    }

    /// POST of a JSON body.
    pub(crate) fn post(&self, path: &[&str], body: &Value) -> Result<Value, Failure> {
        self.ask(Method::POST, self.url(path)?, Some(body))
    }

    /// PUT of a JSON body.
    pub(crate) fn put(&self, path: &[&str], body: &Value) -> Result<Value, Failure> {
        self.ask(Method::PUT, self.url(path)?, Some(body))
    }

    /// Waits without asking.
    pub(crate) fn wait(&self, duration: Duration) {
        // The timer belongs to the runtime: it is made inside.
        self.runtime.block_on(async { tokio::time::sleep(duration).await });
    }

    fn url(&self, path: &[&str]) -> Result<Url, Failure> {
        let mut url = self.base.clone();
        match url.path_segments_mut() {
            Ok(mut segments) => segments.pop_if_empty().extend(path),
            Err(()) => return Err(Failure::Usage(format!("{} cannot be mgmt's URL", self.base))),
        };
        Ok(url)
    }

    fn ask(&self, method: Method, url: Url, body: Option<&Value>) -> Result<Value, Failure> {
        let token = self.token.read()?;
        let bearer = Zeroizing::new(format!("Bearer {}", token.expose()));
        let mut bearer = HeaderValue::from_str(&bearer)
            .map_err(|_| Failure::CouldNotAsk("the token cannot be sent".to_owned()))?;
        bearer.set_sensitive(true);
        let mut request = self
            .http
            .request(method, url)
            .header(AUTHORIZATION, bearer)
            .header(ACCEPT, "application/json, application/problem+json");
        if let Some(body) = body {
            request = request.json(body);
        }
        self.runtime.block_on(async {
            let response = request.send().await.map_err(|error| self.unreachable(&error))?;
            let status = response.status();
            let bytes = read(response).await?;
            understand(status, &bytes)
        })
    }

    fn unreachable(&self, error: &reqwest::Error) -> Failure {
        let origin = self.base.origin().ascii_serialization();
        Failure::CouldNotAsk(format!("cannot reach mgmt at {origin}: {}", root_cause(error)))
    }
}

/// Takes a JSON value for what it should be.
pub(crate) fn parse<T: DeserializeOwned>(value: Value) -> Result<T, Failure> {
    serde_json::from_value(value).map_err(|error| {
        Failure::CouldNotAsk(format!("mgmt's answer has another form than this version knows: {error}"))
    })
}

fn base_url(given: Option<&str>) -> Result<Url, Failure> {
    let text = given
        .ok_or_else(|| Failure::Usage("where is mgmt? Give --mgmt URL or set PANGATE_MGMT_URL".to_owned()))?;
    let url = Url::parse(text).map_err(|error| Failure::Usage(format!("--mgmt {text}: {error}")))?;
    let plain = url.scheme() == "http" && is_loopback(&url);
    if url.scheme() != "https" && !plain {
        return Err(Failure::Usage(format!(
            "--mgmt {text}: must be https, the token travels with each request"
        )));
    }
    Ok(url)
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

async fn read(mut response: Response) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| cannot("read mgmt's answer", &error))? {
        if bytes.len() + chunk.len() > ANSWER_BYTES_MAX {
            return Err(Failure::CouldNotAsk("mgmt's answer is too long: ask for less".to_owned()));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

fn understand(status: StatusCode, bytes: &[u8]) -> Result<Value, Failure> {
    if !status.is_success() {
        return Err(refusal(status, bytes));
    }
    if bytes.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_slice(bytes)
        .map_err(|_| Failure::CouldNotAsk("what answered is not mgmt: its answer is no JSON".to_owned()))
}

/// Says what mgmt said (problem+json) and what to do about it.
fn refusal(status: StatusCode, bytes: &[u8]) -> Failure {
    let problem: Value = serde_json::from_slice(bytes).unwrap_or_default();
    let said = ["detail", "title"].iter().find_map(|key| problem.get(key).and_then(Value::as_str));
    let mut said = said.map_or_else(|| format!("HTTP {status}"), str::to_owned);
    for mistake in problem.get("diagnostics").and_then(Value::as_array).into_iter().flatten() {
        if let Ok(Diagnostic { file, line, column, message, .. }) = Diagnostic::deserialize(mistake) {
            said.push_str(&format!("; {file}:{line}:{column}: {message}"));
        }
    }
    match status {
        StatusCode::UNAUTHORIZED => {
            Failure::CouldNotAsk(format!("mgmt did not accept the token: {said}; get a fresh one"))
        }
        StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT => {
            Failure::CouldNotAsk(format!("{said}; try again later"))
        }
        status if status.is_client_error() => Failure::No(said),
        _ => Failure::CouldNotAsk(format!("mgmt could not answer: {said}")),
    }
}

fn cannot(what: &str, error: &dyn std::error::Error) -> Failure {
    Failure::CouldNotAsk(format!("cannot {what}: {}", root_cause(error)))
}

/// The innermost error: the outer ones say only that something failed.
fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_travels_over_tls_or_loopback_only() {
        for good in
            ["https://mgmt.cde.internal:8443", "http://127.0.0.1:1", "http://[::1]:1", "http://localhost"]
        {
            assert!(base_url(Some(good)).is_ok(), "{good}");
        }
        for bad in ["http://mgmt.cde.internal", "http://10.0.0.1", "ftp://127.0.0.1", "mgmt:8443", ""] {
            assert_eq!(base_url(Some(bad)).unwrap_err().code(), 2, "{bad}");
        }
        assert_eq!(base_url(None).unwrap_err().code(), 2);
    }

    #[test]
    fn refusals_say_what_mgmt_said() {
        let problem = br#"{"title": "Forbidden", "detail": "the requester may not approve"}"#;
        let no = refusal(StatusCode::FORBIDDEN, problem);
        assert_eq!((no.code(), no.to_string().as_str()), (1, "the requester may not approve"));
        let mistakes =
            br#"{"detail": "no", "diagnostics": [{"file": "a", "line": 1, "column": 2, "message": "m"}]}"#;
        assert_eq!(refusal(StatusCode::UNPROCESSABLE_ENTITY, mistakes).to_string(), "no; a:1:2: m");
        assert_eq!(refusal(StatusCode::NOT_FOUND, b"").code(), 1);
        assert_eq!(refusal(StatusCode::UNAUTHORIZED, problem).code(), 3);
        assert_eq!(refusal(StatusCode::TOO_MANY_REQUESTS, problem).code(), 3);
        assert_eq!(refusal(StatusCode::BAD_GATEWAY, b"<html>").code(), 3);
        assert_eq!(refusal(StatusCode::FOUND, b"").code(), 3);
    }

    #[test]
    fn an_answer_must_be_json() {
        assert_eq!(understand(StatusCode::OK, b"[1]").unwrap(), serde_json::json!([1]));
        assert_eq!(understand(StatusCode::NO_CONTENT, b"").unwrap(), Value::Null);
        assert_eq!(understand(StatusCode::OK, b"<html>").unwrap_err().code(), 3);
    }
}

//! Who may ask at all: the right host, no page from elsewhere, and the token.

use super::{Problem, Shared};
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, HOST, ORIGIN};
use axum::http::{HeaderMap, HeaderName};
use axum::middleware::Next;
use axum::response::Response;
use std::net::IpAddr;

pub(super) async fn guard(State(shared): State<Shared>, request: Request, next: Next) -> Result<Response, Problem> {
    let headers = request.headers();
    let host = text(headers, HOST).ok_or_else(Problem::foreign_host)?;
    if !served(host, &shared.server.config.api.hosts) {
        return Err(Problem::foreign_host());
    }
    // A browser names the page that asks; a page of ours has the very host that is asked.
    if let Some(origin) = headers.get(ORIGIN) {
        let own = origin.to_str().ok().and_then(|origin| origin.split_once("://")).is_some_and(|(_, at)| at == host);
        if !own {
            return Err(Problem::foreign_origin());
        }
    }
    let open = request.uri().path() == "/healthz";
    let offered = text(headers, AUTHORIZATION).and_then(|value| value.strip_prefix("Bearer "));
    if !open && !offered.is_some_and(|offered| shared.server.token.is(offered)) {
        return Err(Problem::unauthorized());
    }
    Ok(next.run(request).await)
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

/// Addresses and `localhost` cannot be pointed elsewhere by somebody's DNS; other names must be configured.
fn served(host: &str, configured: &[String]) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or(rest),
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<IpAddr>().is_ok()
        || configured.iter().any(|known| known.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_localhost_and_configured_names_are_served_and_no_other() {
        let configured = ["yizhan.county".to_owned()];
        for host in ["127.0.0.1:8470", "localhost:8470", "[::1]:8470", "10.1.2.3", "yizhan.county:80"] {
            assert!(served(host, &configured), "{host}");
        }
        for host in ["evil.example:8470", "localhost.evil.example", "", "127.0.0.1.evil.example"] {
            assert!(!served(host, &configured), "{host}");
        }
    }
}

//! The API's description, kept by hand beside the routes; a test holds each to the other and to real answers.

use axum::http::header;
use axum::response::IntoResponse;

pub(super) const OPENAPI: &str = include_str!("openapi.json");

pub(super) async fn openapi() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], OPENAPI)
}

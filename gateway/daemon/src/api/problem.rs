//! Errors as RFC 9457 problems, in Chinese and English.

use crate::run::Stopped;
use axum::Json;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use yizhan_engine::io::Refusal;

/// One refused request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    status: StatusCode,
    name: &'static str,
    title: &'static str,
    title_zh: &'static str,
    detail: String,
    detail_zh: String,
}

impl Problem {
    fn new(
        status: StatusCode,
        name: &'static str,
        title: (&'static str, &'static str),
        detail: (String, String),
    ) -> Self {
        Self { status, name, title: title.0, title_zh: title.1, detail: detail.0, detail_zh: detail.1 }
    }

    fn plain(status: StatusCode, name: &'static str, detail: &'static str, detail_zh: &'static str) -> Self {
        Self::new(status, name, (detail, detail_zh), (detail.into(), detail_zh.into()))
    }

    pub(super) fn unauthorized() -> Self {
        Self::plain(
            StatusCode::UNAUTHORIZED,
            "unauthorized",
            "the bearer token is missing or wrong; it stands in api.token beside the journal",
            "缺少令牌或令牌不对：令牌在日志同一文件夹的 api.token 里",
        )
    }

    pub(super) fn foreign_host() -> Self {
        Self::plain(
            StatusCode::FORBIDDEN,
            "foreign_host",
            "this host name is not served; add it to [api] hosts",
            "不接受这个主机名：如需使用，请加入配置 [api] hosts",
        )
    }

    pub(super) fn foreign_origin() -> Self {
        Self::plain(
            StatusCode::FORBIDDEN,
            "foreign_origin",
            "requests from pages of other origins are refused",
            "拒绝来自其他网页的请求",
        )
    }

    pub(super) fn no_such_page() -> Self {
        Self::plain(StatusCode::NOT_FOUND, "no_such_page", "there is nothing at this address", "没有这个地址")
    }

    pub(super) fn no_such_method() -> Self {
        Self::plain(
            StatusCode::METHOD_NOT_ALLOWED,
            "no_such_method",
            "this address does not know the method",
            "这个地址不支持该方法",
        )
    }

    pub(super) fn too_many_followers() -> Self {
        Self::plain(
            StatusCode::SERVICE_UNAVAILABLE,
            "too_many_followers",
            "too many open streams; close one, or raise [api] followers_max",
            "同时订阅的太多：请关闭一些，或调大 [api] followers_max",
        )
    }

    pub(super) fn unknown_message(id: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "unknown_message",
            ("no such message", "没有这条报文"),
            (format!("no message {id}"), format!("没有编号为 {id} 的报文：请核对编号")),
        )
    }

    /// A value of a request that cannot be read. `what` names it with its valid choices.
    pub(super) fn invalid(what: impl Into<String>) -> Self {
        let what = what.into();
        let detail_zh = format!("请求内容有误：{what}");
        Self::invalid_in_both(what, detail_zh)
    }

    /// The same for a value that people type, in their own words as well.
    pub(super) fn invalid_in_both(what: String, what_zh: String) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", ("a value is invalid", "内容有误"), (what, what_zh))
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let status = match &refusal {
            Refusal::UnknownMessage { .. } => StatusCode::NOT_FOUND,
            Refusal::AlreadyEnded { .. } | Refusal::NothingToConfirm { .. } => StatusCode::CONFLICT,
            Refusal::SenderShare { .. } => StatusCode::TOO_MANY_REQUESTS,
            Refusal::OutboxFull { .. } | Refusal::Poisoned | Refusal::IdsExhausted => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::UNPROCESSABLE_ENTITY,
        };
        let title = ("the request was refused; nothing was stored", "未受理，没有留存");
        Self::new(status, refusal.name(), title, (refusal.to_string(), refusal.label()))
    }
}

impl From<Stopped> for Problem {
    fn from(_: Stopped) -> Self {
        Self::plain(
            StatusCode::SERVICE_UNAVAILABLE,
            "stopping",
            "the station is stopping; whether the request was kept is not known",
            "本站正在停止：请求是否留存未知，请重启后核对",
        )
    }
}

impl From<JsonRejection> for Problem {
    fn from(rejection: JsonRejection) -> Self {
        let title = ("the body is not the JSON expected here", "请求正文不对");
        let detail = rejection.body_text();
        let detail_zh = format!("请求正文须为 application/json：{detail}");
        Self::new(rejection.status(), "bad_body", title, (detail, detail_zh))
    }
}

impl From<QueryRejection> for Problem {
    fn from(rejection: QueryRejection) -> Self {
        let detail = rejection.body_text();
        let detail_zh = format!("查询参数有误：{detail}");
        Self::new(rejection.status(), "bad_query", ("the query is wrong", "查询参数有误"), (detail, detail_zh))
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = json!({
            "type": format!("urn:yizhan:problem:{}", self.name),
            "status": self.status.as_u16(),
            "title": self.title,
            "title_zh": self.title_zh,
            "detail": self.detail,
            "detail_zh": self.detail_zh,
        });
        let mut response = (self.status, Json(body)).into_response();
        let kind = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

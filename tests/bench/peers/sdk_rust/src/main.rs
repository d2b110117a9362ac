//! The Rust SDK on axum: its extractor turns each request into an `Event`
//! (400 when it cannot), on a single-threaded runtime.

use std::sync::atomic::{AtomicUsize, Ordering};

use axum::{http::StatusCode, routing::post, Router};
use cloudevents::{AttributesReader, Event};

static RECEIVED: AtomicUsize = AtomicUsize::new(0);

async fn receive(event: Event) -> StatusCode {
    RECEIVED.fetch_add(event.id().len(), Ordering::Relaxed);
    StatusCode::ACCEPTED
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let port = std::env::var("PORT").expect("PORT");
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}"))
        .await
        .expect("bind");
    let router = Router::new().route("/", post(receive));
    axum::serve(listener, router).await.expect("serve");
}

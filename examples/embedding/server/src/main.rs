//! An HTTP server whose handlers are scripts.
//!
//! Every request gets an interpreter of its own, which takes some fifty microseconds to make, so requests have nothing in common but
//! what the server remembers for them. A script that runs for too long, or wants too much memory, costs its own request an error
//! and nobody else anything.
//!
//! `cargo run --release -p kiln-example-server`, with the address to listen at if it is not to be `127.0.0.1:8080`; then
//! `curl localhost:8080/hello?name=Ada`.

mod handlers;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path as Name, Query, State};
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use tokio::net::TcpListener;

use handlers::{Handlers, LIMITS, Request};

/// Scripts that run at the same time.
const MOST_SCRIPTS: usize = 16;

/// Hands a request to its script, on a thread where it keeps nobody waiting.
async fn answer(
    State(handlers): State<Arc<Handlers>>,
    Name(name): Name<String>,
    Query(query): Query<BTreeMap<String, String>>,
    method: Method,
    body: String,
) -> Response {
    let request = Request {
        method: method.to_string(),
        query,
        body,
    };
    let script = tokio::task::spawn_blocking(move || handlers.respond(&name, request));
    match script.await {
        Ok(response) => {
            let status = StatusCode::from_u16(response.status);
            let content_type = [(header::CONTENT_TYPE, response.content_type)];
            let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            (status, content_type, response.body).into_response()
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// Serves until the program ends.
async fn serve(listener: TcpListener, handlers: Handlers) -> std::io::Result<()> {
    let routes = Router::new()
        .route("/{name}", any(answer))
        .with_state(Arc::new(handlers));
    axum::serve(listener, routes).await
}

/// A runtime with one thread for connections, and some for scripts.
fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .max_blocking_threads(MOST_SCRIPTS)
        .build()
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let address = std::env::args().nth(1);
    let address = address.unwrap_or_else(|| "127.0.0.1:8080".to_owned());
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("handlers");
    let handlers = Handlers::load(&folder, LIMITS)?;
    runtime()?.block_on(async {
        let listener = TcpListener::bind(&address).await?;
        println!("listening at http://{}", listener.local_addr()?);
        serve(listener, handlers).await
    })?;
    Ok(())
}

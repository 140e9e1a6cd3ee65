//! The server under requests of all kinds, by a client that knows as little as possible.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use kiln::Limits;

use super::*;

/// Starts the server at a free port.
fn start() -> SocketAddr {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("handlers");
        // Time enough for those that end, on a machine that has other things to do.
        let limits = Limits {
            call_time: Some(Duration::from_secs(2)),
            ..LIMITS
        };
        let handlers = Handlers::load(&folder, limits).unwrap();
        runtime().unwrap().block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            sender.send(listener.local_addr().unwrap()).unwrap();
            serve(listener, handlers).await
        })
    });
    receiver.recv().unwrap()
}

/// Sends a request; the status, and the whole answer.
fn request(address: SocketAddr, method: &str, target: &str, body: &str) -> (u16, String) {
    let mut connection = TcpStream::connect(address).unwrap();
    let length = body.len();
    write!(
        connection,
        "{method} {target} HTTP/1.1\r\nHost: test\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    (status, answer)
}

fn get(address: SocketAddr, target: &str) -> (u16, String) {
    request(address, "GET", target, "")
}

#[test]
fn scripts_answer_requests() {
    let address = start();
    let (status, answer) = get(address, "/hello?name=Ada%20Lovelace");
    assert_eq!(status, 200);
    assert!(
        answer.ends_with("\r\n\r\nHello, Ada Lovelace!\n"),
        "{answer}"
    );
    let (status, answer) = get(address, "/primes?below=20");
    assert_eq!(status, 200);
    assert!(answer.contains("content-type: text/csv"), "{answer}");
    assert!(answer.ends_with("2,3,5,7,11,13,17,19\n"), "{answer}");
    assert_eq!(get(address, "/primes?below=1000000").0, 400);
    assert_eq!(get(address, "/nosuch").0, 404);
}

#[test]
fn what_the_server_remembers_outlives_a_request() {
    let address = start();
    for guest in ["Ada", "Grace"] {
        assert_eq!(request(address, "POST", "/guestbook", guest).0, 201);
    }
    let (_, answer) = get(address, "/guestbook");
    assert!(answer.ends_with("\r\n\r\nAda\nGrace\n"), "{answer}");
}

#[test]
fn an_endless_loop_is_cut_off_and_keeps_nobody_waiting() {
    let address = start();
    let endless: Vec<_> = (0..4)
        .map(|_| thread::spawn(move || get(address, "/endless")))
        .collect();
    assert_eq!(get(address, "/hello").0, 200);
    for thread in endless {
        let (status, answer) = thread.join().unwrap();
        assert_eq!(status, 503);
        assert!(answer.contains("the time limit is reached"), "{answer}");
    }
}

#[test]
fn a_memory_bomb_hurts_nobody_but_itself() {
    let address = start();
    let (status, answer) = get(address, "/bomb");
    assert_eq!(status, 507);
    assert!(
        answer.contains("the heap limit of 8 MB is reached"),
        "{answer}"
    );
    assert_eq!(get(address, "/hello").0, 200);
}

//! Stopping: load balancers are told first, running calls are finished, nothing new is taken.

use std::net::TcpStream;
use std::time::Duration;

use legwork::server::{Drain, Options};
use serde_json::json;

use crate::support::{House, call};

#[tokio::test]
async fn health_says_so_while_calls_are_still_taken() {
    let drain = Drain { notice: Duration::from_secs(600), ..Drain::default() };
    let house = House::built(Options::default(), None, drain.clone());
    assert_eq!(house.get("/health", &[]).await.status, 200);
    house.stop();
    while !drain.draining.is_on() {
        tokio::task::yield_now().await;
    }
    let health = house.get("/health", &[]).await;
    assert_eq!((health.status, health.json()), (503, json!({"status": "draining"})));
    assert_eq!(house.get("/status", &[]).await.json()["status"], "draining");
    assert_eq!(house.post(call("action_echo", json!({"say": "taken"}))).await.texts()[0], "taken");
}

#[tokio::test]
async fn a_running_call_is_finished_and_a_new_one_is_not_taken() {
    let house = House::open();
    let (address, engine) = (house.address, std::sync::Arc::clone(&house.engine));
    let running = async { house.post(call("action_wait", json!({}))).await };
    tokio::pin!(running);
    tokio::select! {
        exchange = &mut running => panic!("answered before it was let go: {exchange:?}"),
        () = engine.begun.notified() => {}
    }
    let stopping = async {
        while TcpStream::connect(address).is_ok() {
            tokio::task::yield_now().await;
        }
        engine.release.notify_one();
    };
    house.stop();
    let (exchange, ()) = tokio::join!(running, stopping);
    assert_eq!(exchange.status, 200);
    house.served().await;
}

#[tokio::test]
async fn a_call_that_takes_too_long_is_cut_off() {
    let house = House::built(Options::default(), None, Drain { limit: Duration::from_millis(1), ..Drain::default() });
    let engine = std::sync::Arc::clone(&house.engine);
    let address = house.address;
    let running = tokio::spawn(async move {
        let mut stream = crate::support::connect(address).await;
        let body = String::from_utf8(call("action_wait", json!({}))).unwrap();
        let head = format!(
            "POST /webhook HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        tokio::io::AsyncWriteExt::write_all(&mut stream, (head + &body).as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let _ = tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut answer).await;
        answer
    });
    engine.begun.notified().await;
    house.stop();
    house.served().await;
    assert_eq!(running.await.unwrap(), b"");
}

//! TLS with and without clients' certificates, and what is said when a file is wrong.

use std::path::PathBuf;

use legwork::secret::Secret;
use legwork::server::{Drain, Options, TlsFiles};
use reqwest::{Certificate, Client, Identity};
use serde_json::json;

use crate::support::{House, call};

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/it/tls").join(name)
}

fn files() -> TlsFiles {
    TlsFiles { certificate: file("server.pem"), key: Some(file("server.key")), ..TlsFiles::default() }
}

fn client(identity: bool) -> Client {
    let authority = Certificate::from_pem(&std::fs::read(file("authority.pem")).unwrap()).unwrap();
    let builder = Client::builder().tls_certs_only([authority]).no_proxy();
    let builder = match identity {
        true => builder.identity(Identity::from_pem(&std::fs::read(file("client.pem")).unwrap()).unwrap()),
        false => builder,
    };
    builder.build().unwrap()
}

async fn echoed(house: &House, client: Client) -> reqwest::Result<String> {
    let url = format!("https://localhost:{}/webhook", house.address.port());
    let request =
        client.post(url).header("content-type", "application/json").body(call("action_echo", json!({"say": "hello"})));
    request.send().await?.text().await
}

#[tokio::test]
async fn calls_come_over_tls() {
    let house = House::built(Options::default(), Some(files().load().unwrap()), Drain::default());
    assert!(echoed(&house, client(false)).await.unwrap().contains("hello"));
}

#[tokio::test]
async fn with_authorities_only_their_clients_get_in() {
    let files = TlsFiles { client_authorities: Some(file("authority.pem")), ..files() };
    let house = House::built(Options::default(), Some(files.load().unwrap()), Drain::default());
    assert!(echoed(&house, client(true)).await.unwrap().contains("hello"));
    assert!(echoed(&house, client(false)).await.is_err());
}

#[test]
fn a_wrong_file_is_named_with_its_cure() {
    let refused = |files: TlsFiles| files.load().err().unwrap();
    let missing = refused(TlsFiles { certificate: file("nope.pem"), ..files() });
    assert!(missing.contains("nope.pem cannot be read"), "{missing}");
    let swapped = refused(TlsFiles { certificate: file("server.key"), ..files() });
    assert!(swapped.contains("server.key holds no certificate"), "{swapped}");
    let swapped = refused(TlsFiles { key: Some(file("server.pem")), ..files() });
    assert!(swapped.contains("server.pem holds no private key"), "{swapped}");
    let other = refused(TlsFiles { key: Some(file("client.pem")), ..files() });
    assert!(other.contains("do not go together"), "{other}");
    let encrypted = |password: Option<&str>| TlsFiles {
        key: Some(file("encrypted.key")),
        password: password.map(|text| Secret::new(text.to_owned())),
        ..files()
    };
    let locked = refused(encrypted(None));
    assert!(locked.contains("encrypted.key is encrypted: give its password with --ssl-password"), "{locked}");
    let wrong = refused(encrypted(Some("hunter2")));
    assert!(wrong.contains("encrypted.key does not open with the password") && !wrong.contains("hunter2"), "{wrong}");
    assert!(encrypted(Some("secret")).load().is_ok());
    assert!(!format!("{:?}", encrypted(Some("hunter2"))).contains("hunter2"));
}

#[tokio::test]
async fn an_encrypted_key_serves_with_its_password() {
    let password = Some(Secret::new("secret".to_owned()));
    let files = TlsFiles { key: Some(file("encrypted.key")), password, ..files() };
    let house = House::built(Options::default(), Some(files.load().unwrap()), Drain::default());
    assert!(echoed(&house, client(false)).await.unwrap().contains("hello"));
}

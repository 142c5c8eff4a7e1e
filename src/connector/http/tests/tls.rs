//! Trust in both directions, on real handshakes.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};

use super::*;

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/it/tls").join(name)
}

/// Answers `requests` connections over TLS, each with the number of certificates that the client has shown.
fn server(requests: usize, wants_certificate: bool) -> SocketAddr {
    let certificates = CertificateDer::pem_file_iter(file("server.pem")).unwrap().collect::<Result<Vec<_>, _>>().unwrap();
    let key = PrivateKeyDer::from_pem_file(file("server.key")).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions().unwrap();
    let builder = match wants_certificate {
        false => builder.with_no_client_auth(),
        true => {
            let mut roots = RootCertStore::empty();
            roots.add(CertificateDer::from_pem_file(file("authority.pem")).unwrap()).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
            builder.with_client_cert_verifier(verifier)
        }
    };
    let config = Arc::new(builder.with_single_cert(certificates, key).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().take(requests) {
            let mut stream = StreamOwned::new(ServerConnection::new(Arc::clone(&config)).unwrap(), stream.unwrap());
            let mut request = [0; 4096];
            if stream.read(&mut request).is_ok() {
                let shown = stream.conn.peer_certificates().map_or(0, <[_]>::len);
                let _ = write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: 1\r\nconnection: close\r\n\r\n{shown}");
                stream.conn.send_close_notify();
                let _ = stream.flush();
            }
        }
    });
    address
}

fn options(authority: bool, identity: bool) -> ClientOptions {
    ClientOptions {
        allow_private: vec!["localhost".to_owned(), "127.0.0.1".to_owned()],
        authorities: authority.then(|| file("authority.pem")),
        identity: identity.then(|| Identity { certificate: file("client.pem"), key: file("client.pem"), password: None }),
        ..ClientOptions::default()
    }
}

fn at(address: SocketAddr) -> Url {
    Url::parse(&format!("https://localhost:{}/", address.port())).unwrap()
}

#[tokio::test]
async fn a_private_authority_is_trusted_when_it_is_named() {
    let address = server(2, false);
    let fault = fails(&client(&options(false, false)), at(address)).await;
    assert_eq!(fault.outcome, Outcome::Misconfigured);
    assert!(fault.operator.contains("authority that is not known"), "{fault}");
    assert_eq!(client(&options(true, false)).send(get(at(address)), soon()).await.unwrap().body, "0");
}

#[tokio::test]
async fn a_client_shows_its_certificate_when_it_is_asked() {
    let address = server(2, true);
    assert_eq!(client(&options(true, true)).send(get(at(address)), soon()).await.unwrap().body, "1");
    let fault = fails(&client(&options(true, false)), at(address)).await;
    assert_eq!(fault.outcome, Outcome::Misconfigured, "{fault}");
    assert!(fault.operator.contains("client certificate"), "{fault}");
}

#[tokio::test]
async fn a_server_without_tls_is_told_apart() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = Url::parse(&format!("https://{}/", listener.local_addr().unwrap())).unwrap();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        // Until the client has gone, so that it is not reset before it has read this.
        let _ = stream.read_to_end(&mut Vec::new());
    });
    let fault = fails(&client(&options(true, false)), url).await;
    assert_eq!(fault.outcome, Outcome::Misconfigured, "{fault}");
    assert!(fault.operator.contains("TLS failed"), "{fault}");
}

#[test]
fn a_wrong_file_is_named() {
    let refused = |options: ClientOptions| Client::new(&options).unwrap_err();
    let missing = refused(ClientOptions { authorities: Some(file("nope.pem")), ..ClientOptions::default() });
    assert!(missing.contains("nope.pem cannot be read"), "{missing}");
    let key = refused(ClientOptions { authorities: Some(file("server.key")), ..ClientOptions::default() });
    assert!(key.contains("server.key holds no certificate"), "{key}");
    let identity = Identity { certificate: file("server.key"), key: file("server.key"), password: None };
    let no_certificate = refused(ClientOptions { identity: Some(identity), ..ClientOptions::default() });
    assert!(no_certificate.contains("server.key holds no certificate"), "{no_certificate}");
}

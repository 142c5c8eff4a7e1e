//! TLS: reads the certificate, the key and the certificates of clients' authorities from their files, and says which of
//! them is wrong and how to mend it. It never shows a key.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};

use crate::secret::Secret;
use crate::secret::key::{NoKey, private_key};

/// Where the parts are, PEM each.
#[derive(Debug, Clone, Default)]
pub struct TlsFiles {
    /// The server's certificate, with the chain behind it.
    pub certificate: PathBuf,
    /// Its private key; none when it is in the certificate's file.
    pub key: Option<PathBuf>,
    /// The password of the key, when it is encrypted.
    pub password: Option<Secret>,
    /// The authorities of clients' certificates; with them, only clients that show such a certificate get in.
    pub client_authorities: Option<PathBuf>,
}

/// What a TLS listener needs, read and checked.
#[derive(Debug, Clone)]
pub struct Tls(pub(super) Arc<ServerConfig>);

impl TlsFiles {
    /// Reads all files.
    ///
    /// # Errors
    /// Which file is wrong, why, and what to do.
    pub fn load(&self) -> Result<Tls, String> {
        let certificates = certificates(&self.certificate)?;
        let key_file = self.key.as_deref().unwrap_or(&self.certificate);
        let key = self.private_key(key_file)?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions();
        let builder = builder.map_err(|error| format!("TLS cannot be set up: {error}"))?;
        let builder = match &self.client_authorities {
            None => builder.with_no_client_auth(),
            Some(file) => {
                let mut roots = RootCertStore::empty();
                for certificate in self::certificates(file)? {
                    roots.add(certificate).map_err(|error| {
                        wrong(file, &format!("holds a certificate that is not one of an authority: {error}"))
                    })?;
                }
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
                builder.with_client_cert_verifier(verifier.map_err(|error| wrong(file, &error.to_string()))?)
            }
        };
        let config = builder.with_single_cert(certificates, key);
        let mut config = config.map_err(|error| {
            format!(
                "the certificate {} and the key {} do not go together: {error}",
                self.certificate.display(),
                key_file.display()
            )
        })?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Tls(Arc::new(config)))
    }

    fn private_key(&self, file: &Path) -> Result<PrivateKeyDer<'static>, String> {
        private_key(&read(file)?, self.password.as_ref()).map_err(|reason| match reason {
            NoKey::NoPassword => wrong(file, "is encrypted: give its password with --ssl-password"),
            reason => wrong(file, &reason.to_string()),
        })
    }
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let pem = read(file)?;
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    match certificates {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        Ok(_) => Err(wrong(file, "holds no certificate; it has to begin with -----BEGIN CERTIFICATE-----")),
        Err(error) => Err(wrong(file, &error.to_string())),
    }
}

fn read(file: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(file).map_err(|error| format!("{} cannot be read: {error}", file.display()))
}

fn wrong(file: &Path, what: &str) -> String {
    format!("{} {what}", file.display())
}
